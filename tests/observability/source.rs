//! The events that the library can emit, as they stand in its source.

use std::fs;
use std::path::{Path, PathBuf};

use crate::tables::Event;

/// Every event in the source of the crates: its name and what it is.
pub(crate) fn events() -> Vec<(String, Event)> {
    sources()
        .iter()
        .flat_map(|source| events_in(&fs::read_to_string(source).expect("a file")))
        .collect()
}

/// The files of the library's own crates.
fn sources() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let crates = ["core", "sqlite", "redis", "ws", "axum", "warp"]
        .map(|name| format!("chatrooms-{name}/src"));
    let mut files = Vec::new();
    for folder in crates.iter().map(|folder| root.join(folder)).chain([root.join("src")]) {
        gather(&folder, &mut files);
    }
    assert!(files.len() > 50, "{files:?}");
    files
}

fn gather(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in
        fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path())
    {
        if entry.is_dir() {
            gather(&entry, files);
        } else if entry.extension().is_some_and(|end| end == "rs") {
            files.push(entry);
        }
    }
}

fn events_in(source: &str) -> Vec<(String, Event)> {
    // The one way to write an event, so that none is overlooked here.
    for other in [
        "use tracing::{debug",
        "use tracing::{info,",
        "use tracing::warn",
        "use tracing::error",
        "tracing::event!",
        "#[instrument",
        "#[tracing::",
    ] {
        assert!(!source.contains(other), "{other}");
    }
    let mut events = Vec::new();
    for level in ["error", "warn", "info", "debug", "trace"] {
        for call in source.split(&format!("tracing::{level}!(")).skip(1) {
            events.push(event(level, &arguments(call)));
        }
    }
    events
}

fn event(level: &str, arguments: &[&str]) -> (String, Event) {
    let given = |what: &str| {
        let stands = arguments.iter().find_map(|argument| argument.strip_prefix(what));
        stands
            .unwrap_or_else(|| panic!("no {what} in {arguments:?}"))
            .trim()
            .trim_matches('"')
            .to_owned()
    };
    let (name, target) = (given("name:"), given("target:"));
    let (message, fields) = arguments[2..].split_last().expect("a message");
    assert!(message.starts_with('"') && !message.contains('{'), "{name}: {message}");
    let fields =
        fields.iter().map(|field| field.split('=').next().unwrap_or_default().trim().to_owned());
    (name, Event { level: level.to_owned(), target, fields: fields.collect() })
}

/// What stands between the brackets of a call, apart.
fn arguments(call: &str) -> Vec<&str> {
    let (mut depth, mut is_quoted, mut begin) = (0, false, 0);
    let mut arguments = Vec::new();
    for (at, character) in call.char_indices() {
        match character {
            '"' => is_quoted = !is_quoted,
            _ if is_quoted => {}
            '(' | '[' | '{' => depth += 1,
            ')' if depth == 0 => {
                arguments.push(call[begin..at].trim());
                break;
            }
            ')' | ']' | '}' => depth -= 1,
            ',' if depth == 0 => {
                arguments.push(call[begin..at].trim());
                begin = at + 1;
            }
            _ => {}
        }
    }
    arguments.retain(|argument| !argument.is_empty());
    arguments
}
