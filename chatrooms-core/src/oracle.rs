//! Whether a run has kept what is promised: one pure function that judges what everybody did and saw.
//!
//! Behind the feature `oracle`, for the tests of those who write a store, an adapter, a client, or a service. A [`Recorder`] writes down what
//! happens, and [`check`] says which promises it shows broken, and where:
//!
//! ```
//! use chatrooms_core::oracle::{Fault, Outcome, Recorder, Request, Told, check};
//! # use chatrooms_core::{Draft, Epoch, Joined, Member, Message, RoomName, Timestamp, UserName};
//! # use std::sync::Arc;
//! # fn joined(user: &UserName) -> Arc<Joined> {
//! #     let member = Member { user: user.clone(), name: None, connections: 1, meta: None };
//! #     Arc::new(Joined {
//! #         tag: None, epoch: Epoch::new(), seq: 0, resumed: false, first_in_room: true, first_connection_of_user: true,
//! #         members: vec![Arc::new(member)], members_more: false, messages: vec![], more: false, redacted: vec![],
//! #     })
//! # }
//! let (room, user) = (RoomName::new("lobby").unwrap(), UserName::new("ada").unwrap());
//! let run = Recorder::new();
//! let ada = run.client(Some(user.clone()));
//!
//! let call = ada.asks(Request::Join { room: room.clone(), resume: None, history: None });
//! let cut = joined(&user); // what the server under test has answered
//! ada.told(Told::Joined { call: Some(call), room: room.clone(), cut });
//! ada.answered(call, Outcome::Done);
//! check(&run.trace()).unwrap();
//!
//! // The first message in the room is the second one that she is told of.
//! let draft = Draft::new(user, "hello");
//! ada.told(Told::Message { room, message: Arc::new(Message::new(2, Timestamp::now(), draft)) });
//! let broken = check(&run.trace()).unwrap_err();
//! assert_eq!(broken[0].fault, Fault::Gap { head: 0, seq: 2 });
//! assert_eq!(broken[0].to_string(), "a join is one cut: after message 0 came 2 (client 0, ada, step 3, in lobby)");
//! ```
//!
//! Nobody has to write that much: the clients of the [test kit](crate::testing) record themselves
//! ([`TestClient::recorded`](crate::testing::TestClient::recorded)), and over a socket `chatrooms-ws` reads the frames.
//!
//! # What it decides
//!
//! What the wire protocol promises and a trace shows, but for [what it does not](#what-it-does-not), each [`Fault`] being one way to break it: that a join is one cut, that there is one
//! order, that what was accepted is there once and what is there was accepted, that what is kept is shown, that lives do not mix and begin empty, that users come and
//! go in turn and are there when they are shown, that a resume is exact and granted where all is at hand, that what was taken back stays so, that every request has an
//! answer of its own kind in its turn, that only members are granted what is theirs, and that nothing comes after an end.
//!
//! # What it goes by
//!
//! Clients run at the same time, and only orders that are real count: that of one client's steps, and that of two requests of which one was answered
//! before the other was made ([`Step::at`]). What overlaps may have happened either way, and no run is blamed for it. What was asked for and never
//! answered, or answered by [`Outcome::Unknown`], may have been done or not.
//!
//! What can be said of messages that nobody sent, or of users who are not there, needs everybody's notes: see [`Trace::complete`]. Whether
//! somebody is still to be told of something needs a moment of rest: see [`Witness::settled`]. What a client with a name is granted it is granted as a member; the
//! host, and whoever looks in over HTTP, is a client without one: see [`Log::user`].
//!
//! # What it does not
//!
//! It knows no times, only orders: that a farewell comes in time, or that the dead are noticed within a second, is for a test to see. It does not
//! look into a store, and it does not know what a service allows to whom. Nor does it decide
//!
//! - whether a request was refused rightly, or left open as [`Outcome::Unknown`], but for `not_in_room` of a member and a resume;
//! - what [anything else](Request::Other) is answered, nor by which word of the wire something was [done](Outcome::Done);
//! - whether a join that was granted was told to somebody in whose log an [end](Told::Ended) stands: who is told nothing any more gets its answer all the same. Over one socket the join
//!   itself is the answer, and judged until the end has come;
//! - whether somebody was removed, or a session ended, for a reason: a service has reasons that are in no trace;
//! - whether an end should have had a farewell: it is sent as far as it still fits;
//! - whether a request without a number of its own, or one that was given up, should have had an answer: only what is noted as [unanswered](Witness::unanswered) is due;
//! - whether a signal was lost, came twice or says what was sent: under pressure they are dropped first, and a trace knows their senders alone;
//! - what stands of a member beside the user and the number of connections: names and `meta` are those of the oldest connection, and change with it untold;
//! - whether a page could have had more messages, as long as it has some and says so; a join is judged by half of the bytes that it may have, and where messages in question were taken
//!   back, or have not been seen by anybody, not at all;
//! - whether more members come where a list says so, or none where it does not, but for those who were told of before or are there for certain;
//! - whether those who are shown are there, and with as many connections, in a life in which there were ever more users than are [told of at once](Bounds::presence_exact);
//! - whether there ever was the message that somebody has taken back, where it is not known in which life that was, or where neither the trace is complete nor anything that was asked
//!   later shows how many there were;
//! - whether what may have been trimmed was kept. It is certain of messages that a later page shows and, in a trace that is [complete](Trace::complete), of the newest [`Bounds::keep`];
//! - whether a resume was to be granted after more messages than [`Bounds::keep`], or of more than [`Bounds::recent`];
//! - who was the first, over a socket: the wire does not say it;
//! - what no trace holds: the time in the answer to what was sent, by whom a message is said to be taken back, why somebody was taken out of a room;
//! - whether a frame by itself is as the protocol has it.

