//! The least that a broadcast can cost: `floor --help`.
#![forbid(unsafe_code)]

#[cfg(target_os = "linux")]
fn main() -> std::io::Result<()> {
    chatrooms_peers::floor::main()
}

#[cfg(not(target_os = "linux"))]
fn main() -> std::io::Result<()> {
    Err(std::io::Error::other("floor needs Linux: epoll"))
}
