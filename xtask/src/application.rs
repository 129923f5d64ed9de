//! `full_app`, as it runs for the siege and the soak.

use std::{
    env, fs,
    fs::File,
    io::{self, BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{self, Child, Command, Stdio},
    thread::{self, ScopedJoinHandle},
    time::{Duration, Instant},
};

use crate::{
    open_files,
    wire::{Target, User},
    workspace,
};

/// `full_app`, in a folder of its own. Dropping it ends it, and takes the folder away.
#[derive(Debug)]
pub(crate) struct Application {
    process: Child,
    pub(crate) target: Target,
    /// Where its numbers are, where they were asked for.
    pub(crate) numbers: Option<Target>,
    /// Where cargo has put the examples.
    examples: PathBuf,
    /// Where its database is, which by default is where it was started.
    folder: PathBuf,
}

/// What it wrote for its operator.
#[derive(Debug)]
pub(crate) struct Log {
    pub(crate) bytes: usize,
    /// Lines of what must not happen, whoever is there.
    pub(crate) alarming: Vec<String>,
}

/// So many enter at a time.
const ENTERING: usize = 16;
/// It says goodbye to everybody within 5 s.
const GOODBYE: Duration = Duration::from_secs(10);

impl Application {
    /// Starts it at a free port, for the chore that is called so, with its defaults but for these options.
    pub(crate) fn start(chore: &str, is_dev: bool, options: &[&str]) -> Result<Self, String> {
        Self::start_in(chore, is_dev, options, &[])
    }

    /// The same, with these variables in its environment.
    pub(crate) fn start_in(
        chore: &str,
        is_dev: bool,
        options: &[&str],
        environment: &[(&str, &str)],
    ) -> Result<Self, String> {
        let profile = if is_dev { "debug" } else { "release" };
        let examples = workspace::target().join(profile).join("examples");
        let folder = env::temp_dir().join(format!("chatrooms-{chore}-{}", process::id()));
        fs::create_dir_all(&folder).map_err(told)?;
        let mut command = Command::new(examples.join("full_app"));
        command.args(["--addr", "127.0.0.1:0"]).args(options);
        let mut command = open_files::as_many_as_allowed(&command);
        command.current_dir(&folder).env_remove("RUST_LOG").env_remove("CHATROOMS_SECRET");
        command.envs(environment.iter().copied());
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        command.stderr(File::create(folder.join("log")).map_err(told)?);
        let process = command.spawn().map_err(told)?;
        let target = Target(([127, 0, 0, 1], 0).into());
        let mut application = Self { process, target, numbers: None, examples, folder };
        match application.said()? {
            Some(target) => {
                application.target = target;
                Ok(application)
            }
            None => Err(format!("full_app does not listen: {:?}", application.log().alarming)),
        }
    }

    /// Reads what it says until it says where it listens.
    fn said(&mut self) -> Result<Option<Target>, String> {
        let Some(stdout) = self.process.stdout.take() else { return Ok(None) };
        for line in BufReader::new(stdout).lines() {
            let line = line.map_err(told)?;
            let at = |words: &str| line.strip_prefix(words)?.parse().ok().map(Target);
            if let Some(numbers) = line.strip_suffix("/metrics") {
                let address = numbers.strip_prefix("metrics on http://");
                self.numbers = address.and_then(|address| address.parse().ok()).map(Target);
            }
            if let Some(target) = at("listening on http://") {
                return Ok(Some(target));
            }
        }
        Ok(None)
    }

    /// Has so many people enter by the form, under names that begin like this; their cookies, line by line, are in the file that is returned.
    pub(crate) fn enter(&self, people: usize, called: &str) -> Result<PathBuf, String> {
        let enter = |number| {
            let user = User::enter(self.target, &format!("{called} {number}"));
            user.map(|user| user.cookie + "\n")
                .map_err(|wrong| format!("{called} {number}: {wrong}"))
        };
        // Each waits until the name is written down, and names that come together are written together.
        let share = people.div_ceil(ENTERING).max(1);
        let cookies: Result<String, String> = thread::scope(|scope| {
            let shares = (0..people).step_by(share).map(|first| {
                scope.spawn(move || (first..people.min(first + share)).map(enter).collect())
            });
            let shares: Vec<_> = shares.collect();
            let entered = |share: ScopedJoinHandle<'_, Result<String, String>>| {
                share.join().unwrap_or_else(|_| Err(format!("{called}: a panic")))
            };
            shares.into_iter().map(entered).collect()
        });
        let path = self.file("cookies");
        fs::write(&path, cookies?).map_err(|error| format!("cookies: {error}"))?;
        Ok(path)
    }

    /// Stops it for so long, as a machine does that sleeps.
    pub(crate) fn freeze(&self, time: Duration) -> Result<(), String> {
        self.signal("-STOP")?;
        thread::sleep(time);
        self.signal("-CONT")
    }

    fn signal(&self, name: &str) -> Result<(), String> {
        let sent = Command::new("kill").args([name, &self.process().to_string()]).status();
        match sent.map_err(told)?.success() {
            true => Ok(()),
            false => Err(format!("full_app takes no {name}")),
        }
    }

    /// Asks it to end as an operator does, and waits until it has, which has to be a success.
    pub(crate) fn end(&mut self) -> Result<(), String> {
        self.signal("-TERM")?;
        let by = Instant::now() + GOODBYE;
        while Instant::now() < by {
            if let Some(status) = self.process.try_wait().map_err(told)? {
                return if status.success() {
                    Ok(())
                } else {
                    Err(format!("full_app ended with {status}"))
                };
            }
            thread::sleep(Duration::from_millis(20));
        }
        Err(format!("full_app does not end within {} s", GOODBYE.as_secs()))
    }

    pub(crate) fn process(&self) -> u32 {
        self.process.id()
    }

    pub(crate) fn example(&self, name: &str) -> Command {
        Command::new(self.examples.join(name))
    }

    /// A file beside its own.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Leaves a copy of its log there.
    pub(crate) fn keep_log(&self, path: &Path) -> Result<(), String> {
        let copied = fs::copy(self.file("log"), path);
        copied.map(drop).map_err(|error| format!("{}: {error}", path.display()))
    }

    pub(crate) fn log(&self) -> Log {
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

fn told(error: io::Error) -> String {
    format!("full_app: {error}")
}
