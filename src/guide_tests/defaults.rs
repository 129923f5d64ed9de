//! The tables of settings name every setting, and its true default.

use std::{collections::BTreeMap, fmt::Debug};

use crate::{Config, ws::Options};

const LIMITS: &str = include_str!("../../docs/guide/limits.md");
const SECURITY: &str = include_str!("../../SECURITY.md");
const STORES: &str = include_str!("../../docs/guide/stores.md");

/// The settings of a struct as its `Debug` shows them.
fn settings(of: &impl Debug) -> BTreeMap<String, String> {
    let shown = format!("{of:#?}");
    let fields = shown.lines().filter_map(|line| line.strip_prefix("    ")?.split_once(": "));
    fields.map(|(name, value)| (name.to_owned(), value.trim_end_matches(',').to_owned())).collect()
}

/// The rows of the first table after this text: the name, and the default as `Debug` would show it.
fn table(text: &str, after: &str) -> BTreeMap<String, String> {
    let (_, rest) = text.split_once(after).expect("the text before the table");
    let rows = rest.lines().skip_while(|line| !line.starts_with('|')).skip(2);
    let row = |line: &str| {
        let cells: Vec<_> = line.split('|').map(str::trim).collect();
        (cells[1].trim_matches('`').to_owned(), plain(cells[2].trim_matches('`')))
    };
    rows.take_while(|line| line.starts_with('|')).map(row).collect()
}

/// `256 KiB` is 262144, `1,024` is 1024, `25 s` is 25s.
fn plain(value: &str) -> String {
    let value = value.replace(',', "");
    match value.split_once(' ') {
        Some((seconds, "s")) => format!("{:?}", std::time::Duration::from_secs(number(seconds))),
        Some((kib, "KiB")) => (number(kib) * 1024).to_string(),
        Some((mib, "MiB")) => (number(mib) * 1024 * 1024).to_string(),
        _ => value,
    }
}

fn number(text: &str) -> u64 {
    text.parse().unwrap_or_else(|_| panic!("{text} is no number"))
}

#[test]
fn the_table_of_config_is_true() {
    let table = table(LIMITS, "In [`Config`](crate::Config), for rooms:");
    assert_eq!(table, settings(&Config::default()));
}

#[test]
fn the_table_of_options_is_true() {
    let table = table(LIMITS, "In [`Options`](crate::ws::Options), for sockets and HTTP:");
    assert_eq!(table, settings(&Options::default()));
}

#[test]
fn the_table_of_the_sqlite_store_is_true() {
    let mut table = table(STORES, "has what can be chosen:");
    for none in ["path", "max_page_count"] {
        table.insert(none.to_owned(), "None".to_owned());
    }
    assert_eq!(table, settings(&crate::sqlite::SqliteStore::builder()));
}

#[test]
fn the_defaults_in_the_security_policy_are_true() {
    let table = table(SECURITY, "What is bounded by default:");
    let (config, options) = (settings(&Config::default()), settings(&Options::default()));
    for (name, default) in &table {
        let all = match name.split_once("::") {
            Some(("Config", field)) => config.get(field),
            Some(("Options", field)) => options.get(field),
            _ => panic!("{name} is neither of Config nor of Options"),
        };
        assert_eq!(Some(default), all, "{name}");
    }
    assert!(table.len() > 20, "it is a table of many");
}
