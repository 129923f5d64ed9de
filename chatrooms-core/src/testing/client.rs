//! A client without a socket.

use std::time::Duration;

use super::{
    HANG_LIMIT,
    describe::describe_outgoing,
    record::{Ending, Record},
    room, user,
};
use crate::{
    CloseReason, Data, Error, Event, Identity, Join, Joined, Outgoing, Page, Post, Receipt,
    RoomName, RoomRegistry, Sent, Session,
    oracle::{Outcome, Recorder, Request},
    sync::{
        Arc,
        aside::{Mutex, lock},
    },
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
    /// Before the session, because fields are dropped in their order: what it does when a client is dropped comes before the session's end.
    _ending: Ending,
    /// The session underneath, for everything that has no method here. What is taken from it directly is not seen by this client.
    pub session: Session,
    /// What a wait has taken from the outbox and left, for whoever asks next. Shared for `told(&self)` only: held for one take, never over
    /// an await.
    pub(super) left: Mutex<Vec<Outgoing>>,
    pub(super) hang_limit: Duration,
    /// What writes down all it does and is told, where that is wanted. After the session, whose end it writes down.
    pub(super) record: Option<Record>,
}

impl From<Session> for TestClient {
    fn from(session: Session) -> Self {
        Self {
            _ending: Ending::default(),
            session,
            left: Mutex::default(),
            hang_limit: HANG_LIMIT,
            record: None,
        }
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

    /// The same client, which writes down all that it does and is told from now on, for [`check`](crate::oracle::check) to judge. It is in no room yet.
    ///
    /// For that it takes what waits for it whenever it does something, so that it is never slow; whoever asks is told all the same. What is done with its
    /// [`session`](Self::session) directly is not written down, and must not take anything from there.
    ///
    /// ```
    /// # use chatrooms_core::{oracle::{Recorder, check}, testing::{TestClient, registry, settle}};
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() {
    /// let rooms = registry(|builder| builder).await;
    /// let run = Recorder::new();
    /// let ada = TestClient::new(&rooms, "ada").recorded(&run);
    /// let bob = TestClient::new(&rooms, "bob").recorded(&run);
    /// ada.join("lobby").await.unwrap();
    /// bob.join("lobby").await.unwrap();
    /// ada.say("lobby", "hello").await.unwrap();
    /// settle().await;
    /// ada.settled();
    /// bob.settled();
    /// assert_eq!(check(&run.trace()).unwrap().messages, 1);
    /// # }
    /// ```
    #[must_use]
    pub fn recorded(mut self, recorder: &Recorder) -> Self {
        let record = Record::new(recorder, self.session.identity().user().clone());
        self._ending = record.ending(&self.session);
        self.record = Some(record);
        self
    }

    /// Takes what waits for this client, for whoever asks later, and writes down that it is all there is to be told: whatever anybody did
    /// before has come to its end. Nothing where the client is not [recorded](Self::recorded).
    ///
    /// Whoever says so has waited for it, by [`settle`](super::settle) on a paused clock or by what others were answered.
    pub fn settled(&self) {
        self.note_news();
        if let Some(record) = &self.record {
            record.witness().settled();
        }
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
        let room = room(name);
        let (resume, history) = (join.resume, join.history);
        let call = self.asks(|| Request::Join { room: room.clone(), resume, history });
        let joined = self.session.join(&room, join).await;
        self.answered(call, || joined.as_ref().map_or_else(Outcome::from, |_| Outcome::Done));
        joined
    }

    /// Leaves a room.
    ///
    /// # Errors
    /// [`Error::NotInRoom`].
    ///
    /// # Panics
    /// Where `name` is no good name.
    pub fn leave(&self, name: &str) -> Result<(), Error> {
        let room = room(name);
        let call = self.asks(|| Request::Leave { room: room.clone() });
        let left = self.session.leave(&room);
        self.answered(call, || Outcome::from(&left));
        left
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
        self.publish(name, Post::new(body)).await
    }

    /// Says something with data or a nonce in a room and waits for the outcome.
    ///
    /// # Errors
    /// As [`Session::publish`].
    ///
    /// # Panics
    /// Where `name` is no good name.
    ///
    /// # Cancel safety
    /// As [`Session::publish`].
    pub async fn publish(&self, name: &str, post: Post) -> Result<Sent, Error> {
        let room = room(name);
        let call = self.asks_to_say(&room, &post);
        let sent = self.session.publish(&room, post).await;
        self.answered(call, || Outcome::from(&sent));
        sent
    }

    /// Says something in a room without waiting for the outcome, which the [record](Self::recorded) of a client then does not know.
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
        let (room, post) = (room(name), Post::new(body));
        let call = self.asks_to_say(&room, &post);
        let queued = self.session.send(&room, post).await;
        if let Err(error) = &queued {
            self.answered(call, || error.into());
        }
        queued
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
        let room = room(name);
        let call = self.asks(|| Request::Redact { room: room.clone(), seq });
        let redacted = match self.session.redact(&room, seq).await {
            Ok(receipt) => receipt.wait().await,
            Err(error) => Err(error),
        };
        self.answered(call, || Outcome::from(&redacted));
        redacted
    }

    /// The messages of a room before `before`, or the newest.
    ///
    /// # Errors
    /// As [`Session::history`].
    ///
    /// # Panics
    /// Where `name` is no good name.
    ///
    /// # Cancel safety
    /// As [`Session::history`].
    pub async fn history(
        &self,
        name: &str,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Page, Error> {
        let room = room(name);
        let call =
            self.asks(|| Request::History { room: room.clone(), before, limit: Some(limit) });
        let page = self.session.history(&room, before, limit).await;
        self.answered(call, || Outcome::from(&page));
        page
    }

    /// Sends a signal to all others in a room.
    ///
    /// # Errors
    /// As [`Session::signal`].
    ///
    /// # Panics
    /// Where `name` is no good name.
    pub fn signal(&self, name: &str, signal: &str, data: Option<&str>) -> Result<(), Error> {
        let room = room(name);
        let call = self.asks(|| Request::Signal { room: room.clone() });
        let signalled = self.session.signal(&room, signal, data.map(Data::new));
        self.answered(call, || Outcome::from(&signalled));
        signalled
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
        self.note_news();
        std::mem::take(&mut *lock(&self.left))
    }

    /// Takes what waits in the outbox to what is left for whoever asks.
    fn note_news(&self) {
        let outbox = self.session.outbox();
        // Asked before: what is told to a session that has ended can still be taken.
        let closed = outbox.closed();
        let mut news = Vec::new();
        outbox.try_take(&mut news, usize::MAX);
        outbox.meter().progress();
        self.note(&news, closed.as_ref());
        lock(&self.left).extend(news.into_iter().flat_map(Outgoing::apart));
    }

    /// Writes down what was taken from the outbox.
    pub(super) fn note(&self, news: &[Outgoing], closed: Option<&CloseReason>) {
        if let Some(record) = &self.record {
            record.note(news, closed);
        }
    }

    fn asks_to_say(&self, room: &RoomName, post: &Post) -> Option<u64> {
        let draft = || post.clone().by(Some(self.session.identity()));
        self.asks(|| Request::Send { room: room.clone(), draft: draft() })
    }

    /// Writes down a request, behind all that was told before.
    fn asks(&self, request: impl FnOnce() -> Request) -> Option<u64> {
        let record = self.record.as_ref()?;
        self.note_news();
        Some(record.witness().asks(request()))
    }

    /// Writes down what became of it, behind all that it has brought.
    fn answered(&self, call: Option<u64>, outcome: impl FnOnce() -> Outcome) {
        if let (Some(record), Some(call)) = (&self.record, call) {
            self.note_news();
            record.witness().answered(call, outcome());
        }
    }
}
