//! A host that takes credentials back, or cannot say, on a paused clock.

use std::{
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::SystemTime,
};

use async_trait::async_trait;
use chatrooms_core::{Identity, RoomRegistry, UserName};
use http::request::Parts;
use tokio::{sync::watch, task::JoinSet, time::sleep};

use super::*;
use crate::{Authenticator, Options, Refusal};

/// How a host answers.
#[derive(Clone, Copy, PartialEq)]
enum Mood {
    Valid,
    Void,
    Silent,
    Panicking,
}

/// More questions than any test has: a host that is asked without a pause is silent then, so that time goes on and the test fails rather than hang.
const PATIENCE: usize = 100_000;

#[derive(Clone)]
struct Moody {
    mood: watch::Sender<Mood>,
    asked: Arc<AtomicUsize>,
}

#[async_trait]
impl Authenticator for Moody {
    async fn authenticate(&self, _: &Parts) -> Result<Identity, Refusal> {
        Err(Refusal::Unauthorized)
    }

    async fn still_valid(&self, _: &Identity) -> bool {
        if self.asked.fetch_add(1, Relaxed) > PATIENCE {
            return std::future::pending().await;
        }
        let mood = *self.mood.borrow();
        match mood {
            Mood::Valid => true,
            Mood::Void => false,
            Mood::Silent => std::future::pending().await,
            Mood::Panicking => panic!("on purpose"),
        }
    }
}

struct Scene {
    host: Moody,
    endpoint: Endpoint,
}

impl Scene {
    fn new(mood: Mood) -> Self {
        Self::with(mood, Options::default())
    }

    fn with(mood: Mood, options: Options) -> Self {
        let host = Moody { mood: watch::Sender::new(mood), asked: Arc::default() };
        let endpoint = Endpoint::new(RoomRegistry::new(), host.clone()).with_options(options);
        Self { host, endpoint }
    }

    fn asked(&self) -> usize {
        self.host.asked.load(Relaxed)
    }

    /// How a session ends.
    async fn ended(&self, identity: Identity) -> CloseReason {
        let session = self.endpoint.registry().open_session(identity).unwrap();
        tokio::select! {
            () = end_with_credentials(&session, Some(&self.endpoint)) => panic!("it never returns"),
            reason = session.outbox().closing() => reason,
        }
    }

    /// Whether a session still stands after this time.
    async fn stands_for(&self, time: Duration) -> bool {
        tokio::time::timeout(time, self.ended(ada())).await.is_err()
    }
}

fn ada() -> Identity {
    Identity::new(UserName::new("ada").unwrap())
}

const MINUTE: Duration = Duration::from_secs(60);

/// What has to come, and fails the test rather than hang.
async fn in_time<T>(coming: impl Future<Output = T>) -> T {
    tokio::time::timeout(100 * MINUTE, coming).await.expect("it comes")
}

