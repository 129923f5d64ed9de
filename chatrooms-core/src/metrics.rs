//! What the rooms count. Every name, its meaning and its healthy range stand in `docs/observability.md`.
//!
//! No label ever holds a room, a user or anything else that clients choose: each has the few values that are listed here.

use crate::instruments::{Counter, Counters, Gauge, Timers, describe};

/// The metrics of a registry: handles of the recorder that was there when the registry was made.
#[derive(Debug)]
pub(crate) struct Metrics {
    pub(crate) sessions: Gauge,
    pub(crate) sessions_opened: Counter,
    pub(crate) sessions_ended: Counters,
    pub(crate) outbox_bytes: Gauge,
    rooms: Gauge,
    pub(crate) rooms_opened: Counter,
    pub(crate) rooms_closed: Counters,
    connections: Gauge,
    joins: Counters,
    messages: Counter,
    deliveries: Counter,
    signals: Counter,
    signals_dropped: Counter,
    watch_lagged: Counter,
    pub(crate) cluster_healed: Counter,
    refusals: Counters,
    pub(crate) offences: Counters,
    pub(crate) purges: Counters,
    pub(crate) purges_pending: Gauge,
    pub(crate) store: Timers,
    pub(crate) store_failures: Counters,
    pub(crate) policy: Timers,
    pub(crate) policy_failures: Counters,
}

const ENDINGS: [&str; 11] = [
    "gone",
    "slow_consumer",
    "heartbeat_timeout",
    "moved",
    "unauthorized",
    "logged_out",
    "kicked",
    "banned",
    "abuse",
    "shutting_down",
    "internal",
];
const ROOM_ENDS: [&str; 6] = ["left", "lost", "expired", "closed", "put_away", "elsewhere"];
const STORE_OPERATIONS: [&str; 9] =
    ["open", "append", "read", "redact", "trim", "note", "close", "abandoned", "shutdown"];
const HOOKS: [&str; 6] =
    ["may_join", "open_room", "room_opened", "room_closed", "before_publish", "may_redact"];
/// Every code of the protocol's page; a host's own count as `x`, because they are no closed set.
const CODES: [&str; 24] = [
    "bad_request",
    "unknown_type",
    "too_large",
    "invalid_room",
    "invalid_user",
    "not_in_room",
    "already_in_room",
    "forbidden",
    "banned",
    "muted",
    "room_full",
    "too_many_rooms",
    "too_many_sessions",
    "server_full",
    "busy",
    "rate_limited",
    "slow_mode",
    "store_unavailable",
    "outcome_unknown",
    "not_found",
    "unauthorized",
    "shutting_down",
    "internal",
    HOSTS_OWN,
];
const HOSTS_OWN: &str = "x";
/// What clients may not do on a socket.
const OFFENCES: [&str; 7] = [
    "malformed_frames",
    "hasty_requests",
    "control_frames",
    "fragments",
    "message_time",
    "frame_bytes",
    "framing",
];

