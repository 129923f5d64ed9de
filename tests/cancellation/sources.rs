//! No public future of these crates is forgotten.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::{
    a_handshake_that_is_dropped_opens_nothing_and_keeps_no_place,
    a_socket_for_whom_the_host_knows_is_opened_or_not,
    a_socket_that_is_no_longer_served_has_left_all_rooms,
};

const CRATES: [&str; 3] = ["chatrooms-axum", "chatrooms-warp", "chatrooms-ws"];

/// Every public future of the crates, by its file and its name, and a test that drops it after any poll.
const DROPPED: &[(&str, &str, fn())] = &[
    ("chatrooms-axum/src/lib.rs", "accept", a_socket_for_whom_the_host_knows_is_opened_or_not),
    ("chatrooms-warp/src/lib.rs", "accept", a_socket_for_whom_the_host_knows_is_opened_or_not),
    ("chatrooms-ws/src/endpoint.rs", "accept", a_socket_for_whom_the_host_knows_is_opened_or_not),
    (
        "chatrooms-ws/src/endpoint.rs",
        "handle",
        a_handshake_that_is_dropped_opens_nothing_and_keeps_no_place,
    ),
    ("chatrooms-ws/src/socket.rs", "serve", a_socket_that_is_no_longer_served_has_left_all_rooms),
];

#[test]
fn every_public_future_of_the_wire_is_dropped_after_any_poll_by_a_test() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut futures = Vec::new();
    for name in CRATES {
        for file in sources(&root.join(name).join("src")) {
            let source = fs::read_to_string(&file).unwrap();
            let file = file.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
            futures.extend(futures_of(&source).map(|name| (file.clone(), name.to_owned())));
        }
    }
    futures.sort();
    let dropped = DROPPED.iter().map(|(file, name, _)| ((*file).into(), (*name).into()));
    assert_eq!(futures, dropped.collect::<Vec<(String, String)>>());
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let (folders, files): (Vec<_>, Vec<_>) = entries.partition(|path| path.is_dir());
    let files = files.into_iter().filter(|file| file.extension().is_some_and(|end| end == "rs"));
    files.chain(folders.iter().flat_map(|folder| sources(folder))).collect()
}

/// The public functions of a source that are futures or return one, by their names.
fn futures_of(source: &str) -> impl Iterator<Item = &str> {
    let begins_line = |at: usize| {
        let before = source[..at].trim_end_matches([' ', '\t']);
        before.is_empty() || before.ends_with('\n')
    };
    let public = source.match_indices("pub ").filter(move |(at, _)| begins_line(*at));
    public.filter_map(|(at, public)| {
        let head = source[at + public.len()..].split(['{', ';']).next()?;
        let (kind, head) = head.split_once("fn ")?;
        let is_future = kind == "async " || (kind.is_empty() && head.contains("Future"));
        is_future.then(|| head.split(['(', '<']).next().unwrap_or_default())
    })
}

#[test]
fn what_returns_a_future_is_found_as_well_as_what_is_one() {
    let source = "/// pub async fn told(\npub async fn one<T>(x: T) {}\npub(crate) async fn hidden() {}\n\
        \tpub fn two(\n\t) -> impl Future<Output = ()> {}\npub fn three() -> u8 {}\npub fn four() -> BoxFuture<'static, ()>;";
    assert_eq!(futures_of(source).collect::<Vec<_>>(), ["one", "two", "four"]);
}
