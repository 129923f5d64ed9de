//! Listening, and the graceful end.

use std::{
    io::{self, Write as _},
    net::SocketAddr,
    time::Duration,
};

use chatrooms::RoomRegistry;
use tokio::{net::TcpListener, time::timeout};

use crate::{connections::Connections, failure::Failure, site::Site, stop::Stop};

/// How long the end of all sessions may take.
const SESSIONS_END: Duration = Duration::from_secs(4);
/// How long answers may take that are still being written then.
const ANSWERS_END: Duration = Duration::from_millis(500);

/// Takes the address, so that whoever asks for it is told now.
pub(crate) async fn listen(addr: &str) -> Result<TcpListener, Failure> {
    let listener = TcpListener::bind(addr).await;
    listener.map_err(|error| Failure::because(format_args!("cannot listen on {addr}"), &error))
}

/// Says where it listens: on stdout for programs, in the log for people.
pub(crate) fn announce(listener: &TcpListener, site: &Site) -> Result<(), Failure> {
    let addr = listener.local_addr();
    let addr = addr.map_err(|error| Failure::because("its own address is not known", &error))?;
    let mut stdout = io::stdout().lock();
    // Nobody has to read it.
    let _ = writeln!(stdout, "listening on http://{addr}").and_then(|()| stdout.flush());
    match site {
        Site::Anywhere => tracing::info!("open http://{} in a browser", reachable(addr)),
        Site::Https { origin } => tracing::info!("open {origin} in a browser"),
    }
    Ok(())
}

fn reachable(addr: SocketAddr) -> String {
    if addr.ip().is_unspecified() { format!("localhost:{}", addr.port()) } else { addr.to_string() }
}

/// Serves until it is told to stop, and then until everybody has been told.
pub(crate) async fn serve(
    listener: TcpListener,
    connections: Connections,
    registry: RoomRegistry,
    mut stop: Stop,
) {
    tokio::select! {
        () = connections.accept(&listener) => {}
        () = stop.requested() => {}
    }
    tracing::info!("stopping");
    // Who comes meanwhile is told to come back later, rather than that there is nobody.
    let ended = tokio::select! {
        () = connections.accept(&listener) => return,
        ended = timeout(SESSIONS_END, registry.shutdown(SESSIONS_END)) => ended,
    };
    drop(listener);
    let answered = timeout(ANSWERS_END, connections.end()).await;
    let cut_off = ended.map_or_else(|_| registry.stats().sessions, |report| report.cut_off);
    tracing::info!(sessions_cut_off = cut_off, answers_cut_off = answered.is_err(), "stopped");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_to_open_can_be_opened() {
        for (bound, open) in [
            ("0.0.0.0:5000", "localhost:5000"),
            ("[::]:5000", "localhost:5000"),
            ("127.0.0.1:80", "127.0.0.1:80"),
            ("192.168.0.7:5000", "192.168.0.7:5000"),
            ("[::1]:5000", "[::1]:5000"),
        ] {
            assert_eq!(reachable(bound.parse().unwrap()), open);
        }
    }
}
