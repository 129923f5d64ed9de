//! The test kit does what it says.

mod clients;
mod describing;
mod faults;
mod holding;
mod restarting;

use std::{panic::AssertUnwindSafe, time::Duration};

use futures_util::FutureExt as _;
use tokio::time::Instant;

use super::*;
use crate::{Appended, Budget, Draft, Life, MessageStore, StoreError};

const ALL: Budget = Budget { messages: usize::MAX, bytes: usize::MAX };
const SECOND: Duration = Duration::from_secs(1);

/// What a future panics with.
async fn panic_of<T>(future: impl Future<Output = T>) -> String {
    let Err(panic) = AssertUnwindSafe(future).catch_unwind().await else {
        panic!("it should have panicked")
    };
    match panic.downcast::<String>() {
        Ok(message) => *message,
        Err(panic) => (*panic.downcast::<&str>().expect("a panic has a message")).to_owned(),
    }
}

async fn begin(store: &impl MessageStore, name: &str) -> Life {
    store.open(&room(name), None, ALL).await.expect("it can be opened").life
}

async fn append(store: &impl MessageStore, life: &Life) -> Result<Appended, StoreError> {
    let drafts = vec![Draft::new(user("ada"), "hello")];
    store.append(life, drafts, Instant::now() + 60 * SECOND).await.remove(0)
}

/// How many messages a life has in the store underneath, whatever is wrong with the one around it.
async fn stored(store: &FaultyStore, life: &Life) -> usize {
    store.inner().read_after(life, 0, ALL).await.expect("it is open").messages.len()
}
