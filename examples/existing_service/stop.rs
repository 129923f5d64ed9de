//! The operator's wish that it end: Ctrl-C, or SIGTERM where there is such a thing.

use std::io;

use tokio::signal;

/// From here on neither ends the process by itself; what is returned is done when one of them comes.
#[cfg(unix)]
pub(crate) fn watch() -> io::Result<impl Future<Output = ()> + Send> {
    use signal::unix::SignalKind;

    let mut interrupt = signal::unix::signal(SignalKind::interrupt())?;
    let mut terminate = signal::unix::signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "elsewhere it may fail")]
pub(crate) fn watch() -> io::Result<impl Future<Output = ()> + Send> {
    Ok(async { drop(signal::ctrl_c().await) })
}
