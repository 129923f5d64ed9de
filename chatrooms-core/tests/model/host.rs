//! What a host does, written down for the oracle like everything that its users do.

use chatrooms_core::{
    CloseReason, Draft, Error, Post, RoomName, RoomRegistry, Sent, UserName,
    oracle::{Outcome, Recorder, Request},
    testing::{room, user},
};

#[derive(Clone, Copy, Debug)]
pub(crate) struct Host<'a> {
    pub(crate) registry: &'a RoomRegistry,
    pub(crate) run: &'a Recorder,
}

impl Host<'_> {
    /// Removes a user from a room; says how many connections that were.
    pub(crate) fn kick(&self, at: &str, whom: &str) -> usize {
        let (at, whom) = (room(at), user(whom));
        self.removes(Some(&at), Some(&whom), || self.registry.moderation(&at).kick(&whom, None))
    }

    pub(crate) fn close_room(&self, at: &str) -> usize {
        let at = room(at);
        self.removes(Some(&at), None, || self.registry.moderation(&at).close(None))
    }

    pub(crate) fn end_sessions(&self, of: &str, reason: CloseReason) -> usize {
        let of = user(of);
        self.removes(None, Some(&of), || self.registry.end_sessions(&of, &reason))
    }

    /// Says something in a room.
    pub(crate) async fn announce(&self, at: &str, body: &str) -> Result<Sent, Error> {
        let (host, room) = (self.run.client(None), room(at));
        let draft = Draft { user: None, ..Draft::new(user("host"), body) };
        let call = host.asks(Request::Send { room: room.clone(), draft });
        let outcome = self.registry.announce(&room, Post::new(body)).await;
        host.answered(call, &outcome);
        outcome
    }

    fn removes(
        &self,
        room: Option<&RoomName>,
        user: Option<&UserName>,
        act: impl FnOnce() -> usize,
    ) -> usize {
        let host = self.run.client(None);
        let request = Request::Remove { room: room.cloned(), user: user.cloned() };
        let call = host.asks(request);
        let removed = act();
        host.answered(call, Outcome::Done);
        removed
    }
}
