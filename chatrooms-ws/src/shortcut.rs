//! What is told to a session whose task sleeps is written by whoever tells it.

use std::{
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError},
    task::{Context, Poll, Wake, Waker},
    time::Duration,
};

use chatrooms_core::OwnedOutbox;
use futures_util::{Sink as _, task::AtomicWaker};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    task::coop::has_budget_remaining,
    time::Instant,
};

use crate::{
    gathering::BATCH,
    outgoing::{Direct, Out},
};

/// A session that is told things more often than this, on average, is better told many at a time.
const HURRY: Duration = Duration::from_millis(5);

/// So many in a row have to be.
const PATIENCE: u32 = 8;

/// A socket, and a waker that writes into it what its session is told. To wake the session's task only for that would cost as much again as all else that a copy of a message costs here: what the
/// task needs has gone from the processor's caches since it was polled last.
///
/// Whatever is out of the ordinary is left to the task: a socket that does not take it at once, an end, a session that is told much.
#[derive(Debug)]
pub(crate) struct Shortcut<T> {
    /// Taken before the outbox's lock.
    socket: Mutex<Direct<T>>,
    pace: Mutex<Pace>,
    outbox: OwnedOutbox,
    task: AtomicWaker,
}

/// How often a session is told something.
#[derive(Debug)]
struct Pace {
    /// Anything is too often where there is none.
    hurry: Option<Duration>,
    last: Instant,
    hurried: u32,
}

/// Why a session's task is to go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Woken {
    /// Something is to be told, or it has ended.
    Told,
    /// A write has begun and not ended.
    Begun,
}

/// How a session's task sleeps.
pub(crate) trait Doze: Sync {
    /// Whether it is told things so seldom that it may sleep; so many frames since this was last asked.
    fn may_sleep(&self, frames: usize) -> bool;

    /// Sleeps until there is something for the task to do.
    fn poll_asleep(&self, cx: &Context<'_>) -> Poll<Woken>;

    /// The task is about to be polled: what is told is its to write until it [lies down](Self::lie_down).
    fn get_up(&self);

    /// It has been polled, and has nothing in its hands.
    fn lie_down(&self);
}

/// It is woken for everything.
#[derive(Debug)]
pub(crate) struct Lightly;

impl Doze for Lightly {
    fn may_sleep(&self, _: usize) -> bool {
        false
    }

    fn poll_asleep(&self, _: &Context<'_>) -> Poll<Woken> {
        Poll::Ready(Woken::Told)
    }

    fn get_up(&self) {}

    fn lie_down(&self) {}
}

impl<T: AsyncRead + AsyncWrite + Send + Unpin + 'static> Shortcut<T> {
    /// It is taken where a write never reads: what reads remembers whom to wake for more, and would remember nobody.
    ///
    /// Until the outbox is closed, as it is when its session is dropped, it may hold this, and this the outbox.
    pub(crate) fn new(socket: Direct<T>, outbox: OwnedOutbox, is_taken: bool) -> Self {
        Self::paced(socket, outbox, is_taken.then_some(HURRY))
    }

    fn paced(socket: Direct<T>, outbox: OwnedOutbox, hurry: Option<Duration>) -> Self {
        Self {
            socket: Mutex::new(socket),
            pace: Mutex::new(Pace { hurry, last: Instant::now(), hurried: 0 }),
            outbox,
            task: AtomicWaker::new(),
        }
    }

    pub(crate) const fn socket(&self) -> &Mutex<Direct<T>> {
        &self.socket
    }

    /// Does something with the socket, between two writes.
    pub(crate) fn change<R>(&self, change: impl FnOnce(&mut Direct<T>) -> R) -> R {
        change(&mut lock(&self.socket))
    }

