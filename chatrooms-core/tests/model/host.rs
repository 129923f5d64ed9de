//! What a host does, written down for the oracle like everything that its users do.

use std::time::Duration;

use chatrooms_core::{
    CloseReason, Draft, Error, ModerationError, Post, RoomName, RoomRegistry, Sent, UserName,
    oracle::{Outcome, Recorder, Request},
    testing::{room, user},
};

use super::step::Sanction;

#[derive(Clone, Copy, Debug)]
pub(crate) struct Host<'a> {
    pub(crate) registry: &'a RoomRegistry,
    pub(crate) run: &'a Recorder,
}

impl Host<'_> {
    /// Removes a user from a room; says how many connections that were.
    pub(crate) async fn kick(&self, at: &str, whom: &str) -> usize {
        let (at, whom) = (room(at), user(whom));
        let kicking = async { self.registry.moderation(&at).kick(&whom, None).await.unwrap() };
        self.removes(Some(&at), Some(&whom), kicking).await
    }

    /// Keeps a user out of a room, or silent there; says how many connections went with it.
    pub(crate) async fn impose(
        &self,
        at: &str,
        (what, whom): (Sanction, &str),
        time: Option<Duration>,
    ) -> Result<usize, ModerationError> {
        let (at, whom) = (room(at), user(whom));
        let moderation = self.registry.moderation(&at);
        match what {
            Sanction::Ban => {
                self.removes(Some(&at), Some(&whom), moderation.ban(&whom, time, None)).await
            }
            Sanction::Mute => moderation.mute(&whom, time).await.map(|()| 0),
        }
    }

    /// Says whether there was something to lift.
    pub(crate) async fn lift(&self, at: &str, (what, whom): (Sanction, &str)) -> bool {
        let (at, whom) = (room(at), user(whom));
        let moderation = self.registry.moderation(&at);
        match what {
            Sanction::Ban => moderation.unban(&whom).await.unwrap(),
            Sanction::Mute => moderation.unmute(&whom).await.unwrap(),
        }
    }

    pub(crate) async fn close_room(&self, at: &str) -> usize {
        let at = room(at);
        let closing = async { self.registry.moderation(&at).close(None).await.unwrap() };
        self.removes(Some(&at), None, closing).await
    }

    pub(crate) async fn end_sessions(&self, of: &str, reason: CloseReason) -> usize {
        let of = user(of);
        self.removes(None, Some(&of), async { self.registry.end_sessions(&of, &reason) }).await
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

    async fn removes<T>(
        &self,
        room: Option<&RoomName>,
        user: Option<&UserName>,
        act: impl Future<Output = T>,
    ) -> T {
        let host = self.run.client(None);
        let request = Request::Remove { room: room.cloned(), user: user.cloned() };
        let call = host.asks(request);
        let removed = act.await;
        host.answered(call, Outcome::Done);
        removed
    }
}
