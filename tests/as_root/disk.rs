//! A small disk of a test's own.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

/// What one write adds while a disk is filled: a page of it.
const PAGE: [u8; 4096] = [0; 4096];

/// A disk in memory, mounted until this is dropped.
pub(crate) struct Disk {
    folder: TempDir,
}

impl Disk {
    /// A disk of 2 MiB.
    pub(crate) fn small() -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        mount(&["-t", "tmpfs", "-o", "size=2m", "chatrooms-test"], folder.path());
        Self { folder }
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.folder.path().join("chat.db")
    }

    /// Leaves so many bytes free and no more; says how many it took.
    pub(crate) fn fill_but(&self, spare: u64) -> u64 {
        let mut ballast = File::create(self.ballast()).expect("a file on the disk");
        let mut taken = 0;
        loop {
            match ballast.write(&PAGE) {
                Ok(written) => taken += written as u64,
                Err(error) if error.kind() == ErrorKind::StorageFull => break,
                Err(error) => panic!("{error}"),
            }
        }
        ballast.set_len(taken.saturating_sub(spare)).expect("it can be made shorter");
        taken.saturating_sub(spare)
    }

    /// Makes space again.
    pub(crate) fn empty(&self) {
        fs::remove_file(self.ballast()).expect("it was filled");
    }

    /// From now on nothing on it can be changed.
    pub(crate) fn protect(&self) {
        mount(&["-o", "remount,ro"], self.folder.path());
    }

    fn ballast(&self) -> PathBuf {
        self.folder.path().join("ballast")
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Lazily: a test that fails leaves files open.
        let status = Command::new("umount").arg("--lazy").arg(self.folder.path()).status();
        if !std::thread::panicking() {
            assert!(status.is_ok_and(|status| status.success()), "the disk is unmounted");
        }
    }
}

fn mount(arguments: &[&str], at: &Path) {
    let mut command = Command::new("mount");
    command.args(arguments.iter().map(OsStr::new)).arg(at);
    let done = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(
        done.status.success(),
        "only root may mount a disk: run this by `cargo xtask prove faults`. {command:?}: {}",
        String::from_utf8_lossy(&done.stderr)
    );
}
