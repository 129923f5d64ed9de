//! Where messages are kept, and the application's own things beside them.

use std::{io, path::Path, sync::Arc};

use chatrooms::{MemoryStore, MessageStore, sqlite::SqliteStore};
use cookie::Key;

use crate::{
    clock::Clock,
    creator::Creators,
    failure::Failure,
    ledger::Ledger,
    names::Names,
    options::{Options, StoreChoice},
    reasons::reasons,
    secret,
};

/// What was opened.
pub(crate) struct Kept {
    pub(crate) messages: Arc<dyn MessageStore>,
    pub(crate) names: Names,
    pub(crate) key: Key,
    /// Where other things are written down that are to outlive the process.
    pub(crate) ledger: Option<Arc<Ledger>>,
}

/// Opens the store of the operator's choice.
pub(crate) async fn open(options: &Options) -> Result<Kept, Failure> {
    let given = options.secret.as_deref().map(secret::given).transpose()?;
    let most_of_address = options.names_per_address;
    match &options.store {
        StoreChoice::Memory => in_memory(Arc::new(MemoryStore::default()), given, most_of_address),
        StoreChoice::SqliteInMemory => {
            let store =
                SqliteStore::in_memory().await.map_err(|error| Failure::new(reasons(&error)))?;
            in_memory(Arc::new(store), given, most_of_address)
        }
        StoreChoice::Sqlite(path) => in_file(path, given, most_of_address).await,
    }
}

/// Who opened the rooms that outlive the process, where any do.
pub(crate) async fn creators(kept: &Kept, linger: u64) -> Result<Creators, Failure> {
    let Some(ledger) = kept.ledger.as_ref().filter(|_| linger > 0) else {
        return Ok(Creators::default());
    };
    let earlier = kept.messages.abandoned().await;
    let earlier = earlier.map_err(|error| Failure::new(reasons(&error)))?;
    let known = Creators::kept_in(Arc::clone(ledger), earlier).await;
    known.map_err(|error| Failure::because("who opened the rooms cannot be read", &error))
}

fn in_memory(
    messages: Arc<dyn MessageStore>,
    given: Option<Key>,
    most_of_address: usize,
) -> Result<Kept, Failure> {
    let key = given.map_or_else(secret::of_this_process, Ok)?;
    let names = Names::of_this_process(Clock::start(), most_of_address);
    Ok(Kept { messages, names, key, ledger: None })
}

async fn in_file(path: &Path, given: Option<Key>, most_of_address: usize) -> Result<Kept, Failure> {
    // The store first: it takes the lock that keeps other processes away.
    let store = SqliteStore::open(path).await.map_err(|error| Failure::new(reasons(&error)))?;
    close_to_others(path).map_err(|error| Failure::because(shown(path), &error))?;
    let unusable = |error| Failure::because(shown(path), &error);
    let ledger = Ledger::open(path).await.map_err(unusable)?;
    let ledger = Arc::new(ledger.holding(store.hold_file()));
    let key = match given {
        Some(key) => key,
        None => secret::kept_in(&ledger).await?,
    };
    let names = Names::kept_in(Arc::clone(&ledger), Clock::start(), most_of_address).await;
    let names = names.map_err(unusable)?;
    Ok(Kept { messages: Arc::new(store), names, key, ledger: Some(ledger) })
}

fn shown(path: &Path) -> String {
    format!("{} cannot be used", path.display())
}

/// A file that was there before may be open to others, and is about to hold the key.
#[cfg(unix)]
fn close_to_others(path: &Path) -> io::Result<()> {
    use std::{fs, os::unix::fs::PermissionsExt as _};

    for end in ["", "-wal", "-shm"] {
        let mut file = path.as_os_str().to_owned();
        file.push(end);
        match fs::metadata(&file) {
            Ok(found) if found.permissions().mode() & 0o077 != 0 => {
                fs::set_permissions(&file, fs::Permissions::from_mode(0o600))?;
            }
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

#[cfg(not(unix))]
fn close_to_others(_: &Path) -> io::Result<()> {
    Ok(())
}
