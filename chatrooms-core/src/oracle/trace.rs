//! What everybody did and saw, as it is judged.

use crate::{
    Config, Draft, Epoch, Joined, Member, Members, Message, Page, RoomName, UserName, sync::Arc,
};

/// A run: what every client asked for and was told.
///
/// A [`Recorder`](super::Recorder) makes one while things happen; one that was written down elsewhere can be put together by hand.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Trace {
    /// The clients, in the order in which they came.
    pub clients: Vec<Log>,
    /// Whether everybody who was there and everything that was said, word for word, or signalled is in it. Only then can it be told that nobody said something, or
    /// that nobody was there.
    pub complete: bool,
}

/// What one session asked for and was told, in its own order.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Log {
    /// Who it is; `None` where nobody has said hello yet, and for the host and whoever reads or speaks without being there, such as over HTTP: of a client with a
    /// name it is taken that it is granted only what it may do as a member.
    pub user: Option<UserName>,
    /// When it began, on the clock of [`Step::at`]: it was nowhere before.
    pub began: u64,
    /// Whether its requests went through one socket: they are answered, and its messages kept, in the order in which it asked.
    pub in_order: bool,
    /// What it was promised not to exceed.
    pub bounds: Bounds,
    /// What happened, one after the other.
    pub steps: Vec<Step>,
}

/// Something that happened to a client.
#[derive(Clone, Debug)]
pub struct Step {
    /// When, on one clock of whole numbers for the whole trace: for a request before it was made, for everything else after it has come. Nothing but the order
    /// counts.
    pub at: u64,
    /// How many bytes it took on the wire, where that is known.
    pub bytes: Option<usize>,
    /// What.
    pub what: What,
}

/// What can happen to a client.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum What {
    /// It asks for something. What became of it stays open as long as there is no answer.
    Asked {
        /// Which request this is: a number of the client's own.
        call: u64,
        /// What it asks for.
        request: Request,
    },
    /// It was answered. A join that was granted was [told](Told::Joined) before.
    Answered {
        /// The number of the request.
        call: u64,
        /// What became of it.
        outcome: Outcome,
    },
    /// It has waited for the answer to a request until everything had come to its end, and has had none.
    Unanswered {
        /// The number of the request.
        call: u64,
    },
    /// It was told something.
    Told(Told),
    /// It has taken all that was told to it, and everything that anybody did before has come to its end.
    Settled,
}

/// What a client can ask for.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Request {
    /// To join a room.
    Join {
        /// Which.
        room: RoomName,
        /// The life that it was in and the newest message that it has.
        resume: Option<(Epoch, u64)>,
        /// How many messages it wants at most.
        history: Option<usize>,
    },
    /// To leave a room.
    Leave {
        /// Which.
        room: RoomName,
    },
    /// To say something.
    Send {
        /// Where.
        room: RoomName,
        /// What.
        draft: Draft,
    },
    /// To take a message back.
    Redact {
        /// Where.
        room: RoomName,
        /// Which.
        seq: u64,
    },
    /// To relay something passing.
    Signal {
        /// Where.
        room: RoomName,
    },
    /// Older messages.
    History {
        /// Of which room.
        room: RoomName,
        /// Those before this one; `None` for the newest.
        before: Option<u64>,
        /// How many at most.
        limit: Option<usize>,
    },
    /// The members.
    Members {
        /// Of which room.
        room: RoomName,
        /// Those after this one.
        after: Option<UserName>,
    },
    /// That connections end: a kick, a ban, a logout, the closing of a room or of everything.
    Remove {
        /// Those to this room; `None` for all.
        room: Option<RoomName>,
        /// Those of this user; `None` for all.
        user: Option<UserName>,
    },
    /// To end its own session.
    End,
    /// Anything else.
    Other,
}

/// What became of a request.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Outcome {
    /// It was done.
    Done,
    /// The message was kept.
    Sent {
        /// At this place.
        seq: u64,
        /// It had been kept before, for an earlier request with the same nonce.
        duplicate: bool,
    },
    /// These messages.
    History(Page),
    /// These members, as of this step of what the client is told.
    Members(Members),
    /// It was not done, and will not be.
    Refused {
        /// The code of the wire protocol.
        code: Arc<str>,
    },
    /// It may have been done, or may still be.
    Unknown,
}