#[tokio::test(start_paused = true)]
async fn a_session_ends_within_the_recheck_time_of_its_revocation() {
    let scene = Scene::new(Mood::Valid);
    let mut ended = pin!(scene.ended(ada()));
    tokio::select! {
        _ = &mut ended => panic!("nothing was taken back"),
        () = sleep(10 * MINUTE) => {}
    }
    let began = Instant::now();
    scene.host.mood.send_replace(Mood::Void);
    assert_eq!(in_time(ended).await, CloseReason::Unauthorized);
    assert!(began.elapsed() <= MINUTE, "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn the_host_is_asked_about_once_per_recheck_time_and_no_more() {
    let scene = Scene::new(Mood::Valid);
    assert!(scene.stands_for(100 * MINUTE).await);
    // Every 45 s on average.
    assert!((100..=200).contains(&scene.asked()), "{}", scene.asked());
}

#[tokio::test(start_paused = true)]
async fn those_who_came_together_are_asked_about_one_by_one() {
    const CROWD: usize = 1000;
    let mut config = chatrooms_core::Config::default();
    config.sessions_per_user = CROWD;
    let registry = RoomRegistry::builder().config(config).start().await.unwrap();
    let host = Moody { mood: watch::Sender::new(Mood::Valid), asked: Arc::default() };
    let endpoint = Endpoint::new(registry.clone(), host.clone());
    let mut crowd = JoinSet::new();
    for _ in 0..CROWD {
        let (endpoint, session) = (endpoint.clone(), registry.open_session(ada()).unwrap());
        crowd.spawn(async move { end_with_credentials(&session, Some(&endpoint)).await });
    }
    let mut most = 0;
    for _ in 0..120 {
        let before = host.asked.load(Relaxed);
        sleep(Duration::from_secs(1)).await;
        most = most.max(host.asked.load(Relaxed) - before);
    }
    // A thirtieth of them are due in each second of the first turn.
    assert!(most <= CROWD / 10, "{most} in one second");
    assert!(host.asked.load(Relaxed) >= 2 * CROWD, "all of them, twice");
}

#[tokio::test(start_paused = true)]
async fn a_host_that_says_never_is_never_asked() {
    for recheck in [Duration::MAX, Duration::from_secs(100 * 365 * 86_400)] {
        let options = Options { recheck, ..Options::default() };
        let scene = Scene::with(Mood::Void, options);
        assert!(scene.stands_for(Duration::from_secs(365 * 86_400)).await);
        assert_eq!(scene.asked(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_host_that_says_always_is_asked_ten_times_a_second_or_a_little_more() {
    let options = Options { recheck: Duration::ZERO, ..Options::default() };
    let scene = Scene::with(Mood::Valid, options);
    // Or time would not go on in what follows.
    assert_eq!(scene.endpoint.options().recheck, Duration::from_millis(100));
    assert!(scene.stands_for(MINUTE).await);
    assert!((600..=1200).contains(&scene.asked()), "{}", scene.asked());
}

#[tokio::test(start_paused = true)]
async fn a_host_that_does_not_answer_ends_nobody_and_is_asked_again() {
    let scene = Scene::new(Mood::Silent);
    assert!(scene.stands_for(10 * MINUTE).await);
    assert!(scene.asked() >= 9, "{}", scene.asked());
}

#[tokio::test(start_paused = true)]
async fn a_host_that_panics_ends_nobody_and_is_asked_again() {
    let scene = Scene::new(Mood::Panicking);
    let mut ended = pin!(scene.ended(ada()));
    tokio::select! {
        _ = &mut ended => panic!("nothing was taken back"),
        () = sleep(10 * MINUTE) => {}
    }
    assert!(scene.asked() >= 10, "{}", scene.asked());
    scene.host.mood.send_replace(Mood::Void);
    assert_eq!(in_time(ended).await, CloseReason::Unauthorized);
}

#[tokio::test(start_paused = true)]
async fn credentials_end_on_time_whatever_the_host_does() {
    for mood in [Mood::Valid, Mood::Silent, Mood::Panicking] {
        // It is being asked when the time comes.
        let options = Options { authenticator_time: 10 * MINUTE, ..Options::default() };
        let scene = Scene::with(mood, options);
        let began = Instant::now();
        let until = ada().expires_at(SystemTime::now() + 5 * MINUTE);
        assert_eq!(in_time(scene.ended(until)).await, CloseReason::Unauthorized);
        let lasted = began.elapsed().as_secs();
        assert!((299..=300).contains(&lasted), "{lasted}");
        assert!(scene.asked() >= 1);
    }
}

#[tokio::test(start_paused = true)]
async fn without_an_authenticator_nobody_is_asked() {
    let registry = RoomRegistry::new();
    let session = registry.open_session(ada()).unwrap();
    let watching = end_with_credentials(&session, None);
    assert!(tokio::time::timeout(100 * MINUTE, watching).await.is_err());
    assert_eq!(session.outbox().closed(), None);
}
