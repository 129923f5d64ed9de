//! What stands before many nodes: it knows connections and nothing else, and asks chance.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::task::AbortOnDropHandle;

use super::where_servers_run;

type Nodes = Arc<Mutex<Vec<SocketAddr>>>;

/// Dropping it takes no more connections.
pub(crate) struct Balancer {
    addr: SocketAddr,
    nodes: Nodes,
    _accepting: AbortOnDropHandle<()>,
}

impl Balancer {
    pub(crate) async fn start(nodes: Vec<SocketAddr>) -> Self {
        where_servers_run(async move {
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
            let addr = listener.local_addr().expect("its address");
            let nodes = Arc::new(Mutex::new(nodes));
            let accepting = tokio::spawn(accept(listener, Arc::clone(&nodes)));
            Self { addr, nodes, _accepting: AbortOnDropHandle::new(accepting) }
        })
        .await
    }

    pub(crate) const fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Has another node take the place of one.
    pub(crate) fn replace(&self, old: SocketAddr, new: SocketAddr) {
        let mut nodes = self.nodes.lock().unwrap_or_else(PoisonError::into_inner);
        nodes.iter_mut().filter(|node| **node == old).for_each(|node| *node = new);
    }
}

async fn accept(listener: TcpListener, nodes: Nodes) {
    loop {
        if let Ok((client, _)) = listener.accept().await {
            let mut nodes = nodes.lock().unwrap_or_else(PoisonError::into_inner).clone();
            let first = chance() as usize % nodes.len();
            nodes.rotate_left(first);
            tokio::spawn(pass(client, nodes));
        }
    }
}

/// Passes everything on to the first of these nodes that is there.
async fn pass(mut client: TcpStream, nodes: Vec<SocketAddr>) {
    if let Ok(mut node) = TcpStream::connect(&nodes[..]).await {
        let _ = (client.set_nodelay(true), node.set_nodelay(true));
        if copy_bidirectional(&mut client, &mut node).await.is_err() {
            // Whoever breaks off on one side breaks off on the other.
            let _ = (client.set_zero_linger(), node.set_zero_linger());
        }
    }
}

/// The next number by splitmix64. They are the same each time; which connection gets which is chance all the same.
fn chance() -> u64 {
    static STATE: AtomicU64 = AtomicU64::new(0);
    let state = STATE.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
    let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}
