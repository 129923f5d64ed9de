//! The table of events: no event without a row, no row without an event.

use std::collections::BTreeMap;

use crate::{source, tables};

#[test]
fn the_table_has_every_event_and_no_other() {
    let mut written = BTreeMap::new();
    for (name, event) in source::events() {
        let before = written.insert(name.clone(), event.clone());
        assert!(before.is_none_or(|before| before == event), "{name} is two different events");
    }
    let told = tables::events();
    for (name, event) in &written {
        assert_eq!(told.get(name), Some(event), "the row of {name}");
    }
    for name in told.keys() {
        assert!(written.contains_key(name), "{name} is in the table and nowhere else");
    }
}
