//! The rows of the table.

use std::fmt;

use self::Goal::{AtLeast, AtMost, KiB};
use super::peer::Peer;

/// What is measured of whom, and beside whom.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) name: &'static str,
    /// What it is, in words.
    pub(super) what: &'static str,
    pub(super) unit: &'static str,
    pub(super) ours: Peer,
    pub(super) other: Option<Peer>,
    pub(super) goal: Goal,
    /// The generator's name of it.
    pub(super) figure: &'static str,
    /// The generator's arguments.
    load: &'static str,
}

/// What is to be reached.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Goal {
    /// By the ratio, at least.
    AtLeast(f64),
    /// By the ratio, at most.
    AtMost(f64),
    /// By the value, at most so many KiB.
    KiB(f64),
}

impl Goal {
    /// Nothing is missed where nothing could be measured.
    pub(super) fn is_missed(self, ratio: Option<f64>, value: Option<f64>) -> bool {
        match self {
            Self::AtLeast(least) => ratio.is_some_and(|ratio| ratio < least),
            Self::AtMost(most) => ratio.is_some_and(|ratio| ratio > most),
            Self::KiB(most) => value.is_some_and(|value| value > most),
        }
    }
}

impl fmt::Display for Goal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AtLeast(least) => write!(f, "≥ {least}"),
            Self::AtMost(most) => write!(f, "≤ {most}"),
            Self::KiB(most) => write!(f, "≤ {most} KiB"),
        }
    }
}

const COPIES: &str = "deliveries_per_cpu_s";
const PER_CPU: &str = "a CPU-second";
const ROOM_100: &str = "--mode fanout --conns 100";
const ROOM_1000: &str = "--mode fanout --conns 1000";
const ROOM_5000: &str = "--mode fanout --conns 5000 --inflight 100";
const ROOMS_OF_10: &str = "--mode fanout --conns 1000 --rooms 100 --senders 1";
const CHURN: &str = "--mode churn --inflight 50 --rooms 10";
const IDLE: &str = "--mode idle --conns 10000 --rooms 100 --inflight 100";
const JOINS: &str = "joins_per_cpu_s";

pub(super) const ALL: [Row; 20] = [
    copies(
        "room-100",
        "copies delivered, a room of 100",
        Peer::FloorBatch,
        AtLeast(0.75),
        ROOM_100,
    ),
    copies(
        "room-1000",
        "copies delivered, a room of 1,000",
        Peer::FloorBatch,
        AtLeast(0.85),
        ROOM_1000,
    ),
    copies(
        "room-5000",
        "copies delivered, a room of 5,000",
        Peer::FloorBatch,
        AtLeast(0.85),
        ROOM_5000,
    ),
    copies(
        "rooms-of-10",
        "copies delivered, 100 rooms of 10",
        Peer::FloorBatch,
        AtLeast(0.8),
        ROOMS_OF_10,
    ),
    Row {
        ours: Peer::ChatroomsSqlite,
        ..copies(
            "sqlite",
            "copies delivered, a room of 1,000",
            Peer::Chatrooms,
            AtLeast(0.85),
            ROOM_1000,
        )
    },
    Row {
        ours: Peer::ChatroomsSqliteFile,
        ..copies(
            "sqlite-file",
            "copies delivered, a room of 1,000",
            Peer::Chatrooms,
            AtLeast(0.85),
            ROOM_1000,
        )
    },
    copies(
        "uws-room-100",
        "copies delivered, a room of 100",
        Peer::UWebSockets,
        AtLeast(1.0),
        ROOM_100,
    ),
    copies(
        "uws-room-1000",
        "copies delivered, a room of 1,000",
        Peer::UWebSockets,
        AtLeast(1.0),
        ROOM_1000,
    ),
    copies(
        "uws-room-5000",
        "copies delivered, a room of 5,000",
        Peer::UWebSockets,
        AtLeast(1.0),
        ROOM_5000,
    ),
    copies(
        "uws-rooms-of-10",
        "copies delivered, 100 rooms of 10",
        Peer::UWebSockets,
        AtLeast(1.0),
        ROOMS_OF_10,
    ),
    Row {
        figure: JOINS,
        ..copies("churn", "joins (connect, join, leave)", Peer::AxumBroadcast, AtLeast(0.8), CHURN)
    },
    Row {
        unit: "KiB",
        figure: "kib_per_conn",
        ..copies(
            "idle",
            "memory of an idle connection, of 10,000",
            Peer::AxumBroadcast,
            KiB(8.0),
            IDLE,
        )
    },
    latency("latency-100", "latency p99, 50 messages/s to 100", "--conns 100 --rate 50"),
    latency("latency-1000", "latency p99, 20 messages/s to 1,000", "--conns 1000 --rate 20"),
    Row {
        ours: Peer::ChatroomsWarp,
        ..copies(
            "warp-room-100",
            "copies delivered, a room of 100",
            Peer::Chatrooms,
            AtLeast(0.85),
            ROOM_100,
        )
    },
    Row {
        ours: Peer::ChatroomsWarp,
        ..copies(
            "warp-room-1000",
            "copies delivered, a room of 1,000",
            Peer::Chatrooms,
            AtLeast(0.85),
            ROOM_1000,
        )
    },
    Row {
        ours: Peer::ChatroomsWarp,
        ..copies(
            "warp-room-5000",
            "copies delivered, a room of 5,000",
            Peer::Chatrooms,
            AtLeast(0.85),
            ROOM_5000,
        )
    },
    Row {
        ours: Peer::ChatroomsWarp,
        ..copies(
            "warp-rooms-of-10",
            "copies delivered, 100 rooms of 10",
            Peer::Chatrooms,
            AtLeast(0.85),
            ROOMS_OF_10,
        )
    },
    Row {
        ours: Peer::ChatroomsWarp,
        figure: JOINS,
        ..copies(
            "warp-churn",
            "joins (connect, join, leave)",
            Peer::Chatrooms,
            AtLeast(0.85),
            CHURN,
        )
    },
    Row {
        ours: Peer::ChatroomsWarp,
        unit: "KiB",
        figure: "kib_per_conn",
        ..copies(
            "warp-idle",
            "memory of an idle connection, of 10,000",
            Peer::Chatrooms,
            AtMost(1.15),
            IDLE,
        )
    },
];

const fn copies(
    name: &'static str,
    what: &'static str,
    other: Peer,
    goal: Goal,
    load: &'static str,
) -> Row {
    let (ours, other) = (Peer::Chatrooms, Some(other));
    Row { name, what, unit: PER_CPU, goal, ours, other, figure: COPIES, load }
}

/// In the open loop, from the time a message was due.
const fn latency(name: &'static str, what: &'static str, load: &'static str) -> Row {
    Row {
        unit: "µs",
        figure: "latency_us.p99",
        ..copies(name, what, Peer::Floor, AtMost(1.3), load)
    }
}

impl Row {
    pub(super) fn arguments(&self) -> Vec<String> {
        self.load.split(' ').map(str::to_owned).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::Goal;

    #[test]
    fn a_goal_is_missed_on_its_own_side() {
        let missed = |goal: Goal, ratio| goal.is_missed(Some(ratio), Some(9.0));
        assert!(missed(Goal::AtLeast(1.0), 0.99) && !missed(Goal::AtLeast(1.0), 1.0));
        assert!(missed(Goal::AtMost(1.3), 1.31) && !missed(Goal::AtMost(1.3), 1.3));
        assert!(missed(Goal::KiB(8.0), 0.1) && !missed(Goal::KiB(9.0), 2.0));
        assert!(!Goal::AtLeast(1.0).is_missed(None, Some(1.0)));
    }
}
