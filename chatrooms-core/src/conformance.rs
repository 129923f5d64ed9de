//! What every [`MessageStore`](crate::MessageStore) has to pass: one function for each promise of its
//! [contract](crate::MessageStore#contract), of the same name.
//!
//! Behind the feature `conformance`, for the tests of those who write a store. Each function takes an empty store and panics where
//! the promise is broken; [`conformance_tests!`](crate::conformance_tests) makes a test of each of them:
//!
//! ```
//! mod conformance {
//!     // What the store keeps ends with its process. Each test starts a store of its own.
//!     chatrooms_core::conformance_tests!(forgetful, async || chatrooms_core::MemoryStore::new());
//! }
//! ```
//!
//! A store that outlives its process says `lasting`. Then the closure stands for a process that starts, as often as it is called, and finds
//! what the one before it has left; what it needs for that belongs to the closure, which lives as long as its test:
//!
//! ```
//! # mod my_store {
//! #     use std::path::Path;
//! #     pub async fn open(_: &Path) -> std::io::Result<chatrooms_core::MemoryStore> { Ok(Default::default()) }
//! # }
//! mod conformance {
//!     chatrooms_core::conformance_tests!(lasting, {
//!         let dir = tempfile::tempdir().unwrap();
//!         async move || super::my_store::open(dir.path()).await.unwrap()
//!     });
//! }
//! ```
//!
//! The tests are `#[tokio::test]`: the crate that runs them needs `tokio` with the features `macros` and `rt`.

mod appending;
mod changing;
mod kit;
mod lives;
mod noting;
mod reading;
mod restart;

pub use appending::{
    a_nonce_is_stored_once, accepted_means_kept, an_error_means_what_it_says,
    one_draft_never_fails_another, the_order_is_dense,
};
pub use changing::{a_redacted_message_says_nothing, trimming_takes_the_oldest};
pub use lives::{a_closed_life_stays_closed, a_life_starts_empty, lives_never_mix};
pub use noting::a_note_goes_with_its_life;
pub use reading::pages_are_gap_free;
pub use restart::{an_earlier_process_leaves_nothing, the_lives_of_an_earlier_process_are_listed};

/// Makes a test of each promise of the contract of stores, named like the promise; see [`conformance`](crate::conformance).
///
/// The first argument is `lasting` for a store that outlives its process and `forgetful` for one that does not. The second is evaluated
/// in each test, to an `async` closure that starts the store.
#[macro_export]
macro_rules! conformance_tests {
    (lasting, $process:expr) => {
        $crate::conformance_tests!(@promises $process);

        #[::tokio::test]
        async fn the_lives_of_an_earlier_process_are_listed() {
            $crate::conformance::the_lives_of_an_earlier_process_are_listed($process).await;
        }
    };
    (forgetful, $process:expr) => {
        $crate::conformance_tests!(@promises $process);

        #[::tokio::test]
        async fn an_earlier_process_leaves_nothing() {
            $crate::conformance::an_earlier_process_leaves_nothing($process).await;
        }
    };
    (@promises $process:expr) => {
        $crate::conformance_tests!(@each $process;
            a_life_starts_empty
            the_order_is_dense
            accepted_means_kept
            a_nonce_is_stored_once
            one_draft_never_fails_another
            lives_never_mix
            a_closed_life_stays_closed
            pages_are_gap_free
            a_redacted_message_says_nothing
            trimming_takes_the_oldest
            an_error_means_what_it_says
            a_note_goes_with_its_life
        );
    };
    (@each $process:expr; $($promise:ident)*) => {
        $(
            #[::tokio::test]
            async fn $promise() {
                let start = $process;
                $crate::conformance::$promise(&start().await).await;
            }
        )*
    };
}

#[cfg(test)]
mod memory {
    mod plain {
        crate::conformance_tests!(forgetful, async || crate::MemoryStore::new());
    }

    mod shared {
        use std::sync::Arc;

        use crate::{MemoryStore, MessageStore};

        crate::conformance_tests!(forgetful, async || {
            Arc::new(MemoryStore::new()) as Arc<dyn MessageStore>
        });
    }
}