impl Metrics {
    pub(crate) fn new() -> Self {
        let closed = |name, help, label, values: &[&'static str]| {
            Counters::new(describe(name, help), label, values)
        };
        let timed = |name, help, label, values: &[&'static str]| {
            Timers::new(describe(name, help), label, values)
        };
        let counter = |name, help| Counter::new(describe(name, help));
        let gauge = |name, help| Gauge::new(describe(name, help));
        Self {
            sessions: gauge("chatrooms_sessions", "Sessions that are open."),
            sessions_opened: counter("chatrooms_sessions_opened_total", "Sessions opened."),
            sessions_ended: closed(
                "chatrooms_sessions_ended_total",
                "Sessions ended, by reason.",
                "reason",
                &ENDINGS,
            ),
            outbox_bytes: gauge(
                "chatrooms_outbox_bytes",
                "Bytes that wait in the queues of all sessions.",
            ),
            rooms: gauge(
                "chatrooms_rooms",
                "Rooms whose life has begun, those that linger included.",
            ),
            rooms_opened: counter("chatrooms_rooms_opened_total", "Lives of rooms begun."),
            rooms_closed: closed(
                "chatrooms_rooms_closed_total",
                "Lives of rooms ended, by reason.",
                "reason",
                &ROOM_ENDS,
            ),
            connections: gauge(
                "chatrooms_connections",
                "Connections: pairs of a session and a room that it is in.",
            ),
            joins: closed(
                "chatrooms_joins_total",
                "Joins that succeeded, and whether they went on where they had been.",
                "resumed",
                &["true", "false"],
            ),
            messages: counter("chatrooms_messages_total", "Messages accepted."),
            deliveries: counter(
                "chatrooms_deliveries_total",
                "Copies of messages put into the queues of sessions.",
            ),
            signals: counter("chatrooms_signals_total", "Signals accepted for relaying."),
            signals_dropped: counter(
                "chatrooms_signals_dropped_total",
                "Copies of signals that a crowded queue did not take.",
            ),
            watch_lagged: counter(
                "chatrooms_watch_lagged_total",
                "Watches of the host that were over their bound and had to begin anew.",
            ),
            cluster_healed: counter(
                "chatrooms_cluster_healed_total",
                "News of shared rooms that were found by looking: whatever should have told of them did not.",
            ),
            refusals: closed(
                "chatrooms_refusals_total",
                "Requests of clients that were refused, handshakes included, by code.",
                "code",
                &CODES,
            ),
            offences: closed(
                "chatrooms_offences_total",
                "Sessions ended because their client broke a rule of the socket, by what it did.",
                "of",
                &OFFENCES,
            ),
            purges: closed(
                "chatrooms_purges_total",
                "Purges that were done, and tries that failed.",
                "outcome",
                &["done", "failed"],
            ),
            purges_pending: gauge("chatrooms_purges_pending", "Purges that are not done yet."),
            store: timed(
                "chatrooms_store_seconds",
                "How long the message store took.",
                "operation",
                &STORE_OPERATIONS,
            ),
            store_failures: closed(
                "chatrooms_store_failures_total",
                "Calls of the message store that failed, panicked or were given up.",
                "operation",
                &STORE_OPERATIONS,
            ),
            policy: timed(
                "chatrooms_policy_seconds",
                "How long the host's policy took, failures included.",
                "hook",
                &HOOKS,
            ),
            policy_failures: closed(
                "chatrooms_policy_failures_total",
                "Questions to the host's policy that got no answer.",
                "failure",
                &["panicked", "timed_out"],
            ),
        }
    }

    /// Counts a request that was refused with this code.
    pub(crate) fn refused(&self, code: &str) {
        let is_known = CODES.contains(&code);
        self.refusals.count(if is_known { code } else { HOSTS_OWN });
    }
}

/// What a change of rooms adds to the metrics: gathered under a room's lock, counted once after it, whatever the number of members.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) rooms: i64,
    pub(crate) connections: i64,
    joins: u64,
    resumes: u64,
    /// What waits for more sessions than one is bounded, so that this is counted [there](crate::backlog::Backlog).
    pub(crate) outbox_bytes: i64,
    pub(crate) messages: u64,
    pub(crate) deliveries: u64,
    pub(crate) signals: u64,
    pub(crate) signals_dropped: u64,
    pub(crate) watch_lagged: u64,
}

impl Tally {
    pub(crate) fn joined(&mut self, resumed: bool) {
        *(if resumed { &mut self.resumes } else { &mut self.joins }) += 1;
    }

    pub(crate) fn add(&mut self, other: &Self) {
        self.rooms += other.rooms;
        self.connections += other.connections;
        self.joins += other.joins;
        self.resumes += other.resumes;
        self.outbox_bytes += other.outbox_bytes;
        self.messages += other.messages;
        self.deliveries += other.deliveries;
        self.signals += other.signals;
        self.signals_dropped += other.signals_dropped;
        self.watch_lagged += other.watch_lagged;
    }

    pub(crate) fn count(&self, metrics: &Metrics) {
        metrics.rooms.add(self.rooms);
        metrics.connections.add(self.connections);
        metrics.joins.add("false", self.joins);
        metrics.joins.add("true", self.resumes);
        for (counter, more) in [
            (&metrics.messages, self.messages),
            (&metrics.deliveries, self.deliveries),
            (&metrics.signals, self.signals),
            (&metrics.signals_dropped, self.signals_dropped),
            (&metrics.watch_lagged, self.watch_lagged),
        ] {
            counter.add(more);
        }
    }
}
