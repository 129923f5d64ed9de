//! Every bound and every time in one place.

use std::time::Duration;

use crate::cost;

/// Bounds and times of a [`RoomRegistry`](crate::RoomRegistry). Nothing is unbounded.
///
/// ```
/// # use std::time::Duration;
/// let mut config = chatrooms_core::Config::default();
/// config.linger = Duration::from_secs(30);
/// config.members_per_room = 500;
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Config {
    /// The most bytes of a message's body. Default 4,096.
    pub body_bytes: usize,
    /// The most bytes of the data beside a body, or of a signal's. Default 4,096.
    pub data_bytes: usize,
    /// The most bytes of the `meta` of a connection. Default 1,024.
    pub meta_bytes: usize,
    /// The most messages in one answer: of a join and of a page of history. Default 200.
    pub history: usize,
    /// The most bytes of one answer. Default 256 KiB, and never less than what the largest message and two of the largest members take.
    pub reply_bytes: usize,
    /// The messages that a room holds ready in memory for joins and resumes. Default 500, and half of
    /// [`reply_bytes`](Self::reply_bytes) at most.
    pub recent: usize,
    /// The messages that are kept per room; older ones are trimmed. Default 10,000.
    pub keep: usize,
    /// Up to so many users a room tells every arrival and departure at once. Default 200.
    pub presence_exact: usize,
    /// Above that, how often it tells the net changes. Default 1 s.
    pub presence_interval: Duration,
    /// How long an emptied room is kept when its last connection was lost. Default 0: it ends at once. Where the last one was made to go,
    /// by leaving, a logout, a kick or a ban, it ends at once in any case.
    pub linger: Duration,

    /// The most rooms in which one session can be. Default 32.
    pub rooms_per_session: usize,
    /// The most sessions of one user. Default 64.
    pub sessions_per_user: usize,
    /// The most sessions in all. Default 100,000.
    pub sessions: usize,
    /// The most connections to one room. Default 10,000.
    pub members_per_room: usize,
    /// The most rooms at a time. Default 100,000.
    pub rooms: usize,
    /// The most bans and mutes in one room, together. Default 1,000.
    pub sanctions_per_room: usize,
    /// The messages, signals and redactions that a user may send per second, in the long run and over all of their sessions. [`u32::MAX`] is no limit. Default 20.
    pub sends_per_second: u32,
    /// As many may come at once after a silence. Default 100.
    pub send_burst: u32,
    /// The rooms that a user may join per second, in the long run and over all of their sessions. [`u32::MAX`] is no limit. Default 20.
    pub joins_per_second: u32,
    /// As many may come at once after a silence, such as when all of a user's sessions come back. Default 200.
    pub join_burst: u32,
    /// The rooms that a user may open per minute by joining where nobody is, and as many at once after a silence. [`u32::MAX`] is no limit. Default 120.
    pub new_rooms_per_minute: u32,
    /// What one session may [ask](crate::Session::count_request) per second, whatever it is, in the long run. [`u32::MAX`] is no limit. Default 100.
    pub requests_per_second: u32,
    /// As many may come at once after a silence. Default 400.
    pub request_burst: u32,

    /// The most bytes that wait for one session. Over it the session is closed as slow. Default 1 MiB; several
    /// [`reply_bytes`](Self::reply_bytes) at least make sense, because the answer to a join waits there too.
    pub outbox_bytes: usize,
    /// The most frames that wait for one session. Over it the session is closed as slow. Default 4,096.
    pub outbox_frames: usize,
    /// The bytes that may wait for all sessions together. While they are more, a session may have no more waiting than its equal share of this; over that it is
    /// closed as slow. [Answers](Self::answer_bytes_in_all) have a bound of their own, too. What is told to many counts for each, as large as it may get on the wire, so that this is far above what the memory holds: a room of 5,000 whose people
    /// all join at once has more than a gigabyte waiting. Default 8,192 MiB.
    pub outbox_bytes_in_all: usize,
    /// The bytes of answers to all sessions together that may be there, be it that they wait or that they are being written, such as pages of history. While they are more, a
    /// session may have no more of them than its equal share of this; over that it is closed as slow. Answers are shared by nobody, so that this much memory is what those who ask
    /// and do not read can fill. Default 256 MiB; a share of less than a page harms those who read, where others do not.
    pub answer_bytes_in_all: usize,
    /// A session that has half of its own bound waiting and takes nothing for so long is closed as slow. Default 5 s.
    pub outbox_stall: Duration,

    /// The events that may wait for one [`Watch`](crate::Watch). Over it the watch has lagged and begins anew. Default 65,536.
    pub watch_events: usize,
    /// The bytes that may wait for one watch, about. Default 16 MiB.
    pub watch_bytes: usize,

    /// The messages that may wait for the store in one room; a further one is answered `busy`. Default 1,024.
    pub store_queue: usize,
    /// How long a message may wait for the store, and whoever asks for older ones for their turn and then for the store. Default 5 s.
    pub store_timeout: Duration,
    /// The pages of older messages that the store is asked for at a time on behalf of one user, over all of their sessions and without one. Further ones wait for their turn, and
    /// are answered `rate_limited` where that takes too long. Default 2.
    pub reads_per_user: usize,
    /// How long a hook of the host may take. Default 5 s.
    pub policy_timeout: Duration,
    /// At a shutdown, clients are asked to return at a random moment within this time. Default 5 s.
    pub return_window: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            body_bytes: 4096,
            data_bytes: 4096,
            meta_bytes: 1024,
            history: 200,
            reply_bytes: 256 * 1024,
            recent: 500,
            keep: 10_000,
            presence_exact: 200,
            presence_interval: Duration::from_secs(1),
            linger: Duration::ZERO,
            rooms_per_session: 32,
            sessions_per_user: 64,
            sessions: 100_000,
            members_per_room: 10_000,
            rooms: 100_000,
            sanctions_per_room: 1000,
            sends_per_second: 20,
            send_burst: 100,
            joins_per_second: 20,
            join_burst: 200,
            new_rooms_per_minute: 120,
            requests_per_second: 100,
            request_burst: 400,
            outbox_bytes: 1024 * 1024,
            outbox_frames: 4096,
            outbox_bytes_in_all: usize::try_from(8_u64 << 30).unwrap_or(usize::MAX),
            answer_bytes_in_all: 256 * 1024 * 1024,
            outbox_stall: Duration::from_secs(5),
            watch_events: 65_536,
            watch_bytes: 16 * 1024 * 1024,
            store_queue: 1024,
            store_timeout: Duration::from_secs(5),
            reads_per_user: 2,
            policy_timeout: Duration::from_secs(5),
            return_window: Duration::from_secs(5),
        }
    }
}

