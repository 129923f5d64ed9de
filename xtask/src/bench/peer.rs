//! The servers that are measured.

use std::{fs, process::Command};

use super::{target, work};
use crate::{chart, install, step::root};

/// How many messages a room keeps where few are kept.
pub(super) const KEPT: usize = 50;

/// A server, and how it is called on the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Peer {
    Chatrooms,
    /// Which keeps few messages, so that rooms are full soon.
    ChatroomsKeepingFew,
    ChatroomsWarp,
    ChatroomsSqlite,
    ChatroomsSqliteFile,
    Floor,
    FloorBatch,
    AxumBroadcast,
    UWebSockets,
}

impl Peer {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Chatrooms | Self::ChatroomsKeepingFew => "chatrooms",
            Self::ChatroomsWarp => "chatrooms in warp",
            Self::ChatroomsSqlite => "chatrooms, SQLite in memory",
            Self::ChatroomsSqliteFile => "chatrooms, SQLite in a file",
            Self::Floor => "floor, a write for each copy",
            Self::FloorBatch => "floor, batched",
            Self::AxumBroadcast => "axum with a broadcast channel",
            Self::UWebSockets => "uWebSockets",
        }
    }

    /// The same in all pictures.
    pub(super) fn colour(self) -> &'static str {
        match self {
            Self::Floor | Self::FloorBatch => chart::ORANGE,
            Self::UWebSockets => chart::GREEN,
            Self::AxumBroadcast => chart::VIOLET,
            _ => chart::BLUE,
        }
    }

    pub(super) fn command(self, port: u16) -> Command {
        let release = target().join("release");
        let built = |name: &str| Command::new(release.join(name));
        let port = port.to_string();
        let mut command = match self {
            Self::Floor | Self::FloorBatch => built("floor"),
            Self::AxumBroadcast => built("axum_broadcast"),
            Self::UWebSockets => Command::new(root().join(install::UWEBSOCKETS)),
            _ => built("examples/bench_server"),
        };
        match self {
            Self::Floor => command.args(["plain", &port]),
            Self::FloorBatch => command.args(["batch", &port]),
            Self::AxumBroadcast => command.arg(port),
            Self::UWebSockets => {
                command.arg(root().join("benches/peers/socketify/serve.py")).arg(port)
            }
            _ => command.args(["--addr", &format!("127.0.0.1:{port}")]).args(self.chatrooms()),
        };
        command
    }

    fn chatrooms(self) -> Vec<String> {
        let (store, adapter) = match self {
            Self::ChatroomsSqlite => ("sqlite::memory:".to_owned(), "axum"),
            Self::ChatroomsSqliteFile => (new_file(), "axum"),
            Self::ChatroomsWarp => ("memory".to_owned(), "warp"),
            _ => ("memory".to_owned(), "axum"),
        };
        let kept = KEPT.to_string();
        let mut arguments = vec!["--store", &store, "--adapter", adapter];
        if self == Self::ChatroomsKeepingFew {
            arguments.extend(["--keep", &kept]);
        }
        arguments.into_iter().map(str::to_owned).collect()
    }

    /// The file that says how to talk to it.
    pub(super) fn profile(self) -> &'static str {
        if self.is_ours() { "chatrooms.json" } else { "plain.json" }
    }

    /// Whether it promises that nothing is lost, doubled or reordered.
    pub(super) fn is_ours(self) -> bool {
        matches!(
            self,
            Self::Chatrooms
                | Self::ChatroomsKeepingFew
                | Self::ChatroomsWarp
                | Self::ChatroomsSqlite
                | Self::ChatroomsSqliteFile
        )
    }

    /// Why it cannot be measured here.
    pub(super) fn missing(self) -> Option<&'static str> {
        let is_missing = self == Self::UWebSockets && !install::has_uwebsockets();
        is_missing.then_some("could not be installed here")
    }
}

/// SQLite in a file of its own: what an earlier run left is gone.
fn new_file() -> String {
    let file = work().join("bench.db").to_string_lossy().into_owned();
    for end in ["", "-wal", "-shm", ".lock"] {
        // Most of the time it is not there.
        let _ = fs::remove_file(format!("{file}{end}"));
    }
    format!("sqlite:{file}")
}
