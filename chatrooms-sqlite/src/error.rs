//! What can go wrong, in the words of those who have to do something about it.

use std::{io, path::PathBuf};

use chatrooms_core::StoreError;

/// The store's name in every [`StoreError`].
pub(crate) const NAME: &str = "sqlite";

/// Why a database could not be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// Another process has it, or another store of this process.
    #[error(
        "{} is in use by {}: stop that one first or choose another file",
        path.display(),
        pid.map_or_else(|| "another process".to_owned(), |pid| format!("process {pid}"))
    )]
    InUse {
        /// The database.
        path: PathBuf,
        /// Who has it, where that could be read from the lock file.
        pid: Option<u32>,
    },
    /// Another program, such as a shell, has kept it locked for longer than the busy time-out.
    #[error("{} is locked by another program: close that one and try again", path.display())]
    Locked {
        /// The database.
        path: PathBuf,
    },
    /// The file is there and is no SQLite database. It has not been touched.
    #[error("{} is not an SQLite database: choose another file, or move this one away", path.display())]
    NotADatabase {
        /// The file.
        path: PathBuf,
    },
    /// It is a database, and damaged. It has not been touched.
    #[error("{} is damaged ({what}): restore it, or move it away to begin with an empty one", path.display())]
    Corrupt {
        /// The database.
        path: PathBuf,
        /// What SQLite found.
        what: String,
    },
    /// It can be read and not written.
    #[error("{} cannot be written: check its permissions, its directory's and the mount", path.display())]
    ReadOnly {
        /// The database.
        path: PathBuf,
    },
    /// There is no space, not even for SQLite's own log.
    #[error("there is no space to open {}: make some and try again", path.display())]
    NoSpace {
        /// The database.
        path: PathBuf,
    },
    /// A later version of this crate has made it.
    #[error(
        "{} has schema {found}, this version knows up to {known}: use a later version of chatrooms-sqlite",
        path.display()
    )]
    NewerSchema {
        /// The database.
        path: PathBuf,
        /// The schema in the file.
        found: i64,
        /// The latest schema known here.
        known: i64,
    },
    /// The operating system says no: no such directory, no descriptors.
    #[error("{} cannot be opened", path.display())]
    Io {
        /// The database.
        path: PathBuf,
        /// What it says.
        #[source]
        source: io::Error,
    },
    /// SQLite says something that has no variant of its own.
    #[error("{} cannot be opened", path.display())]
    Sqlite {
        /// The database.
        path: PathBuf,
        /// What it says.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl OpenError {
    pub(crate) fn from_io(path: PathBuf, source: io::Error) -> Self {
        match source.kind() {
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                Self::ReadOnly { path }
            }
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::NoSpace { path },
            _ => Self::Io { path, source },
        }
    }

    pub(crate) fn from_sqlx(path: PathBuf, error: sqlx::Error) -> Self {
        match Code::of(&error) {
            Some(Code::BUSY | Code::LOCKED) => Self::Locked { path },
            Some(Code::NOTADB) => Self::NotADatabase { path },
            Some(Code::CORRUPT) => Self::Corrupt { path, what: error.to_string() },
            Some(Code::READONLY) => Self::ReadOnly { path },
            Some(Code::FULL) => Self::NoSpace { path },
            _ if Code::extended(&error) == Some(Code::IOERR_SHMSIZE) => Self::NoSpace { path },
            _ => Self::Sqlite { path, source: error.into() },
        }
    }
}

/// SQLite's result codes, as far as they are told apart here: the primary ones and one of the extended.
pub(crate) struct Code;

impl Code {
    pub(crate) const ERROR: i32 = 1;
    pub(crate) const BUSY: i32 = 5;
    pub(crate) const LOCKED: i32 = 6;
    pub(crate) const READONLY: i32 = 8;
    pub(crate) const IOERR: i32 = 10;
    pub(crate) const CORRUPT: i32 = 11;
    pub(crate) const FULL: i32 = 13;
    pub(crate) const TOOBIG: i32 = 18;
    pub(crate) const CONSTRAINT: i32 = 19;
    pub(crate) const MISMATCH: i32 = 20;
    pub(crate) const NOTADB: i32 = 26;

    /// The memory that connections share cannot grow.
    const IOERR_SHMSIZE: i32 = 4874;

    /// The primary code of an error that comes from SQLite itself.
    pub(crate) fn of(error: &sqlx::Error) -> Option<i32> {
        Some(Self::extended(error)? & 0xff)
    }

    fn extended(error: &sqlx::Error) -> Option<i32> {
        error.as_database_error()?.code()?.parse().ok()
    }
}

/// Whether another connection has the lock that was asked for.
pub(crate) fn is_busy(error: &sqlx::Error) -> bool {
    matches!(Code::of(error), Some(Code::BUSY | Code::LOCKED))
}

/// Whether a statement failed for what it was to write, and any other would have passed.
pub(crate) fn is_refusal(error: &sqlx::Error) -> bool {
    matches!(Code::of(error), Some(Code::CONSTRAINT | Code::TOOBIG | Code::MISMATCH))
}

/// Whether a new connection may do better: this one's thread has died, or what it remembers of the file may be wrong.
pub(crate) fn is_of_the_connection(error: &sqlx::Error) -> bool {
    matches!(error, sqlx::Error::WorkerCrashed)
        || matches!(Code::of(error), Some(Code::IOERR | Code::CORRUPT | Code::NOTADB))
}

/// Whether a `COMMIT` that failed like this has certainly left nothing in the file, once it is rolled back.
///
/// Everything else, above all an I/O error, may have left a whole transaction in the log for a recovery to find.
pub(crate) fn is_certainly_undone(error: &sqlx::Error) -> bool {
    is_busy(error)
        || is_refusal(error)
        || matches!(Code::of(error), Some(Code::FULL | Code::READONLY | Code::ERROR))
}

/// What waited has not begun in time, and will not.
pub(crate) fn late() -> StoreError {
    StoreError::unavailable(NAME, "the deadline has passed")
}

/// The store is gone, and so is whatever waited for it.
pub(crate) fn ended() -> StoreError {
    StoreError::unavailable(NAME, "the store has been shut down")
}

/// An error of SQLite that has left nothing behind.
pub(crate) fn unavailable(error: sqlx::Error) -> StoreError {
    StoreError::unavailable(NAME, error)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn an_open_error_says_what_to_do() {
        let path = Path::new("/srv/chat.db").to_owned();
        let shown = OpenError::InUse { path: path.clone(), pid: Some(7) }.to_string();
        assert_eq!(
            shown,
            "/srv/chat.db is in use by process 7: stop that one first or choose another file"
        );
        let shown = OpenError::InUse { path: path.clone(), pid: None }.to_string();
        assert!(shown.contains("another process"), "{shown}");
        let refused = io::Error::from(io::ErrorKind::ReadOnlyFilesystem);
        assert!(matches!(OpenError::from_io(path.clone(), refused), OpenError::ReadOnly { .. }));
        let missing = io::Error::from(io::ErrorKind::NotFound);
        assert!(matches!(OpenError::from_io(path, missing), OpenError::Io { .. }));
    }

    #[test]
    fn only_what_sqlite_undoes_for_certain_is_called_undone() {
        assert!(!is_certainly_undone(&sqlx::Error::WorkerCrashed));
        assert!(!is_certainly_undone(&sqlx::Error::Io(io::ErrorKind::Other.into())));
    }
}
