//! One process owns a file: the lock beside it.

use std::{
    fs::{File, Metadata, OpenOptions, TryLockError},
    io::{self, Read, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::OpenError;

/// Keeps every other process, and every other store, away from a database file until it is dropped; from
/// [`SqliteStore::hold_file`](crate::SqliteStore::hold_file).
#[derive(Clone, Debug)]
#[must_use = "nobody is kept away once it is dropped"]
pub struct FileHold {
    /// None for a database in memory, which nobody else can open.
    _lock: Option<Arc<File>>,
}

impl FileHold {
    pub(crate) const NOTHING: Self = Self { _lock: None };
}

/// A database file that is there and that nobody else has.
#[derive(Debug)]
pub(crate) struct Claimed {
    /// Its one true path, whatever links led to it: SQLite's files and the lock are named after it.
    pub(crate) path: PathBuf,
    /// Which file it is, to notice another one under the same name.
    pub(crate) identity: Identity,
    /// Held for as long as this is not dropped.
    pub(crate) hold: FileHold,
}

/// Creates the file where there is none and takes the lock beside it.
///
/// A file that is there is never opened here: closing it again would undo, by the rules of POSIX, what SQLite has
/// locked for the host's own connections of this process.
pub(crate) fn claim(path: &Path) -> Result<Claimed, OpenError> {
    let io = |error| OpenError::from_io(path.to_owned(), error);
    if !path.try_exists().map_err(io)? {
        // Before the path is resolved, because a link to nowhere has no target until it is created.
        private().open(path).map_err(io)?;
    }
    let path = path.canonicalize().map_err(io)?;
    let metadata = path.metadata().map_err(io)?;
    if metadata.is_dir() {
        return Err(io(io::ErrorKind::IsADirectory.into()));
    }
    // Even where this process could: whoever marked it so meant it, and SQLite would leave files of that kind beside it.
    if metadata.permissions().readonly() {
        return Err(OpenError::ReadOnly { path });
    }
    let hold = FileHold { _lock: Some(Arc::new(lock(&path)?)) };
    Ok(Claimed { identity: Identity::of(&metadata), path, hold })
}

fn lock(path: &Path) -> Result<File, OpenError> {
    let io = |error| OpenError::from_io(path.to_owned(), error);
    let mut lock = private().open(beside(path)).map_err(io)?;
    match lock.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            return Err(OpenError::InUse { path: path.to_owned(), pid: owner(&mut lock) });
        }
        Err(TryLockError::Error(error)) => return Err(io(error)),
    }
    // The owner's name is a courtesy to whom it keeps out: a full disk may refuse it, the lock holds all the same.
    let _ = lock.set_len(0).and_then(|()| write!(lock, "{}", std::process::id()));
    Ok(lock)
}

fn beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    name.into()
}

fn owner(lock: &mut File) -> Option<u32> {
    let mut pid = String::new();
    lock.read_to_string(&mut pid).ok()?;
    pid.trim().parse().ok()
}

/// Opens for reading and writing, creates without emptying, for nobody but the owner.
fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// Which file a path led to. Only Unix lets a file be deleted or replaced while it is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    #[cfg(unix)]
    device: u64,
    #[cfg(unix)]
    inode: u64,
}

impl Identity {
    #[cfg(unix)]
    fn of(metadata: &Metadata) -> Self {
        use std::os::unix::fs::MetadataExt as _;
        Self { device: metadata.dev(), inode: metadata.ino() }
    }

    #[cfg(not(unix))]
    fn of(_: &Metadata) -> Self {
        Self {}
    }

    /// Whether the same file is still there.
    pub(crate) fn is_at(self, path: &Path) -> io::Result<bool> {
        Ok(Self::of(&path.metadata()?) == self)
    }
}
