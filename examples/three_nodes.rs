//! One chat on three nodes, behind a proxy that gives each connection to the next of them: start a Redis (`redis-server --save ""`), then
//! `cargo run --example three_nodes`, and open http://127.0.0.1:5000 in several windows. `REDIS_URL` names another Redis than the one of this machine.
//!
//! Each node is a process, and the proxy knows nothing of rooms: any balancer does. To try: `kill -9` one of the processes that are named at the
//! start. Its windows come back on the others, where those whom they have left behind are gone within twenty seconds; the room goes on.

use std::{
    env, io,
    process::Stdio,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use axum::{Router, http::request::Parts, response::Html, routing::get, serve::ListenerExt as _};
use chatrooms::redis::RedisCluster;
use chatrooms::ws::{Endpoint, Refusal, credentials};
use chatrooms::{Identity, RoomRegistry, UserName};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader, copy_bidirectional, stdin};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, Command};
use tokio::signal::ctrl_c;

/// What tells a process that it is one of the nodes.
const NODE: &str = "node";
const LISTENING: &str = "listening on http://";

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    match env::args().nth(1) {
        Some(role) if role == NODE => node().await,
        addr => Ok(proxy(&addr.unwrap_or("127.0.0.1:5000".to_owned())).await?),
    }
}

/// A chat as in `minimal_axum`, but for the cluster: that line is all that many nodes take.
async fn node() -> Result<(), Box<dyn std::error::Error>> {
    let redis = env::var("REDIS_URL").unwrap_or("redis://127.0.0.1/".to_owned());
    let cluster = RedisCluster::connect(&redis).await?;
    let rooms = RoomRegistry::builder().cluster(cluster).start().await?;
    let chat = chatrooms::axum::router(Endpoint::new(rooms.clone(), who));
    let page = get(Html(include_str!("page.html")));
    let app = Router::new().route("/", page).nest("/chat", chat);
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("{LISTENING}{}", listener.local_addr()?);
    let listener = listener.tap_io(|connection| drop(connection.set_nodelay(true)));
    let stop = async move {
        // Whichever comes first: it was interrupted, or the proxy that holds its other end has gone.
        let mut rest = Vec::new();
        let mut stdin = stdin();
        tokio::select! {
            _ = ctrl_c() => {}
            _ = stdin.read_to_end(&mut rest) => {}
        }
        rooms.shutdown(Duration::from_secs(5)).await;
    };
    Ok(axum::serve(listener, app).with_graceful_shutdown(stop).await?)
}

fn who(request: &Parts) -> Result<Identity, Refusal> {
    let user = credentials::query(request, "user").and_then(|user| UserName::new(&user).ok());
    user.map(Identity::new).ok_or(Refusal::Unauthorized)
}

/// Starts the nodes, and gives each connection to the next one that takes it.
async fn proxy(addr: &str) -> io::Result<()> {
    let mut nodes = Vec::new();
    for _ in 0..3 {
        nodes.push(start().await?);
    }
    let addresses: Vec<String> = nodes.iter().map(|(address, _)| address.clone()).collect();
    let listener = TcpListener::bind(addr).await?;
    println!("{LISTENING}{}", listener.local_addr()?);
    let next = AtomicUsize::new(0);
    let passing = async {
        loop {
            let (client, _) = listener.accept().await?;
            let turn = next.fetch_add(1, Ordering::Relaxed) % addresses.len();
            let in_turn = [&addresses[turn..], &addresses[..turn]].concat();
            tokio::spawn(pass(client, in_turn));
        }
    };
    tokio::select! {
        failed = passing => return failed,
        _ = ctrl_c() => {}
    }
    for (_, mut node) in nodes {
        drop(node.stdin.take());
        node.wait().await?;
    }
    Ok(())
}

/// Starts a node; says where it listens.
async fn start() -> io::Result<(String, Child)> {
    let mut command = Command::new(env::current_exe()?);
    command.arg(NODE).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut node = command.spawn()?;
    let stdout = node.stdout.take().expect("it has just been piped");
    let said = BufReader::new(stdout).lines().next_line().await?.unwrap_or_default();
    let Some(address) = said.strip_prefix(LISTENING) else {
        return Err(io::Error::other("a node did not start: is there a Redis?"));
    };
    println!("a node at {address}: process {}", node.id().unwrap_or_default());
    Ok((address.to_owned(), node))
}

/// Passes everything on between a client and the first node that is there.
async fn pass(mut client: TcpStream, nodes: Vec<String>) {
    for address in nodes {
        if let Ok(mut node) = TcpStream::connect(address).await {
            let _ = (client.set_nodelay(true), node.set_nodelay(true));
            // Either end may go at any time.
            let _ = copy_bidirectional(&mut client, &mut node).await;
            return;
        }
    }
}
