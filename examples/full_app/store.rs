//! Where messages are kept, and the application's own things beside them: in this process, in a file, or in a cluster.

use std::{io, path::Path, sync::Arc, time::Duration};

use chatrooms::{
    MemoryStore, MessageStore, RegistryBuilder, RoomRegistry, redis::RedisCluster,
    sqlite::SqliteStore,
};
use cookie::Key;

use crate::{
    clock::Clock,
    creator::Creators,
    directory::Directory,
    failure::Failure,
    ledger::Ledger,
    names::Names,
    options::{Options, StoreChoice},
    reasons::reasons,
    secret,
};

/// What was opened.
pub(crate) struct Kept {
    /// Rooms over it, that are still to be started.
    pub(crate) rooms: RegistryBuilder,
    /// Who opened the rooms.
    pub(crate) creators: Creators,
    pub(crate) names: Names,
    pub(crate) key: Key,
    /// What is shared with other nodes, where anything is.
    pub(crate) cluster: Option<RedisCluster>,
}

/// Opens the store of the operator's choice, or joins the cluster.
pub(crate) async fn open(options: &Options) -> Result<Kept, Failure> {
    let given = options.secret.as_deref().map(secret::given).transpose()?;
    if let Some(url) = &options.cluster {
        return in_cluster(url, options, given).await;
    }
    let most_of_address = options.names_per_address;
    match &options.store {
        StoreChoice::Memory => in_memory(Arc::new(MemoryStore::default()), given, most_of_address),
        StoreChoice::SqliteInMemory => {
            let store =
                SqliteStore::in_memory().await.map_err(|error| Failure::new(reasons(&error)))?;
            in_memory(Arc::new(store), given, most_of_address)
        }
        StoreChoice::Sqlite(path) => in_file(path, given, options).await,
    }
}

async fn in_cluster(url: &str, options: &Options, given: Option<Key>) -> Result<Kept, Failure> {
    let joining = RedisCluster::options().lease(Duration::from_secs(options.lease)).connect(url);
    let cluster = joining.await.map_err(|error| Failure::new(reasons(&error)))?;
    tracing::info!(node = cluster.node(), "one of a cluster");
    let directory = Directory::new(cluster.clone());
    Ok(Kept {
        rooms: RoomRegistry::builder().cluster(cluster.clone()),
        creators: Creators::of_a_cluster(directory.clone()),
        names: Names::of_a_cluster(Clock::start(), options.names_per_address, directory),
        key: given.map_or_else(secret::of_this_process, Ok)?,
        cluster: Some(cluster),
    })
}

fn in_memory(
    messages: Arc<dyn MessageStore>,
    given: Option<Key>,
    most_of_address: usize,
) -> Result<Kept, Failure> {
    let key = given.map_or_else(secret::of_this_process, Ok)?;
    let names = Names::of_this_process(Clock::start(), most_of_address);
    let (rooms, creators) = (RoomRegistry::builder().store(messages), Creators::default());
    Ok(Kept { rooms, creators, names, key, cluster: None })
}

async fn in_file(path: &Path, given: Option<Key>, options: &Options) -> Result<Kept, Failure> {
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
    let most_of_address = options.names_per_address;
    let names = Names::kept_in(Arc::clone(&ledger), Clock::start(), most_of_address).await;
    let names = names.map_err(unusable)?;
    // Without a linger no room outlives the process.
    let creators =
        if options.linger == 0 { Creators::default() } else { creators(ledger, &store).await? };
    Ok(Kept { rooms: RoomRegistry::builder().store(store), creators, names, key, cluster: None })
}

/// Who opened the rooms of the process before this one.
async fn creators(ledger: Arc<Ledger>, messages: &SqliteStore) -> Result<Creators, Failure> {
    let earlier = messages.abandoned().await;
    let earlier = earlier.map_err(|error| Failure::new(reasons(&error)))?;
    let known = Creators::kept_in(ledger, earlier).await;
    known.map_err(|error| Failure::because("who opened the rooms cannot be read", &error))
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
