//! Waiting for what a client is to be told.

use super::TestClient;
use crate::{
    CloseReason, Event, EventKind, Member, Message, Outgoing, Removal, UserName, sync::Arc,
};

/// Who came and who went, as a client was told.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Presence {
    /// Users who are there now.
    pub joined: Vec<Arc<Member>>,
    /// Users who are gone.
    pub left: Vec<UserName>,
}

/// That a client was removed from a room.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Removed {
    /// Why.
    pub code: Removal,
    /// What the host said about it.
    pub reason: Option<Arc<str>>,
}

impl TestClient {
    /// The next message of a room.
    ///
    /// # Panics
    /// After [`HANG_LIMIT`](super::HANG_LIMIT) or at the session's end, with what came instead.
    ///
    /// # Cancel safety
    /// Nothing is lost by dropping it.
    pub async fn next_message(&mut self, room: &str) -> Arc<Message> {
        self.wait_in(room, "a message", |kind| match kind {
            EventKind::Message(message) => Some(Arc::clone(message)),
            _ => None,
        })
        .await
    }

    /// The next arrivals and departures in a room.
    ///
    /// # Panics
    /// After [`HANG_LIMIT`](super::HANG_LIMIT) or at the session's end, with what came instead.
    ///
    /// # Cancel safety
    /// Nothing is lost by dropping it.
    pub async fn next_presence(&mut self, room: &str) -> Presence {
        self.wait_in(room, "an arrival or a departure", |kind| match kind {
            EventKind::Presence { joined, left } => {
                Some(Presence { joined: joined.clone(), left: left.clone() })
            }
            _ => None,
        })
        .await
    }

    /// The next time that this client is removed from a room.
    ///
    /// # Panics
    /// After [`HANG_LIMIT`](super::HANG_LIMIT) or at the session's end, with what came instead.
    ///
    /// # Cancel safety
    /// Nothing is lost by dropping it.
    pub async fn next_removal(&mut self, room: &str) -> Removed {
        self.wait_in(room, "a removal", |kind| match kind {
            EventKind::Removed { code, reason } => {
                Some(Removed { code: *code, reason: reason.clone() })
            }
            _ => None,
        })
        .await
    }

    /// The first event, of those that nobody has taken yet, for which `pick` has an answer. `what` names it where it does not come.
    ///
    /// ```
    /// # use chatrooms_core::{EventKind, testing::{TestClient, registry}};
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() {
    /// # let rooms = registry(|builder| builder).await;
    /// # let ada = TestClient::joined(&rooms, "ada", "lobby").await;
    /// # let mut bob = TestClient::joined(&rooms, "bob", "lobby").await;
    /// ada.signal("lobby", "typing", None).unwrap();
    /// let who = bob.wait_for("somebody to type", |event| match event.kind() {
    ///     EventKind::Signal { user, name, .. } if &**name == "typing" => Some(user.clone()),
    ///     _ => None,
    /// });
    /// assert_eq!(who.await.as_str(), "ada");
    /// # }
    /// ```
    ///
    /// # Panics
    /// After [`HANG_LIMIT`](super::HANG_LIMIT) or at the session's end, with what came instead.
    ///
    /// # Cancel safety
    /// Nothing is lost by dropping it.
    pub async fn wait_for<T>(
        &mut self,
        what: &str,
        pick: impl FnMut(&Event) -> Option<T> + Send,
    ) -> T {
        let limit = self.hang_limit;
        let end = match tokio::time::timeout(limit, self.find(pick)).await {
            Ok(Ok(found)) => return found,
            Ok(Err(reason)) => format!("when the session ended ({reason:?})"),
            Err(_) => format!("for {limit:?}"),
        };
        let who = self.session.identity().user().clone();
        let instead = match self.told() {
            none if none.is_empty() => "was told nothing".to_owned(),
            told => format!("was told {told:?}"),
        };
        panic!("{who} was waiting for {what} {end} and {instead}");
    }

    /// Waits until this client's session has ended, and says why. What waits for the client stays.
    ///
    /// # Panics
    /// After [`HANG_LIMIT`](super::HANG_LIMIT).
    ///
    /// # Cancel safety
    /// Nothing is lost by dropping it.
    pub async fn ended(&mut self) -> CloseReason {
        let limit = self.hang_limit;
        match tokio::time::timeout(limit, self.session.outbox().closing()).await {
            Ok(reason) => reason,
            Err(_) => {
                let who = self.session.identity().user();
                panic!("{who} was waiting for the end of the session for {limit:?}")
            }
        }
    }

    async fn wait_in<T>(
        &mut self,
        room: &str,
        what: &str,
        mut pick: impl FnMut(&EventKind) -> Option<T> + Send,
    ) -> T {
        let name = super::room(room);
        let pick = |event: &Event| {
            if event.room() == Some(&name) { pick(event.kind()) } else { None }
        };
        self.wait_for(&format!("{what} in {room}"), pick).await
    }

    async fn find<T>(
        &mut self,
        mut pick: impl FnMut(&Event) -> Option<T> + Send,
    ) -> Result<T, CloseReason> {
        let mut seen = 0;
        loop {
            let left = self.left.get_mut().unwrap_or_else(std::sync::PoisonError::into_inner);
            let news = left.iter().enumerate().skip(seen);
            // Each of them is one event at most.
            let found = { news }.find_map(|(at, item)| Some((at, pick(item.events().first()?)?)));
            if let Some((at, found)) = found {
                left.remove(at);
                return Ok(found);
            }
            seen = left.len();
            let mut news = Vec::new();
            let taken = self.session.outbox().take(&mut news, usize::MAX).await;
            self.session.outbox().meter().progress();
            self.note(&news, taken.as_ref().err());
            taken?;
            let left = self.left.get_mut().unwrap_or_else(std::sync::PoisonError::into_inner);
            left.extend(news.into_iter().flat_map(Outgoing::apart));
        }
    }
}