impl Config {
    /// How many messages a join gets that does not say how many it wants.
    pub const DEFAULT_HISTORY: usize = 50;

    /// The same, with answers that have room for the largest single thing: nothing that is kept may be impossible to show.
    pub(crate) fn sound(mut self) -> Self {
        let largest = cost::largest_message(&self).max(2 * cost::largest_member(&self));
        let least = largest.saturating_add(Self::OVERHEAD).saturating_mul(2);
        self.reply_bytes = self.reply_bytes.max(least);
        self
    }

    /// What an answer may hold beside its messages and its members, which share the rest.
    const OVERHEAD: usize = 1024;

    /// The bytes for the messages of an answer, and as many for its members.
    pub(crate) const fn half_reply(&self) -> usize {
        self.reply_bytes / 2 - Self::OVERHEAD
    }

    /// The bytes for an answer that holds only messages or only members.
    pub(crate) const fn whole_reply(&self) -> usize {
        self.reply_bytes - Self::OVERHEAD
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_has_room_for_the_largest_message() {
        let config = Config { body_bytes: 100_000, reply_bytes: 1, ..Config::default() }.sound();
        assert!(config.half_reply() >= cost::largest_message(&config));
        let boundless = Config { body_bytes: usize::MAX, ..Config::default() }.sound();
        assert_eq!(boundless.reply_bytes, usize::MAX);
        assert_eq!(Config::default().sound().reply_bytes, 256 * 1024);
    }

    #[test]
    fn the_defaults_are_those_of_the_protocol() {
        let config = Config::default();
        assert_eq!((config.keep, config.reply_bytes, config.meta_bytes), (10_000, 262_144, 1024));
        assert_eq!((config.outbox_bytes, config.outbox_frames), (1_048_576, 4096));
        assert_eq!((config.presence_exact, config.outbox_stall.as_secs()), (200, 5));
        assert_eq!((Config::DEFAULT_HISTORY, config.linger), (50, Duration::ZERO));
    }
}
