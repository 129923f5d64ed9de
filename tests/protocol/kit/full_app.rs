//! `full_app` as a child process: the real application, on a port of its own.

use std::io::{BufRead, BufReader};
use std::ops::Deref;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::thread;

use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;
use tempfile::TempDir;

use super::{HANG, Header, Host, Server, eventually};

/// A running `full_app`; dropping it kills the process.
pub(crate) struct FullApp {
    server: Server,
    process: Arc<Process>,
    /// Outlives the process, which keeps its file in it.
    _folder: Option<TempDir>,
}

/// Where a shared server keeps its messages.
#[derive(Clone, Copy)]
pub(crate) enum Store {
    Memory,
    SqliteFile,
}

struct Process {
    child: Mutex<Child>,
    log: Arc<Mutex<Vec<String>>>,
}

impl FullApp {
    /// The one with this store that all tests of this process share while any of them runs.
    pub(crate) fn shared(store: Store) -> Arc<Self> {
        static SHARED: Mutex<[Weak<FullApp>; 2]> = Mutex::new([Weak::new(), Weak::new()]);
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        let shared = &mut shared[store as usize];
        shared.upgrade().unwrap_or_else(|| {
            let app = Arc::new(match store {
                Store::Memory => Self::start(&[]),
                Store::SqliteFile => Self::start_on_a_file(),
            });
            *shared = Arc::downgrade(&app);
            app
        })
    }

    fn start_on_a_file() -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        let store = format!("sqlite:{}", folder.path().join("chat.db").display());
        Self { _folder: Some(folder), ..Self::start(&["--store", &store]) }
    }

    /// Starts one on a free port, in memory unless the options say otherwise.
    pub(crate) fn start(options: &[&str]) -> Self {
        let mut command = Self::command();
        command.args(["--addr", "127.0.0.1:0"]);
        if !options.contains(&"--store") {
            command.args(["--store", "memory"]);
        }
        let mut child = command
            .args(options)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("full_app starts");
        let log = Arc::new(Mutex::new(Vec::new()));
        collect(child.stderr.take().expect("its stderr"), Arc::clone(&log));
        let listening = announced(child.stdout.take().expect("its stdout"));
        let process = Arc::new(Process { child: Mutex::new(child), log });
        let base = listening
            .recv_timeout(HANG)
            .unwrap_or_else(|_| panic!("full_app never listened:\n{}", process.log()));
        let addr = base.trim_start_matches("http://").parse().expect("the printed address");
        let host = Box::new(Arc::clone(&process));
        Self { server: Server { addr, mount: "/chat".to_owned(), host }, process, _folder: None }
    }

    /// The program, with nothing said yet.
    pub(crate) fn command() -> Command {
        let mut command = Command::new(binary());
        command.stdin(Stdio::null()).env("RUST_LOG", "warn").env_remove("CHATROOMS_SECRET");
        command
    }

    /// Asks the process to end as an operator does.
    pub(crate) fn terminate(&self) {
        self.process.terminate();
    }

    /// Ends the process without a chance to say anything.
    pub(crate) async fn kill(&self) {
        self.process.child().kill().expect("the process can be killed");
        self.exited().await;
    }

    pub(crate) async fn exited(&self) -> ExitStatus {
        self.process.exited().await
    }
}

impl Deref for FullApp {
    type Target = Server;

    fn deref(&self) -> &Server {
        &self.server
    }
}

impl Host for Arc<Process> {
    fn admit<'a>(&'a self, server: &'a Server, user: &'a str) -> LocalBoxFuture<'a, Header> {
        async move {
            let form = [("username", user), ("room", "lobby")];
            let answer = server.request_outside("POST", "/rooms").form(&form).send().await;
            assert_eq!(answer.status, 303, "{user} enters: {answer:?}");
            let cookie = answer.header("Set-Cookie").expect("a cookie for the browser");
            let pair = cookie.split(';').next().unwrap_or_default();
            ("Cookie".to_owned(), pair.to_owned())
        }
        .boxed_local()
    }

    fn log_out<'a>(&'a self, server: &'a Server, credential: &'a Header) -> LocalBoxFuture<'a, ()> {
        async move {
            let (name, value) = credential;
            let request = server.request_outside("POST", "/logout").header(name, value);
            let answer = request.send().await;
            assert_eq!(answer.status, 303, "{answer:?}");
        }
        .boxed_local()
    }

    fn shut_down(&self) -> LocalBoxFuture<'_, ()> {
        async move {
            self.terminate();
            let status = self.exited().await;
            assert!(status.success(), "a graceful end is exit 0, not {status}:\n{}", self.log());
        }
        .boxed_local()
    }
}

impl Process {
    fn child(&self) -> std::sync::MutexGuard<'_, Child> {
        self.child.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn terminate(&self) {
        let pid = self.child().id().to_string();
        let status = Command::new("kill").args(["-TERM", &pid]).status();
        assert!(status.expect("kill runs").success(), "the process takes a signal");
    }

    async fn exited(&self) -> ExitStatus {
        let mut status = None;
        eventually("full_app ends", async || {
            status = self.child().try_wait().expect("its status");
            status.is_some()
        })
        .await;
        status.expect("it has ended")
    }

    fn log(&self) -> String {
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
            assert!(!log.contains("panicked at"), "full_app panicked:\n{log}");
        }
    }
}

/// Cargo puts examples beside the folder of its test binaries.
fn binary() -> PathBuf {
    let test = std::env::current_exe().expect("the path of this test binary");
    let profile = test.parent().and_then(|deps| deps.parent()).expect("target/<profile>/deps");
    let binary = profile.join("examples").join(format!("full_app{}", std::env::consts::EXE_SUFFIX));
    assert!(
        binary.exists(),
        "{} is missing: run `cargo build --example full_app` first (`cargo test` without `--test` does so)",
        binary.display()
    );
    binary
}

/// Reads all of stdout, so that the process never blocks on it; hands out the announced address.
fn announced(stdout: impl std::io::Read + Send + 'static) -> mpsc::Receiver<String> {
    let (found, listening) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            if let Some(base) = line.strip_prefix("listening on ") {
                let _nobody_waits_twice = found.send(base.trim().to_owned());
            }
        }
    });
    listening
}

fn collect(stderr: impl std::io::Read + Send + 'static, log: Arc<Mutex<Vec<String>>>) {
    thread::spawn(move || {
        for line in BufReader::new(stderr).lines().map_while(Result::ok) {
            log.lock().unwrap_or_else(PoisonError::into_inner).push(line);
        }
    });
}
