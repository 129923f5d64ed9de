//! What somebody asks for who joins, and what they get.

use crate::{Data, Epoch, Member, Message, sync::Arc};

/// What somebody wants who joins.
#[derive(Clone, Debug, Default)]
pub struct Join {
    /// Where the client was: the life and the newest message it has.
    pub resume: Option<(Epoch, u64)>,
    /// How many recent messages are wanted at most; `None` is [`Config::DEFAULT_HISTORY`](crate::Config::DEFAULT_HISTORY).
    pub history: Option<usize>,
    /// What this connection says about itself; at most [`Config::meta_bytes`](crate::Config::meta_bytes).
    pub meta: Option<Data>,
    /// Comes back in [`Joined::tag`].
    pub tag: Option<u64>,
}

/// The state of a room at the moment of a join: what follows are the changes from here, without a gap.
#[derive(Clone, Debug)]
pub struct Joined {
    /// The mark that the join carried, such as the number of a client's request.
    pub tag: Option<u64>,
    /// Which life of the room this is.
    pub epoch: Epoch,
    /// The newest message's number; 0 where there is none.
    pub seq: u64,
    /// Whether `messages` continue exactly where the client was. Not over a restart of the process where older messages have been trimmed: nobody knows any
    /// more whether one of them was taken back meanwhile.
    pub resumed: bool,
    /// Whether nobody was in the room before.
    pub first_in_room: bool,
    /// Whether the user was not in the room before.
    pub first_connection_of_user: bool,
    /// Who is there, by user, oneself included; where `members_more`, the first ones, and oneself in front.
    pub members: Vec<Arc<Member>>,
    /// Whether there are more members than fit into an answer.
    pub members_more: bool,
    /// The newest messages, oldest first.
    pub messages: Vec<Arc<Message>>,
    /// Whether older messages are kept.
    pub more: bool,
    /// When resumed: which messages that the client has were taken back.
    pub redacted: Vec<u64>,
}