    /// Writes what is there; says whether that was all there is to do.
    fn write(self: &Arc<Self>) -> bool {
        let mut socket = match self.socket.try_lock() {
            Ok(socket) => socket,
            Err(TryLockError::Poisoned(socket)) => socket.into_inner(),
            Err(TryLockError::WouldBlock) => return false,
        };
        let is_seldom = || has_budget_remaining() && !lock(&self.pace).is_hurried(1);
        if !socket.is_free() || !is_seldom() {
            return false;
        }
        let mut told = Vec::new();
        self.outbox.try_take(&mut told, BATCH);
        if told.is_empty() {
            return false;
        }
        let mut socket = Pin::new(&mut *socket);
        // Nobody need be woken when it can go on: the task asks for that itself.
        let cx = &mut Context::from_waker(Waker::noop());
        let is_written = socket.as_mut().start_send(Out::Told(told)).is_ok()
            && matches!(socket.poll_flush(cx), Poll::Ready(Ok(())));
        is_written && self.outbox.write_next(Waker::from(Arc::clone(self)))
    }
}

impl<T: AsyncRead + AsyncWrite + Send + Unpin + 'static> Doze for Arc<Shortcut<T>> {
    fn may_sleep(&self, frames: usize) -> bool {
        !lock(&self.pace).is_hurried(frames)
    }

    /// Whoever tells the session something meanwhile writes it.
    fn poll_asleep(&self, cx: &Context<'_>) -> Poll<Woken> {
        self.task.register(cx.waker());
        if lock(&self.socket).has_batch() {
            return Poll::Ready(Woken::Begun);
        }
        if self.outbox.write_next(Waker::from(Self::clone(self))) {
            Poll::Pending
        } else {
            Poll::Ready(Woken::Told)
        }
    }

    fn get_up(&self) {
        lock(&self.socket).is_awake = true;
    }

    fn lie_down(&self) {
        lock(&self.socket).is_awake = false;
    }
}

impl Pace {
    /// So many frames more were told; says whether that happens often.
    fn is_hurried(&mut self, frames: usize) -> bool {
        let Some(hurry) = self.hurry else { return true };
        let now = Instant::now();
        let frames = u32::try_from(frames).unwrap_or(u32::MAX);
        let is_soon = now.duration_since(self.last) < hurry.saturating_mul(frames);
        self.last = now;
        self.hurried = if is_soon { self.hurried.saturating_add(frames) } else { 0 };
        self.hurried >= PATIENCE
    }
}

