//! A server that runs while it is measured.

use std::{
    io,
    net::{Ipv4Addr, TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU16, Ordering},
    thread,
    time::{Duration, Instant},
};

use crate::open_files::as_many_as_allowed;

use super::peer::Peer;

const PATIENCE: Duration = Duration::from_secs(20);

/// How soon a process goes on that can.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Priority {
    Usual,
    /// Before everything else, where that is allowed: for what measures time, and not work.
    RealTime,
}

/// A process, ended with this.
#[derive(Debug)]
pub(super) struct Server {
    process: Child,
    pub(super) port: u16,
}

impl Server {
    /// Starts a server on the first CPU, and waits until it listens.
    pub(super) fn start(peer: Peer, priority: Priority) -> Result<Self, String> {
        let told = |error: io::Error| format!("{}: {error}", peer.name());
        let port = free_port().map_err(told)?;
        let mut command = on_cpu(0, priority, &peer.command(port));
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let mut server = Self { process: command.spawn().map_err(told)?, port };
        let began = Instant::now();
        while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
            let ended = server.process.try_wait().map_err(told)?;
            if ended.is_some() || began.elapsed() > PATIENCE {
                return Err(format!("{} does not listen", peer.name()));
            }
            thread::sleep(Duration::from_millis(20));
        }
        thread::sleep(Duration::from_millis(300));
        Ok(server)
    }

    pub(super) fn process(&self) -> u32 {
        self.process.id()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It fails for one that has ended.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Whether servers and load can be kept apart.
pub(super) fn is_pinning() -> bool {
    let cpus = thread::available_parallelism().map_or(1, Into::into);
    cpus > 1 && works(Command::new("taskset").arg("--version"))
}

fn works(command: &mut Command) -> bool {
    let quiet = command.stdout(Stdio::null()).stderr(Stdio::null());
    quiet.status().is_ok_and(|status| status.success())
}

/// The command on one CPU, where that is possible, with as many open files as are allowed.
pub(super) fn on_cpu(cpu: usize, priority: Priority, command: &Command) -> Command {
    const REAL_TIME: [&str; 2] = ["--fifo", "10"];
    let mut placed = as_many_as_allowed(command);
    if is_pinning() {
        placed = under("taskset", &["--cpu-list", &cpu.to_string()], &placed);
    }
    if priority == Priority::RealTime && works(Command::new("chrt").args(REAL_TIME).arg("true")) {
        placed = under("chrt", &REAL_TIME, &placed);
    }
    placed
}

fn under(program: &str, arguments: &[&str], command: &Command) -> Command {
    let mut outer = Command::new(program);
    outer.args(arguments).arg(command.get_program()).args(command.get_args());
    outer
}

/// One that nobody has, and below those that clients get: some of theirs wait, closed, and not every server may take them over.
fn free_port() -> io::Result<u16> {
    static NEXT: AtomicU16 = AtomicU16::new(17_100);
    loop {
        let port = NEXT.fetch_add(1, Ordering::Relaxed);
        match TcpListener::bind((Ipv4Addr::UNSPECIFIED, port)) {
            Ok(_) => return Ok(port),
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => {}
            Err(error) => return Err(error),
        }
    }
}
