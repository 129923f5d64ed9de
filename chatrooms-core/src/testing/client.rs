//! A client without a socket.

use super::{HANG_LIMIT, describe::describe_outgoing, room, user};
use std::time::Duration;

use crate::{
    Data, Error, Event, Identity, Join, Joined, Outgoing, Post, Receipt, RoomRegistry, Sent,
    Session,
    sync::{Arc, Mutex, lock},
};

/// A client without a socket: it acts like one that is connected, and can be asked what it was told.
///
/// Names are plain texts. What a registry may refuse is a `Result`, so that a test can look at the refusal. Dropping a client leaves all its
/// rooms, like a connection that is lost.
///
/// ```
/// # use chatrooms_core::testing::{TestClient, registry};
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() {
/// let rooms = registry(|builder| builder).await;
/// let mut ada = TestClient::joined(&rooms, "ada", "lobby").await;
/// let bob = TestClient::joined(&rooms, "bob", "lobby").await;
/// bob.say("lobby", "hello").await.unwrap();
/// bob.leave("lobby").unwrap();
///
/// assert_eq!(ada.next_message("lobby").await.seq, 1);
/// assert_eq!(ada.told(), ["lobby: +bob", "lobby: -bob"]);
/// # }
/// ```
///
/// # What it was told
/// The waits (`next_…`) take what they wait for, and leave all else in its order for other waits and for [`told`](Self::told). They give
/// up after [`HANG_LIMIT`] and say what came instead.
#[derive(Debug)]
pub struct TestClient {
    /// The session underneath, for everything that has no method here. What is taken from it directly is not seen by this client.
    pub session: Session,
    /// What a wait has taken from the outbox and left, for whoever asks next. Shared for `told(&self)` only: held for one take, never over
    /// an await.
    pub(super) left: Mutex<Vec<Outgoing>>,
    pub(super) hang_limit: Duration,
}

impl From<Session> for TestClient {
    fn from(session: Session) -> Self {
        Self { session, left: Mutex::default(), hang_limit: HANG_LIMIT }
    }
}

impl TestClient {
    /// A user's client that is in no room yet.
    ///
    /// # Panics
    /// Where `name` is no good name, or the registry lets nobody in. To look at a refusal, take [`RoomRegistry::open_session`].
    #[must_use]
    pub fn new(registry: &RoomRegistry, name: &str) -> Self {
        Self::with_identity(registry, Identity::new(user(name)))
    }

    /// A client of somebody with more than a name, such as claims that a policy looks at.
    ///
    /// # Panics
    /// Where the registry lets nobody in.
    #[must_use]
    pub fn with_identity(registry: &RoomRegistry, identity: Identity) -> Self {
        let who = identity.user().clone();
        let session = registry.open_session(identity);
        session.unwrap_or_else(|error| panic!("{who} is not let in: {error}")).into()
    }

    /// A user's client that is in a room and has taken what it was told there so far.
    ///
    /// # Panics
    /// Where a name is not good, or the join is refused.
    ///
    /// # Cancel safety
    /// Dropped before it completes, there is no client.
    pub async fn joined(registry: &RoomRegistry, name: &str, room: &str) -> Self {
        let client = Self::new(registry, name);
        if let Err(error) = client.join(room).await {
            panic!("{name} may not join {room}: {error}");
        }
        client.told();
        client
    }

    /// The same client, which waits for so long instead of [`HANG_LIMIT`].
    #[must_use]
    pub const fn hang_limit(mut self, limit: Duration) -> Self {
        self.hang_limit = limit;
        self
    }

    /// Joins a room.
    ///
    /// # Errors
    /// As [`RoomRegistry::add_connection`].
    ///
    /// # Panics
    /// Where `name` is no good name.
    ///
    /// # Cancel safety
    /// As [`Session::join`].
    pub async fn join(&self, name: &str) -> Result<Arc<Joined>, Error> {
        self.join_with(name, Join::default()).await
    }

    /// Joins a room, with wishes.
    ///
    /// # Errors
    /// As [`RoomRegistry::add_connection`].
    ///
    /// # Panics
    /// Where `name` is no good name.
    ///
    /// # Cancel safety
    /// As [`Session::join`].
    pub async fn join_with(&self, name: &str, join: Join) -> Result<Arc<Joined>, Error> {
        self.session.join(&room(name), join).await
    }

    /// Leaves a room.
    ///
    /// # Errors
    /// [`Error::NotInRoom`].
    ///
    /// # Panics
    /// Where `name` is no good name.
    pub fn leave(&self, name: &str) -> Result<(), Error> {
        self.session.leave(&room(name))
    }

    /// Says something in a room and waits for the outcome.
    ///
    /// # Errors
    /// As [`Session::publish`].
    ///
    /// # Panics
    /// Where `name` is no good name.
    ///
    /// # Cancel safety
    /// As [`Session::publish`].
    pub async fn say(&self, name: &str, body: &str) -> Result<Sent, Error> {
        self.session.publish(&room(name), Post::new(body)).await
    }

    /// Says something in a room without waiting for the outcome.
    ///
    /// # Errors
    /// As [`Session::send`].
    ///
    /// # Panics
    /// Where `name` is no good name.
    ///
    /// # Cancel safety
    /// As [`Session::send`].
    pub async fn send(&self, name: &str, body: &str) -> Result<Receipt<Sent>, Error> {
        self.session.send(&room(name), Post::new(body)).await
    }

    /// Takes a message back and waits for the outcome.
    ///
    /// # Errors
    /// As [`Session::redact`], with those of its receipt.
    ///
    /// # Panics
    /// Where `name` is no good name.
    ///
    /// # Cancel safety
    /// Dropped, the message may or may not have been taken back.
    pub async fn redact(&self, name: &str, seq: u64) -> Result<(), Error> {
        self.session.redact(&room(name), seq).await?.wait().await
    }

    /// Sends a signal to all others in a room.
    ///
    /// # Errors
    /// As [`Session::signal`].
    ///
    /// # Panics
    /// Where `name` is no good name.
    pub fn signal(&self, name: &str, signal: &str, data: Option<&str>) -> Result<(), Error> {
        self.session.signal(&room(name), signal, data.map(Data::new))
    }

    /// Takes everything that waits for this client, without waiting, one line each as [`describe`](super::describe) makes it, behind the name of its
    /// room: `lobby: 1 ada: hello`.
    pub fn told(&self) -> Vec<String> {
        self.take().iter().map(describe_outgoing).collect()
    }

    /// Takes everything that happened in its rooms and waits for this client, without waiting.
    pub fn events(&self) -> Vec<Arc<Event>> {
        self.take().iter().flat_map(Outgoing::events).cloned().collect()
    }

    fn take(&self) -> Vec<Outgoing> {
        let mut left = std::mem::take(&mut *lock(&self.left));
        let mut news = Vec::new();
        self.session.outbox().try_take(&mut news, usize::MAX);
        self.session.outbox().meter().progress();
        left.extend(news.into_iter().flat_map(Outgoing::apart));
        left
    }
}
