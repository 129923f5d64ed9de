//! A load generator for broadcast servers: `wsload --help`.
#![forbid(unsafe_code)]

#[cfg(target_os = "linux")]
fn main() -> std::process::ExitCode {
    chatrooms_peers::wsload::main()
}

#[cfg(not(target_os = "linux"))]
fn main() -> std::io::Result<()> {
    Err(std::io::Error::other("wsload needs Linux: epoll and /proc"))
}