/// What a client can be told.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Told {
    /// It has joined.
    Joined {
        /// The request that this grants, where there is one.
        call: Option<u64>,
        /// Where.
        room: RoomName,
        /// How things stand. Who was the first is not told over [one socket](Log::in_order), and not judged there.
        cut: Arc<Joined>,
    },
    /// Somebody said something.
    Message {
        /// Where.
        room: RoomName,
        /// What.
        message: Arc<Message>,
    },
    /// A message was taken back.
    Redacted {
        /// Where.
        room: RoomName,
        /// Which.
        seq: u64,
    },
    /// Users came and went.
    Presence {
        /// Where.
        room: RoomName,
        /// Who is there now.
        joined: Vec<Arc<Member>>,
        /// Who is gone.
        left: Vec<UserName>,
    },
    /// Something passing.
    Signal {
        /// Where.
        room: RoomName,
        /// By whom.
        user: UserName,
    },
    /// It has left, by a request without a number.
    Left {
        /// Which room.
        room: RoomName,
    },
    /// It was taken out.
    Removed {
        /// Of which room.
        room: RoomName,
    },
    /// Its session is about to end.
    Bye {
        /// Why.
        code: Arc<str>,
    },
    /// Its session has ended.
    Ended {
        /// Why, where that is known.
        code: Option<Arc<str>>,
    },
}

/// The bounds of a service, as far as a trace shows whether they hold. The defaults are those of [`Config`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Bounds {
    /// The most messages in one answer.
    pub history: usize,
    /// The most bytes of one answer.
    pub reply_bytes: usize,
    /// The most rooms that a session is in.
    pub rooms_per_session: usize,
    /// How many messages are held ready for joins and resumes.
    pub recent: usize,
    /// How many messages of a room are kept at least.
    pub keep: usize,
    /// Up to so many users are told of everybody who comes and goes.
    pub presence_exact: usize,
    /// Whether emptied rooms may wait for a return.
    pub lingers: bool,
}

impl Default for Bounds {
    fn default() -> Self {
        Self::from(&Config::default())
    }
}

impl From<&Config> for Bounds {
    fn from(config: &Config) -> Self {
        Self {
            history: config.history,
            reply_bytes: config.reply_bytes,
            rooms_per_session: config.rooms_per_session,
            recent: config.recent,
            // A full room forgets an eighth at once.
            keep: config.keep - config.keep / 8,
            presence_exact: config.presence_exact,
            lingers: !config.linger.is_zero(),
        }
    }
}

impl Request {
    /// The room that it is about.
    #[must_use]
    pub const fn room(&self) -> Option<&RoomName> {
        match self {
            Self::Join { room, .. }
            | Self::Leave { room }
            | Self::Send { room, .. }
            | Self::Redact { room, .. }
            | Self::Signal { room }
            | Self::History { room, .. }
            | Self::Members { room, .. } => Some(room),
            Self::Remove { .. } | Self::End | Self::Other => None,
        }
    }

    /// Whether this can be what became of it. What anything else can become is not known.
    pub(super) const fn can_become(&self, outcome: &Outcome) -> bool {
        match (self, outcome) {
            (Self::Other, _)
            | (_, Outcome::Refused { .. } | Outcome::Unknown)
            | (Self::Send { .. }, Outcome::Sent { .. })
            | (Self::History { .. }, Outcome::History(_))
            | (Self::Members { .. }, Outcome::Members(_)) => true,
            (Self::Send { .. } | Self::History { .. } | Self::Members { .. }, _) => false,
            (_, outcome) => matches!(outcome, Outcome::Done),
        }
    }

    /// Whether it is granted only to those who are in the room.
    pub(super) const fn is_a_members(&self) -> bool {
        matches!(
            self,
            Self::Send { .. }
                | Self::Redact { .. }
                | Self::Signal { .. }
                | Self::History { .. }
                | Self::Members { .. }
        )
    }

    /// Whether it is answered in its turn, where a log is [in order](Log::in_order).
    pub(super) const fn has_a_turn(&self) -> bool {
        !matches!(self, Self::History { .. } | Self::Members { .. })
    }
}

impl Told {
    /// The room that it is about.
    #[must_use]
    pub const fn room(&self) -> Option<&RoomName> {
        match self {
            Self::Joined { room, .. }
            | Self::Message { room, .. }
            | Self::Redacted { room, .. }
            | Self::Presence { room, .. }
            | Self::Signal { room, .. }
            | Self::Left { room }
            | Self::Removed { room } => Some(room),
            Self::Bye { .. } | Self::Ended { .. } => None,
        }
    }
}
