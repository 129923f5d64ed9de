//! What can happen, and how often.

use proptest::prelude::*;

pub(super) const USERS: [&str; 3] = ["ada", "bob", "eve"];
/// How many connections each of them has.
pub(super) const TABS: usize = 2;
pub(super) const CLIENTS: usize = USERS.len() * TABS;
pub(super) const ROOMS: [&str; 2] = ["lobby", "garden"];
/// The most steps of a sequence.
pub(super) const MOST: usize = 80;

#[derive(Clone, Debug)]
pub(super) struct Plan {
    /// Whether emptied rooms wait for those whose connections were lost.
    pub(super) lingers: bool,
    pub(super) steps: Vec<Step>,
}

#[derive(Clone, Debug)]
pub(super) enum Step {
    Join {
        client: usize,
        at: usize,
        history: Option<usize>,
    },
    Resume {
        client: usize,
        at: usize,
    },
    Leave {
        client: usize,
        at: usize,
    },
    Send {
        client: usize,
        at: usize,
        nonce: Option<u8>,
    },
    /// Says several things, so that rooms get full.
    Talk {
        client: usize,
        at: usize,
        times: usize,
    },
    Redact {
        client: usize,
        at: usize,
        back: u64,
    },
    Signal {
        client: usize,
        at: usize,
    },
    /// Older messages: those before one of the newest, or the newest.
    History {
        client: usize,
        at: usize,
        back: Option<u64>,
        limit: usize,
    },
    Announce {
        at: usize,
    },
    Kick {
        whom: usize,
        at: usize,
    },
    /// Keeps a user out, or silent, for so long or for the life of the room.
    Impose {
        what: Sanction,
        whom: usize,
        at: usize,
        seconds: Option<u64>,
    },
    Lift {
        what: Sanction,
        whom: usize,
        at: usize,
    },
    Close {
        at: usize,
    },
    /// The connection is lost, and the client comes back with a new session.
    Reconnect {
        client: usize,
    },
    Logout {
        whom: usize,
    },
    /// Time goes by.
    Pass {
        seconds: u64,
    },
    /// The process ends, shut down or killed, and another one begins.
    Restart {
        shut_down: bool,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Sanction {
    Ban,
    Mute,
}

pub(super) fn plan() -> impl Strategy<Value = Plan> {
    let steps = prop::collection::vec(step(), 1..MOST);
    (any::<bool>(), steps).prop_map(|(lingers, steps)| Plan { lingers, steps })
}

fn step() -> impl Strategy<Value = Step> {
    let client = || 0..CLIENTS;
    let at = || 0..ROOMS.len();
    let whom = || 0..USERS.len();
    prop_oneof![
        12 => (client(), at(), prop::option::of(0..7_usize))
            .prop_map(|(client, at, history)| Step::Join { client, at, history }),
        8 => (client(), at()).prop_map(|(client, at)| Step::Resume { client, at }),
        6 => (client(), at()).prop_map(|(client, at)| Step::Leave { client, at }),
        16 => (client(), at(), prop::option::weighted(0.3, 0..3_u8))
            .prop_map(|(client, at, nonce)| Step::Send { client, at, nonce }),
        8 => (client(), at(), 2..6_usize)
            .prop_map(|(client, at, times)| Step::Talk { client, at, times }),
        6 => (client(), at(), 0..9_u64)
            .prop_map(|(client, at, back)| Step::Redact { client, at, back }),
        2 => (client(), at()).prop_map(|(client, at)| Step::Signal { client, at }),
        4 => (client(), at(), prop::option::of(0..9_u64), 1..7_usize)
            .prop_map(|(client, at, back, limit)| Step::History { client, at, back, limit }),
        2 => at().prop_map(|at| Step::Announce { at }),
        1 => (whom(), at()).prop_map(|(whom, at)| Step::Kick { whom, at }),
        2 => (sanction(), whom(), at(), prop::option::of(1..60_u64))
            .prop_map(|(what, whom, at, seconds)| Step::Impose { what, whom, at, seconds }),
        1 => (sanction(), whom(), at()).prop_map(|(what, whom, at)| Step::Lift { what, whom, at }),
        1 => at().prop_map(|at| Step::Close { at }),
        4 => client().prop_map(|client| Step::Reconnect { client }),
        1 => whom().prop_map(|whom| Step::Logout { whom }),
        3 => (1..40_u64).prop_map(|seconds| Step::Pass { seconds }),
        3 => any::<bool>().prop_map(|shut_down| Step::Restart { shut_down }),
    ]
}

fn sanction() -> impl Strategy<Value = Sanction> {
    prop_oneof![Just(Sanction::Ban), Just(Sanction::Mute)]
}

/// Who a client is.
pub(super) const fn name(client: usize) -> &'static str {
    USERS[client / TABS]
}
