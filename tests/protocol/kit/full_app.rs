//! `full_app`: the real application, entered and left as its page does it.

use std::ops::Deref;
use std::process::{Command, ExitStatus};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use chatrooms::oracle::Bounds;
use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;
use tempfile::TempDir;

use super::process::Process;
use super::{Header, Host, Server, bound};

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
        Self::start_as(Self::command(), options)
    }

    /// The same, of a program that is started in a way of one's own.
    pub(crate) fn start_as(mut command: Command, options: &[&str]) -> Self {
        command.args(["--addr", "127.0.0.1:0"]);
        if !options.contains(&"--store") && !options.contains(&"--cluster") {
            command.args(["--store", "memory"]);
        }
        command.args(options);
        if options.contains(&"--linger") {
            let mut bounds = Bounds::default();
            bounds.lingers = true;
            bound(bounds);
        }
        let (process, addr) = Process::start(command);
        let process = Arc::new(process);
        let host = Box::new(Arc::clone(&process));
        Self { server: Server { addr, mount: "/chat".to_owned(), host }, process, _folder: None }
    }

    /// The program, with nothing said yet.
    pub(crate) fn command() -> Command {
        let mut command = Process::command("full_app");
        command.env_remove("CHATROOMS_SECRET");
        command
    }

    /// The end of a line that begins like this, which it printed before it said where it listens.
    pub(crate) fn said(&self, beginning: &str) -> Option<&str> {
        self.process.said(beginning)
    }

    /// All that it has written to stderr.
    pub(crate) fn log(&self) -> String {
        self.process.log()
    }

    /// The process by itself.
    pub(super) fn process(&self) -> Arc<Process> {
        Arc::clone(&self.process)
    }

    /// What the system calls the process.
    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    /// Asks the process to end as an operator does.
    pub(crate) fn terminate(&self) {
        self.process.terminate();
    }

    /// Ends the process without a chance to say anything.
    pub(crate) async fn kill(&self) {
        self.process.kill().await;
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
        Process::shut_down(self).boxed_local()
    }
}
