//! The application that is besieged.

use std::{
    env, fs,
    fs::File,
    io::{BufRead as _, BufReader},
    path::PathBuf,
    process::{self, Child, Command, Stdio},
};

use crate::workspace;

use super::{options::Options, wire::Target};

/// `full_app`, in a folder of its own. Dropping it ends it, and takes the folder away.
#[derive(Debug)]
pub(super) struct Application {
    process: Child,
    pub(super) target: Target,
    /// Where cargo has put the examples.
    examples: PathBuf,
    /// Where its database is, which by default is where it was started.
    folder: PathBuf,
}

/// What it wrote for its operator.
#[derive(Debug)]
pub(super) struct Log {
    pub(super) bytes: usize,
    /// Lines of what must not happen, whoever is there.
    pub(super) alarming: Vec<String>,
}

impl Application {
    /// Starts it with its defaults, at a free port.
    pub(super) fn start(options: &Options) -> Result<Self, String> {
        let told = |error: std::io::Error| format!("full_app: {error}");
        let profile = if options.is_dev { "debug" } else { "release" };
        let examples = workspace::target().join(profile).join("examples");
        let folder = env::temp_dir().join(format!("chatrooms-siege-{}", process::id()));
        fs::create_dir_all(&folder).map_err(told)?;
        let mut command = Command::new(examples.join("full_app"));
        command.args(["--addr", "127.0.0.1:0"]).current_dir(&folder);
        command.env_remove("RUST_LOG").env_remove("CHATROOMS_SECRET");
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        command.stderr(File::create(folder.join("log")).map_err(told)?);
        let mut process = command.spawn().map_err(told)?;
        let stdout = process.stdout.take().map(BufReader::new);
        let said = stdout.and_then(|stdout| stdout.lines().next()).and_then(Result::ok);
        let address = said.as_deref().and_then(|line| line.strip_prefix("listening on http://"));
        let address = address.and_then(|address| address.parse().ok());
        let target = Target(address.unwrap_or(([127, 0, 0, 1], 0).into()));
        let application = Self { process, target, examples, folder };
        match address {
            Some(_) => Ok(application),
            None => Err(format!("full_app does not listen: {:?}", application.log().alarming)),
        }
    }

    pub(super) fn process(&self) -> u32 {
        self.process.id()
    }

    pub(super) fn example(&self, name: &str) -> Command {
        Command::new(self.examples.join(name))
    }

    /// A file beside its own.
    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    pub(super) fn log(&self) -> Log {
        let text = fs::read(self.file("log")).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let is_alarming = |line: &&str| line.contains("ERROR") || line.contains("panicked at");
        let alarming = text.lines().filter(is_alarming).map(str::to_owned).collect();
        Log { bytes: text.len(), alarming }
    }
}

impl Drop for Application {
    fn drop(&mut self) {
        // It fails for one that has ended.
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}
