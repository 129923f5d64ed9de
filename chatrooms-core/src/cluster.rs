//! Many nodes, the same rooms: the contract between this crate and what nodes share.

mod bell;
mod error;
mod log;
mod order;
mod people;
mod store;

use std::{fmt, time::Duration};

use async_trait::async_trait;
use tokio::time::Instant;

use crate::{
    Appended, Budget, Draft, Life, Page, Redaction, Removal, RoomName, RoomRules, RoomSummary,
    StoreError, UserName,
};

pub use bell::{Bell, Passing, Ringer};
pub use error::ClusterError;
pub use log::{Edge, EdgeKind, Known, News, Note, People};
pub use order::{Order, OrderId};
pub use people::{Connected, ConnectionId, Entered, Entry, Exited, Followed};
pub(crate) use store::ClusterStore;

/// What several processes, the *nodes*, share so that a room is the same one on all of them: who is in it, what was said, in which order.
///
/// A room's life has **two sequences**, both dense from 1 on: messages by their `seq`, and *edges* by their number: somebody's connection entered, went or was made to go, a
/// message was taken back. Who reads all edges from the beginning knows exactly who is in the room; each edge says after which message it stands. A node is a reader of both with a
/// place in each, a [`Known`]. That place is the whole of what it has to remember.
///
/// # Contract
/// 1. **One step.** [`enter`](Self::enter), [`exit`](Self::exit), [`append`](Self::append), [`redact`](Self::redact), [`remove`](Self::remove), [`close`](Self::close) and
///    [`impose`](Self::impose) each happen as a whole or not at all, and all of one room in one order, whichever nodes they come from.
/// 2. **A life begins with an entry and ends with the last exit.** `enter` says once in a life that it began; the call that ended a life is told so, and no other one. From that moment on nothing
///    of it is kept anywhere, and nothing that comes late reaches the next life of the name: it is answered [`ClusterError::Over`] or [`StoreError::Closed`].
/// 3. **A connection is there once.** Entering with the same [`ConnectionId`] again changes nothing and is answered as it was the first time; exiting again is no error. So whoever does not know
///    what has become of a call repeats it.
/// 4. **One cut.** What [`Entered::news`] says is the room as it was right after that entry: all edges and messages up to there that the caller does not know, or where the caller knew nothing, who is there
///    and the newest messages. So is each [`news`](Self::news), and what is [followed](Self::follow), as of one moment.
/// 5. **Messages are those of a [`MessageStore`](crate::MessageStore#contract)**: promises 2 to 5 and 8 to 10 of its contract hold for all nodes together.
/// 6. **Who is banned does not enter**, whichever node imposed that: `enter` knows what has been imposed before it. A room takes no more connections than its rules say, on all nodes together.
/// 7. **A bell is a hint.** After each step of a room its bells ring, most of the time, once or several times. Nothing depends on it but how soon a node reads the news.
/// 8. **The dead leave.** A node that has stopped for longer than its lease goes: all of its connections exit, by edges like any other ones, and rooms that became empty by that end or
///    linger. As long as the cluster cannot be reached by the others nobody is declared dead, and neither after a clock has jumped.
/// 9. **Whoever was declared dead never writes again as who they were.** What such a node does in a room that it had [listened](Self::listen) to before is answered by [`ClusterError::Fenced`], until it listens
///    anew.
/// 10. **An error means what it says.** [`Unavailable`](ClusterError::Unavailable): nothing has happened and nothing will. [`OutcomeUnknown`](ClusterError::OutcomeUnknown): it may have, or may still. Every call answers within a time
///     that the implementation names; one that cannot reach the others answers at once.
/// 11. **What is lost is never mixed.** Where the cluster has lost what a node knows already, such as after a restart without its data, that node is told [`Over`](ClusterError::Over) or [`Lost`](ClusterError::Lost) for that life, and
///     the next life of the name has another epoch.
///
/// # What is not here
/// Nothing about sessions, sockets and what people are told: that is each node's own.
#[async_trait]
pub trait Cluster: fmt::Debug + Send + Sync + 'static {
    /// Has this node take part in a room, before it enters anybody there. Dropping the bell lets go of the room: the node must have nobody in it any more by then.
    ///
    /// # Errors
    /// [`ClusterError::Unavailable`], [`ClusterError::OutcomeUnknown`].
    async fn listen(&self, room: &RoomName) -> Result<Bell, ClusterError>;

    /// Lets a connection in; begins a life of the room where there is none. The news are those after `known`, or where nothing is known, all people and the newest messages within `recent`.
    ///
    /// # Errors
    /// [`ClusterError::Over`] where `known` is of a life that is over, [`ClusterError::Banned`], [`ClusterError::Full`]: then nothing has changed. [`ClusterError::Fenced`], [`ClusterError::Lost`] where `known` is ahead of what the cluster has;
    /// else as promise 10 says.
    async fn enter(
        &self,
        room: &RoomName,
        entry: &Entry,
        rules: &RoomRules,
        known: Option<&Known>,
        recent: Budget,
    ) -> Result<Entered, ClusterError>;

    /// Takes a connection out of whichever life it is in. Where it was the last one the life ends, or where it was `lost` and the rules of the room say so, lingers: until somebody enters, or until [`expire`](Self::expire).
    ///
    /// # Errors
    /// As promise 10 says. A connection that is not there is none: [`Exited::Gone`].
    async fn exit(
        &self,
        room: &RoomName,
        connection: ConnectionId,
        lost: bool,
    ) -> Result<Exited, ClusterError>;

    /// The same for somebody who is to be told first what happened before: the news are those after `known`, up to their exit, in one step with it. Where there is more of them than fits within `budget` nobody exits, and
    /// it is to be asked again from there. So it is by whoever does not know what has become of a call: where that exit has been, it is among the news.
    ///
    /// # Errors
    /// [`ClusterError::Over`], [`ClusterError::Lost`], else as promise 10 says.
    async fn take_leave(
        &self,
        room: &RoomName,
        connection: ConnectionId,
        known: &Known,
        budget: Budget,
    ) -> Result<(News, Option<Exited>), ClusterError>;

    /// Ends a life that lingers, where nobody has come back to it; says whether this call ended it.
    ///
    /// # Errors
    /// As promise 10 says.
    async fn expire(&self, life: &Life) -> Result<bool, ClusterError>;

    /// How a room stands for a node that knows nothing of it: what an entry would be told, without anybody entering. It changes nothing, in no respect; `None` where there is no life. From there on
    /// the node reads the [news](Self::news), of a room that it [listens](Self::listen) to.
    ///
    /// # Errors
    /// [`ClusterError::Unavailable`].
    async fn follow(
        &self,
        room: &RoomName,
        recent: Budget,
    ) -> Result<Option<Followed>, ClusterError>;

    /// What has happened since `known`.
    ///
    /// # Errors
    /// [`ClusterError::Over`], [`ClusterError::Lost`], [`ClusterError::Unavailable`].
    async fn news(
        &self,
        room: &RoomName,
        known: &Known,
        budget: Budget,
    ) -> Result<News, ClusterError>;

    /// As [`MessageStore::append`](crate::MessageStore::append). A node that was declared dead is answered by [`StoreError::Closed`].
    async fn append(
        &self,
        life: &Life,
        drafts: Vec<Draft>,
        deadline: Instant,
    ) -> Vec<Result<Appended, StoreError>>;

    /// As [`MessageStore::read_before`](crate::MessageStore::read_before).
    ///
    /// # Errors
    /// [`StoreError::Closed`], [`StoreError::Unavailable`].
    async fn read_before(
        &self,
        life: &Life,
        before: Option<u64>,
        budget: Budget,
    ) -> Result<Page, StoreError>;

    /// As [`MessageStore::read_after`](crate::MessageStore::read_after).
    ///
    /// # Errors
    /// [`StoreError::Closed`], [`StoreError::Unavailable`].
    async fn read_after(&self, life: &Life, after: u64, budget: Budget)
    -> Result<Page, StoreError>;

    /// Takes a message back, on behalf of `by` or the host itself; with `author`, only where that user wrote it. What was done now is an edge.
    ///
    /// # Errors
    /// As of [`append`](Self::append).
    async fn redact(
        &self,
        life: &Life,
        seq: u64,
        author: Option<&UserName>,
        by: Option<&UserName>,
    ) -> Result<Redaction, StoreError>;

    /// As [`MessageStore::trim`](crate::MessageStore::trim).
    ///
    /// # Errors
    /// [`StoreError::Closed`], [`StoreError::Unavailable`].
    async fn trim(&self, life: &Life, up_to: u64) -> Result<(), StoreError>;

    /// Passes something on to whoever is in a life on other nodes, where they hear it by their [bells](Bell::passed). It is never kept: what does not arrive is lost.
    ///
    /// # Errors
    /// As promise 10 says.
    async fn pass(&self, life: &Life, passing: &Passing) -> Result<(), ClusterError>;

    /// Replaces what is imposed on people in a life, where it is still what the caller knows: the newest note, with the revision that it has now, comes back; where that is not the one
    /// that was given, somebody else was faster, and the caller makes its change to theirs.
    ///
    /// # Errors
    /// [`ClusterError::Over`], [`ClusterError::Fenced`], else as promise 10 says.
    async fn impose(&self, life: &Life, note: &Note) -> Result<Note, ClusterError>;

    /// Makes all connections of a user go, wherever they are; says how many. They are in nobody's list any more from then on, and the life lasts until their nodes have [taken them out](Self::exit).
    ///
    /// # Errors
    /// [`ClusterError::Over`], [`ClusterError::Fenced`], else as promise 10 says.
    async fn remove(
        &self,
        life: &Life,
        user: &UserName,
        code: Removal,
        reason: Option<&str>,
    ) -> Result<usize, ClusterError>;

    /// Ends a life, whoever is in it; says how many connections that were. Their nodes find it [over](ClusterError::Over); the [bell](Bell::farewell) says why, where it rings.
    ///
    /// # Errors
    /// [`ClusterError::Over`], else as promise 10 says.
    async fn close(&self, life: &Life, reason: Option<&str>) -> Result<usize, ClusterError>;

    /// The room as it stands; `None` where nobody is in it.
    ///
    /// # Errors
    /// [`ClusterError::Unavailable`].
    async fn room(&self, room: &RoomName) -> Result<Option<RoomSummary>, ClusterError>;

    /// The rooms where somebody is, by name, after a name; and whether there are more.
    ///
    /// # Errors
    /// [`ClusterError::Unavailable`].
    async fn rooms(
        &self,
        after: Option<&RoomName>,
        limit: usize,
    ) -> Result<(Vec<RoomSummary>, bool), ClusterError>;

    /// Takes a name for its holder for so long, or keeps it; says who has it: the `holder`, unless somebody else was there before. What names and holders are is the host's.
    ///
    /// # Errors
    /// As promise 10 says.
    async fn claim(&self, name: &str, holder: &str, time: Duration)
    -> Result<String, ClusterError>;

    /// Who has a name that was [claimed](Self::claim), where anybody has it.
    ///
    /// # Errors
    /// [`ClusterError::Unavailable`].
    async fn holder(&self, name: &str) -> Result<Option<String>, ClusterError>;

    /// Gives a name back, where this holder has it; says whether that was so.
    ///
    /// # Errors
    /// As promise 10 says.
    async fn release(&self, name: &str, holder: &str) -> Result<bool, ClusterError>;

    /// Says something to all other nodes about a user, in whatever rooms they are. Those that take part in the cluster at that moment are who is to [obey](Self::obey) it.
    ///
    /// # Errors
    /// As promise 10 says.
    async fn order(&self, order: &Order) -> Result<OrderId, ClusterError>;

    /// What another node has said next, since this one joined. What was said while this node was cut off comes afterwards, where that was not for longer than the
    /// implementation keeps it; with a repeated call of [`order`](Self::order) it may come twice. `None` once the cluster was [left](Self::leave).
    ///
    /// # Cancel safety
    /// Nothing is lost by dropping it.
    async fn ordered(&self) -> Option<(OrderId, Order)>;

    /// Says that this node has done what another one has [ordered](Self::ordered), and to how many sessions. Saying so again changes nothing.
    ///
    /// # Errors
    /// As promise 10 says.
    async fn obey(&self, order: &OrderId, sessions: usize) -> Result<(), ClusterError>;

    /// To how many sessions of other nodes an order of this node was done; `None` while one of those that are to [obey](Self::obey) it has not said so. Nothing is waited for from
    /// one that has gone, once its connections have exited.
    ///
    /// # Errors
    /// [`ClusterError::Unavailable`]; [`ClusterError::Lost`] where the cluster knows nothing of that order any more.
    async fn obeyed(&self, order: &OrderId) -> Result<Option<usize>, ClusterError>;

    /// The next life that ended because a node had died, or that lingers since and is to be expired: the end of each is told once in the cluster, a linger at least once. `None` once the cluster was [left](Self::leave).
    ///
    /// # Cancel safety
    /// Nothing is lost by dropping it.
    async fn bereaved(&self) -> Option<(Life, Exited)>;

    /// Leaves in an orderly way: the others need not wait for this node's lease. Connections that are still there exit as those of a dead node do.
    async fn leave(&self);
}
