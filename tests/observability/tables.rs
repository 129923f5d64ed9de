//! The tables of the page.

use std::collections::BTreeMap;

const PAGE: &str = include_str!("../../docs/observability.md");

/// What the page says of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Event {
    pub(crate) level: String,
    pub(crate) target: String,
    pub(crate) fields: Vec<String>,
}

/// What the page says of a metric: its kind, and its label with the values it has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Metric {
    pub(crate) kind: String,
    pub(crate) label: Option<(String, Vec<String>)>,
}

/// The events, by name.
pub(crate) fn events() -> BTreeMap<String, Event> {
    let event = |row: Vec<&str>| {
        let [name, level, target, fields, _] = row[..] else { panic!("{row:?}") };
        let (level, target) = (level.to_owned(), only(quoted(target)));
        (only(quoted(name)), Event { level, target, fields: quoted(fields) })
    };
    rows("| event | level |").map(event).collect()
}

/// The metrics, by name.
pub(crate) fn metrics() -> BTreeMap<String, Metric> {
    let metric = |row: Vec<&str>| {
        let [name, kind, labels, meaning, healthy] = row[..] else { panic!("{row:?}") };
        assert!(!meaning.is_empty() && !healthy.is_empty(), "{row:?}");
        let label = labels.split_once(':').map(|(label, values)| {
            let values = match values.trim() {
                "as above" => values_of("chatrooms_store_seconds"),
                "the codes of the protocol; `x` for all of a host's own" => codes(),
                values => quoted(values),
            };
            (only(quoted(label)), values)
        });
        (only(quoted(name)), Metric { kind: kind.to_owned(), label })
    };
    rows("| metric | kind |").map(metric).collect()
}

fn values_of(name: &str) -> Vec<String> {
    let row = rows("| metric | kind |").find(|row| row[0].contains(name)).expect("its row");
    quoted(row[2]).split_off(1)
}

/// The codes of the protocol's page, and the one for all others.
fn codes() -> Vec<String> {
    let page = include_str!("../../docs/PROTOCOL.md");
    let rows = rows_of(page, "| code | what it says |");
    let codes = rows.flat_map(|row| quoted(row[0]));
    codes.chain(["x".to_owned()]).collect()
}

fn rows(head: &str) -> impl Iterator<Item = Vec<&'static str>> {
    rows_of(PAGE, head)
}

/// The rows of a table, cell by cell.
fn rows_of<'a>(page: &'a str, head: &str) -> impl Iterator<Item = Vec<&'a str>> {
    let (_, table) = page.split_once(head).expect("the table");
    let rows = table.lines().skip(2).take_while(|line| line.starts_with('|'));
    rows.map(|row| row.trim_matches('|').split('|').map(str::trim).collect())
}

/// What stands between backquotes.
fn quoted(text: &str) -> Vec<String> {
    text.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

#[track_caller]
fn only(mut words: Vec<String>) -> String {
    assert_eq!(words.len(), 1, "{words:?}");
    words.remove(0)
}
