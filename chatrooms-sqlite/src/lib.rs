//! Messages of chat rooms in SQLite: one writer that commits what has queued in one transaction, purges that leave nothing
//! behind.
//!
//! ```
//! use chatrooms_core::MessageStore;
//! use chatrooms_sqlite::SqliteStore;
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! # let dir = tempfile::tempdir()?;
//! # let path = dir.path().join("chat.db");
//! let store = SqliteStore::open(path).await?;
//! for life in store.abandoned().await? {
//!     println!("{} was left open by an earlier process", life.room);
//! }
//! store.shutdown().await?;
//! # Ok(())
//! # }
//! # tokio::runtime::Runtime::new().unwrap().block_on(example()).unwrap();
//! ```
//!
//! # What it promises
//! Beside the [contract of every store](chatrooms_core::MessageStore#contract):
//!
//! - **One process owns a file.** A second one, or a second store in the same process, gets [`OpenError::InUse`], which
//!   names the path and the owner.
//! - **What is removed is gone.** Within 5 seconds after the end of a life its text is neither in the database nor in its
//!   log, as long as no other program keeps reading from the log: after 3 seconds nobody is waited for any more, and 2 are
//!   for the disk. Freed pages are overwritten; what the disk keeps of overwritten blocks is beyond SQLite. The files
//!   belong to the owner alone (mode 0600).
//! - **A large purge stalls nobody.** Messages go at most 1,000 at a time, between the appends of other rooms.
//! - **A fault passes.** A full or read-only disk, or a lock held by another program, makes writes
//!   [`Unavailable`](chatrooms_core::StoreError::Unavailable) for as long as it lasts. Nothing has to be restarted.
//! - **No file is ever created anew.** A damaged database is an [`OpenError`]; one that is deleted while it is open goes on
//!   under its old inode, and ends with the process.
//!
//! # In tests
//! SQLite works on threads of its own, which Tokio's paused clock does not know: with it, time jumps to the deadline of an append
//! that has only just been sent. Use a running clock here, or the memory store.
//!
//! # What it is not
//! A database for other programs to write to while it is open: they may read, and what they lock has to wait. The host may
//! keep tables of its own in the same file, and [hold it](SqliteStore::hold_file) until it has written the last of them; all of these begin with `chatrooms_`.
#![forbid(unsafe_code)]

mod backfill;
mod batch;
mod builder;
mod checkpoint;
mod connection;
mod error;
mod insert;
mod job;
mod lives;
mod lock;
mod open;
mod prompt;
mod purge;
mod reader;
mod schema;
mod stats;
mod store;
mod writer;

pub use builder::{SqliteStoreBuilder, Synchronous};
pub use error::OpenError;
pub use lock::FileHold;
pub use stats::SqliteStats;
pub use store::SqliteStore;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}
