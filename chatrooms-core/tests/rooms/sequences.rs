//! The sequences of the model, on a store in memory that outlasts its processes.

use chatrooms_core::testing::FaultyStore;

use crate::model;

#[test]
fn everybody_is_told_what_the_model_says() {
    model::hold("MemoryStore", 1, || {
        async |before: Option<FaultyStore>| {
            before.map_or_else(FaultyStore::new, |store| store.restart())
        }
    });
}