mod bounds;
mod cut;
mod kept;
mod lives;
mod order;
mod presence;
mod recorder;
mod redactions;
mod redactors;
mod run;
mod sends;
#[cfg(test)]
mod tests;
mod trace;
mod violation;
mod walk;

use std::collections::HashSet;

pub use recorder::{Recorder, Witness};
pub use trace::{Bounds, Log, Outcome, Request, Step, Told, Trace, What};
pub use violation::{Fault, Place, Promise, Violation, Violations};

/// What there was to judge, so that a test can see that there was something.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Judged {
    /// Clients.
    pub clients: usize,
    /// Lives of rooms that somebody was in.
    pub lives: usize,
    /// Connections, each from a join on.
    pub connections: usize,
    /// Messages that somebody was shown.
    pub messages: usize,
    /// Comings and goings, and lists of members, that somebody was told of.
    pub presences: usize,
}

/// Judges a run by what is promised.
///
/// It is a pure function: the same trace is judged in the same way, everywhere and at any time.
///
/// # Errors
/// [`Violations`]: everything that the trace shows broken, in the order of the steps.
pub fn check(trace: &Trace) -> Result<Judged, Violations> {
    let mut run = run::Run::read(trace);
    let ledger = order::ledger(&mut run);
    cut::judge(&mut run);
    let known = order::known(&run);
    order::judge(&mut run, &known);
    kept::judge(&mut run, &ledger, &known);
    sends::judge(&mut run, &ledger);
    lives::judge(&mut run);
    presence::judge(&mut run);
    redactions::judge(&mut run);
    redactors::judge(&mut run);
    bounds::judge(&mut run);
    let mut found = run.found;
    if !found.is_empty() {
        found.sort_by_key(|violation| (violation.place.client, violation.place.step));
        return Err(Violations(found));
    }
    let lives: HashSet<_> = run.connections.iter().map(|connection| connection.cut.epoch).collect();
    let seen = || run.connections.iter().flat_map(|connection| &connection.seen);
    let is_presence = |sight: &&run::Sight<'_>| {
        matches!(sight.what, run::Seen::Presence { .. } | run::Seen::Members { .. })
    };
    Ok(Judged {
        clients: trace.clients.len(),
        lives: lives.len(),
        connections: run.connections.len(),
        messages: ledger.len(),
        presences: run.connections.len() + seen().filter(is_presence).count(),
    })
}