impl<T: AsyncRead + AsyncWrite + Send + Unpin + 'static> Wake for Shortcut<T> {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !self.write() {
            self.task.wake();
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use bytes::Bytes;
    use chatrooms_core::{
        CloseReason, Identity, Join, Post, RoomName, RoomRegistry, Session, UserName,
    };
    use futures_util::{FutureExt as _, SinkExt as _, StreamExt as _, future::BoxFuture};
    use serde_json::{Value, json};
    use tokio::{
        io::{DuplexStream, duplex},
        sync::mpsc,
        task::yield_now,
        time::advance,
    };
    use tokio_tungstenite::{
        WebSocketStream,
        tungstenite::{Message, protocol::Role},
    };

    use super::*;
    use crate::{Options, frames::Watch, metered::Metered, socket::serve_vouched};

    #[derive(Default)]
    struct Woken(AtomicU32);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Ada's task, which runs when it is told to; her client; and Bob, who is in the same room.
    struct Scene {
        shortcut: Arc<Shortcut<DuplexStream>>,
        serving: BoxFuture<'static, ()>,
        woken: Arc<Woken>,
        client: WebSocketStream<DuplexStream>,
        registry: RoomRegistry,
        bob: Session,
    }

    fn tea() -> RoomName {
        RoomName::new("tea").unwrap()
    }

    async fn join(registry: &RoomRegistry, name: &str) -> Session {
        let identity = Identity::new(UserName::new(name).unwrap());
        let session = registry.open_session(identity).unwrap();
        session.join(&tea(), Join::default()).await.unwrap();
        session
    }

    /// A session's task over a connection that holds so many bytes, and the client's end.
    async fn serve(
        session: Session,
        bytes: usize,
        hurry: Duration,
    ) -> (Arc<Shortcut<DuplexStream>>, BoxFuture<'static, ()>, WebSocketStream<DuplexStream>) {
        let (ours, theirs) = duplex(bytes);
        let options = Options::default();
        let meter = session.outbox().meter().clone();
        let io = Metered::new(ours, Bytes::new(), meter, Watch::new(&options));
        let socket = Direct::new(WebSocketStream::from_raw_socket(io, Role::Server, None).await);
        let shortcut = Arc::new(Shortcut::paced(socket, session.owned_outbox(), Some(hurry)));
        let socket = Arc::clone(&shortcut);
        let serving = async move {
            serve_vouched(&session, socket.socket(), &socket, Vec::new(), &options, None).await;
        };
        let client = WebSocketStream::from_raw_socket(theirs, Role::Client, None).await;
        (shortcut, serving.boxed(), client)
    }

    impl Scene {
        /// Ada is told things so seldom that her task sleeps.
        async fn asleep(bytes: usize) -> Self {
            let registry = RoomRegistry::new();
            let ada = join(&registry, "ada").await;
            let (shortcut, serving, client) = serve(ada, bytes, HURRY).await;
            let bob = join(&registry, "bob").await;
            let mut scene =
                Self { shortcut, serving, woken: Arc::default(), client, registry, bob };
            scene.run().await;
            for _ in 0..20 {
                advance(HURRY).await;
                scene.say("x").await;
                scene.run().await;
                while scene.hear().is_some() {
                    scene.run().await;
                }
            }
            scene.woken();
            scene
        }

        async fn say(&mut self, text: &str) {
            self.bob.publish(&tea(), Post::new(text)).await.unwrap();
        }

        /// Whether the task has been woken since this was last asked.
        fn woken(&self) -> bool {
            self.woken.0.swap(0, Ordering::Relaxed) > 0
        }

        /// Has the task go as far as it can.
        async fn run(&mut self) {
            let waker = Waker::from(Arc::clone(&self.woken));
            loop {
                let _ = self.serving.as_mut().poll(&mut Context::from_waker(&waker));
                // Who has waited for a turn is woken by tokio in the next one.
                yield_now().await;
                if !self.woken() {
                    return;
                }
            }
        }

        /// What the client has of it by now.
        fn hear(&mut self) -> Option<Message> {
            self.client.next().now_or_never()?.map(|heard| heard.expect("good frames"))
        }

        fn hear_body(&mut self) -> Option<String> {
            let frame: Value = serde_json::from_str(self.hear()?.to_text().unwrap()).unwrap();
            frame["body"].as_str().map(str::to_owned)
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_told_to_a_sleeping_session_is_there_without_its_task() {
        let mut scene = Scene::asleep(1 << 16).await;
        for text in ["one", "two", "three"] {
            advance(HURRY).await;
            scene.say(text).await;
            assert_eq!(scene.hear_body().as_deref(), Some(text));
            assert!(!scene.woken());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_a_socket_does_not_take_at_once_is_written_by_the_task() {
        let mut scene = Scene::asleep(256).await;
        let long = "x".repeat(2000);
        for text in [&long, "next", &long] {
            scene.say(text).await;
        }
        assert!(scene.woken());
        let mut heard = Vec::new();
        while heard.len() < 3 {
            scene.run().await;
            heard.extend(scene.hear_body());
        }
        assert_eq!(heard, [&long, "next", &long]);
    }

    #[tokio::test(start_paused = true)]
    async fn the_rest_of_what_a_socket_does_not_take_at_once_waits_for_nothing_else() {
        let mut scene = Scene::asleep(256).await;
        scene.say(&"x".repeat(2000)).await;
        assert!(scene.woken());
    }

    /// What the task has taken out of the outbox may not be in the socket yet.
    #[tokio::test(start_paused = true)]
    async fn nobody_writes_what_comes_behind_what_the_task_has_taken() {
        let mut scene = Scene::asleep(1 << 16).await;
        scene.shortcut.get_up();
        scene.say("behind").await;
        assert!(scene.hear().is_none() && scene.woken());
        scene.run().await;
        assert_eq!(scene.hear_body().as_deref(), Some("behind"));
        advance(HURRY).await;
        scene.say("next").await;
        assert_eq!(scene.hear_body().as_deref(), Some("next"), "it has lain down again");
    }

    #[tokio::test(start_paused = true)]
    async fn who_is_told_much_is_told_many_things_at_a_time() {
        let mut scene = Scene::asleep(1 << 16).await;
        for _ in 0..PATIENCE {
            scene.say("soon").await;
        }
        assert!(scene.woken());
        scene.run().await;
        scene.say("again").await;
        assert!(scene.woken(), "it is not slow again yet");
        scene.run().await;
        assert_eq!((0..=PATIENCE).filter_map(|_| scene.hear_body()).count(), 9);
    }

    #[tokio::test(start_paused = true)]
    async fn an_end_wakes_the_task_which_says_goodbye() {
        let mut scene = Scene::asleep(1 << 16).await;
        let ada = UserName::new("ada").unwrap();
        scene.registry.end_sessions(&ada, &CloseReason::LoggedOut);
        assert!(scene.woken());
        scene.run().await;
        let mut heard = std::iter::from_fn(|| scene.hear());
        assert!(heard.any(|frame| matches!(frame, Message::Close(Some(_)))));
    }

    #[tokio::test(start_paused = true)]
    async fn a_session_whose_task_is_gone_is_told_nothing() {
        let mut scene = Scene::asleep(1 << 16).await;
        scene.serving = std::future::pending().boxed();
        assert_eq!(scene.registry.stats().sessions, 1);
        scene.say("alone").await;
        assert!(scene.hear().is_none());
        assert_eq!(Arc::strong_count(&scene.shortcut), 1, "its outbox holds it no more");
    }

    /// Two who speak on threads of their own, each of them again when the client has heard what they said, while the client keeps the task busy with questions. Everything comes
    /// whole, once and in its order.
    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn those_who_tell_and_the_task_do_not_mix_what_they_write() {
        const EACH: usize = 3000;
        let registry = RoomRegistry::builder().config(unlimited()).start().await.unwrap();
        let (_, serving, client) = serve(join(&registry, "ada").await, 700, Duration::ZERO).await;
        let serving = tokio::spawn(serving);
        let mut heard_by = Vec::new();
        for name in ["bob", "eve"] {
            let (heard, mut next) = mpsc::unbounded_channel();
            let session = join(&registry, name).await;
            tokio::spawn(async move {
                for n in 0..EACH {
                    let text = format!("{n:0>width$}", width = 4 + n % 200);
                    session.publish(&tea(), Post::new(text)).await.unwrap();
                    next.recv().await.expect("it is heard");
                    session.outbox().try_take(&mut Vec::new(), usize::MAX);
                }
            });
            heard_by.push((name, heard, 0));
        }
        let (mut ask, mut answers) = client.split();
        let (mut seq, mut asked) = (0, 0_u64);
        while heard_by.iter().any(|(_, _, count)| *count < EACH) {
            let frame = answers.next().await.expect("it is open").expect("good frames");
            let Message::Text(text) = frame else { continue };
            let frame: Value = serde_json::from_str(&text).unwrap();
            if frame["type"] != "message" {
                continue;
            }
            seq += 1;
            assert_eq!(frame["seq"], seq);
            let (_, heard, count) =
                heard_by.iter_mut().find(|(name, ..)| frame["user"] == *name).expect("one of them");
            assert_eq!(frame["body"].as_str().unwrap().parse::<usize>().unwrap(), *count);
            *count += 1;
            if seq % 3 == 0 {
                asked += 1;
                ask.send(Message::text(json!({"type": "ping", "id": asked}).to_string()))
                    .await
                    .unwrap();
            }
            let _ = heard.send(());
        }
        drop((ask, answers));
        serving.await.expect("it ends");
    }

    /// Nobody is refused for asking often.
    fn unlimited() -> chatrooms_core::Config {
        let mut config = chatrooms_core::Config::default();
        (config.send_burst, config.request_burst) = (u32::MAX, u32::MAX);
        config
    }
}
