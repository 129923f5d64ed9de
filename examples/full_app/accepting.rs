//! Connections as they come.

use std::{io, net::SocketAddr, time::Duration};

use tokio::{
    net::{TcpListener, TcpStream},
    time::sleep,
};

/// Takes connections for ever. Why none can be accepted is told each time, and it is tried again after a second: what is missing, descriptors most likely, will be
/// given back.
pub(crate) async fn accept(
    listener: &TcpListener,
    take: impl Fn(TcpStream, SocketAddr),
    mut tell: impl FnMut(io::Error),
) {
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                // Frames are small, and each is to be sent at once. A socket that is gone already refuses it.
                let _ = stream.set_nodelay(true);
                take(stream, peer);
            }
            Err(error) if is_of_one_connection(&error) => {}
            Err(error) => {
                tell(error);
                sleep(Duration::from_secs(1)).await;
            }
        }
    }
}

fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}
