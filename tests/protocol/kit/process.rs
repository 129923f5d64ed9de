//! One of the examples as a child process: a real program on a port of its own.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use super::{HANG, eventually};

/// A running example; dropping it kills the process.
pub(crate) struct Process {
    child: Mutex<Child>,
    /// Its stderr.
    log: Lines,
    /// What it said before it said where it listens.
    said: Vec<String>,
}

type Lines = Arc<Mutex<Vec<String>>>;

impl Process {
    /// The program of an example, with nothing said yet.
    pub(crate) fn command(example: &str) -> Command {
        let mut command = Command::new(binary(example));
        command.stdin(Stdio::null()).env("RUST_LOG", "warn");
        command
    }

    /// Starts it, and hands out the address that it announces.
    pub(crate) fn start(mut command: Command) -> (Self, SocketAddr) {
        let spawned = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let mut child = spawned.unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let log = Arc::new(Mutex::new(Vec::new()));
        collect(child.stderr.take().expect("its stderr"), Arc::clone(&log));
        let listening = announced(child.stdout.take().expect("its stdout"));
        let mut process = Self { child: Mutex::new(child), log, said: Vec::new() };
        let (base, said) = listening
            .recv_timeout(HANG)
            .unwrap_or_else(|_| panic!("{command:?} never listened:\n{}", process.log()));
        process.said = said;
        (process, base.trim_start_matches("http://").parse().expect("the printed address"))
    }

    /// The end of a line that begins like this, which it printed before it said where it listens.
    pub(crate) fn said(&self, beginning: &str) -> Option<&str> {
        self.said.iter().find_map(|line| line.strip_prefix(beginning))
    }

    pub(crate) fn id(&self) -> u32 {
        self.child().id()
    }

    /// Asks the process to end as an operator does.
    pub(crate) fn terminate(&self) {
        signal(self.id(), "TERM");
    }

    /// Asks it to end and waits until it has, which must be a success.
    pub(crate) async fn shut_down(&self) {
        self.terminate();
        let status = self.exited().await;
        assert!(status.success(), "a graceful end is exit 0, not {status}:\n{}", self.log());
    }

    /// Ends the process without a chance to say anything.
    pub(crate) async fn kill(&self) {
        self.child().kill().expect("the process can be killed");
        self.exited().await;
    }

    pub(crate) async fn exited(&self) -> ExitStatus {
        let mut status = None;
        eventually("the process ends", async || {
            status = self.child().try_wait().expect("its status");
            status.is_some()
        })
        .await;
        status.expect("it has ended")
    }

    fn child(&self) -> MutexGuard<'_, Child> {
        self.child.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// All that it has written to stderr.
    pub(crate) fn log(&self) -> String {
        self.log.lock().unwrap_or_else(PoisonError::into_inner).join("\n")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let mut child = self.child();
        let _already_ended = child.kill();
        let _reaped = child.wait();
        drop(child);
        let log = self.log();
        if !thread::panicking() {
            assert!(!log.contains("panicked at"), "the process panicked:\n{log}");
        }
    }
}

/// Sends a signal to a process, by the signal's name.
pub(crate) fn signal(process: u32, name: &str) {
    let arguments = [format!("-{name}"), process.to_string()];
    let status = Command::new("kill").args(arguments).status();
    assert!(status.expect("kill runs").success(), "the process takes a signal");
}

/// Cargo puts examples beside the folder of its test binaries.
fn binary(example: &str) -> PathBuf {
    let test = std::env::current_exe().expect("the path of this test binary");
    let profile = test.parent().and_then(|deps| deps.parent()).expect("target/<profile>/deps");
    let binary =
        profile.join("examples").join(format!("{example}{}", std::env::consts::EXE_SUFFIX));
    assert!(
        binary.exists(),
        "{} is missing: run `cargo build --examples` first (`cargo test` without `--test` does so)",
        binary.display()
    );
    binary
}

/// Reads all of stdout, so that the process never blocks on it; hands out the announced address and the lines before it.
fn announced(stdout: impl std::io::Read + Send + 'static) -> mpsc::Receiver<(String, Vec<String>)> {
    let (found, listening) = mpsc::channel();
    thread::spawn(move || {
        let mut said = Vec::new();
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            match line.strip_prefix("listening on ") {
                Some(base) => {
                    let announced = (base.trim().to_owned(), std::mem::take(&mut said));
                    let _nobody_waits_twice = found.send(announced);
                }
                None => said.push(line),
            }
        }
    });
    listening
}

fn collect(stderr: impl std::io::Read + Send + 'static, log: Lines) {
    thread::spawn(move || {
        for line in BufReader::new(stderr).lines().map_while(Result::ok) {
            log.lock().unwrap_or_else(PoisonError::into_inner).push(line);
        }
    });
}
