//! How a room's life is opened in the store.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    pin::pin,
    sync::atomic::Ordering,
    time::Duration,
};

use futures_util::{StreamExt as _, stream};
use tokio::time::{Instant, sleep_until, timeout_at};

use crate::{
    Budget, Epoch, Error, Life, Opened, RoomName, RoomRules, StoreError, policy,
    room::Room,
    shared::Shared,
    sync::{AbortOnDropHandle, Arc, AtomicBool, Handle, Mutex, after, in_time, lock},
};

/// Lives of an earlier process that wait for somebody to come back.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    /// Held for one look, never while another lock is taken, never over an await.
    lives: Mutex<HashMap<RoomName, (Epoch, Instant)>>,
    /// Whether there has ever been one: in most processes there never is, and then nobody need look.
    are_any: AtomicBool,
    /// What removes those that nobody comes back to. Held for one look, like the other.
    sweeping: Mutex<Option<AbortOnDropHandle<()>>>,
}

impl Kept {
    fn take(&self, room: &RoomName) -> Option<(Epoch, Instant)> {
        // Whoever looks too early has come before it was kept.
        self.are_any.load(Ordering::Relaxed).then(|| lock(&self.lives).remove(room)).flatten()
    }

    /// Keeps a life until then; returns the one that waited in its place.
    fn put(&self, life: Life, until: Instant) -> Option<Life> {
        let Life { room, epoch } = life;
        self.are_any.store(true, Ordering::Relaxed);
        let older = lock(&self.lives).insert(room.clone(), (epoch, until))?;
        Some(Life { room, epoch: older.0 })
    }

    /// Takes those that nobody has come back to.
    fn take_expired(&self) -> Vec<Life> {
        let now = Instant::now();
        let expired =
            lock(&self.lives).extract_if(|_, (_, until)| *until <= now).collect::<Vec<_>>();
        expired.into_iter().map(|(room, (epoch, _))| Life { room, epoch }).collect()
    }

    /// Leaves those that nobody comes back to any more to the next process. Who is on their way to one still finds it, and leaves it there too.
    pub(crate) fn leave(&self) {
        drop(lock(&self.sweeping).take());
    }
}

/// Sweeps the lives of an earlier process, or keeps them for their people's return.
pub(crate) async fn take_over(abandoned: Vec<Life>, shared: &Arc<Shared>) {
    let runtime = Handle::current();
    // When those go that nobody comes back to, by how long their rooms linger.
    let mut ends = BTreeMap::new();
    // A policy that hangs delays the start once, and not once for each room.
    let by = after(shared.config.policy_timeout);
    let mut asked = stream::iter(abandoned)
        .map(|life| async move { (linger_of(&life.room, by, shared).await, life) })
        .buffer_unordered(AT_A_TIME);
    while let Some((linger, life)) = asked.next().await {
        let over = if linger.is_zero() {
            Some(life)
        } else {
            let until = *ends.entry(linger).or_insert_with(|| after(linger));
            shared.kept.put(life, until)
        };
        if let Some(life) = over {
            shared.sweep(life, &runtime);
        }
    }
    sweep_expired(ends.into_values().collect(), shared, &runtime);
}

/// How many rooms the policy is asked about at a time.
const AT_A_TIME: usize = 64;

/// How long a room of an earlier process waits for its people. A policy that fails has not said anything else than the configuration.
async fn linger_of(room: &RoomName, by: Instant, shared: &Shared) -> Duration {
    match timeout_at(by, rules(room, shared)).await {
        Ok(Ok(rules)) => rules.linger,
        Ok(Err(Error::Internal)) | Err(_) => shared.config.linger,
        Ok(Err(_)) => Duration::ZERO,
    }
}

fn sweep_expired(ends: BTreeSet<Instant>, shared: &Arc<Shared>, runtime: &Handle) {
    let (kept_by, on) = (Arc::downgrade(shared), runtime.clone());
    let sweeping = runtime.spawn(async move {
        for end in ends {
            sleep_until(end).await;
            let Some(shared) = kept_by.upgrade() else { return };
            for life in shared.kept.take_expired() {
                shared.sweep(life, &on);
            }
        }
    });
    *lock(&shared.kept.sweeping) = Some(AbortOnDropHandle::new(sweeping));
}

/// The rules of a room whose life is to begin.
pub(crate) async fn rules(room: &RoomName, shared: &Shared) -> Result<RoomRules, Error> {
    let rules = RoomRules::new(&shared.config);
    let Some(policy) = &shared.policy else { return Ok(rules) };
    // In a box of its own, so that the opening of a room is small where there is no policy.
    Box::pin(policy::ask(shared, "open_room", async { policy.open_room(room, rules).await })).await
}

/// Asks the store to open a room's life. Those who wait for it wait for [`Config::store_timeout`](crate::Config::store_timeout) at most:
/// after that the room is over, and what the store still opens is closed again.
pub(crate) async fn open(room: Arc<Room>, shared: Arc<Shared>) {
    let rules = match rules(room.name(), &shared).await {
        Ok(rules) => rules,
        Err(error) => return room.open(Err(error), None, &shared),
    };
    let kept = shared.kept.take(room.name());
    let mut opening = pin!(open_life(&room, kept, &shared));
    let (opened, kept) = match in_time(shared.config.store_timeout, opening.as_mut()).await {
        Some(opened) => opened,
        None => {
            shared.store_timed_out("open", Some(room.name()));
            room.open(Err(Error::StoreUnavailable), None, &shared);
            match opening.await {
                // Its people may still come back to it: it waits for them on its own.
                (Ok(opened), Some(until)) => {
                    return shared.adopt(&room, (opened, rules), until);
                }
                (late, _) => (late, None),
            }
        }
    };
    room.open(opened.map(|opened| (opened, rules)), kept, &shared);
}

/// Opens the life that was kept, until when it was says the second part, or a new one.
async fn open_life(
    room: &Room,
    kept: Option<(Epoch, Instant)>,
    shared: &Arc<Shared>,
) -> (Result<Opened, Error>, Option<Instant>) {
    // Boxed because hardly any room has been kept.
    if let Some((epoch, until)) = kept
        && let Some(opened) = Box::pin(reopen_life(room, epoch, until, shared)).await
    {
        return opened;
    }
    (ask(room, None, shared).await.map_err(|_| Error::StoreUnavailable), None)
}

/// Opens the life that was kept. `None` where somebody has ended it meanwhile.
async fn reopen_life(
    room: &Room,
    epoch: Epoch,
    until: Instant,
    shared: &Arc<Shared>,
) -> Option<(Result<Opened, Error>, Option<Instant>)> {
    match ask(room, Some(epoch), shared).await {
        Ok(opened) => Some((Ok(opened), Some(until))),
        Err(Error::NotFound) => None,
        Err(error) => {
            put_back(Life { room: room.name().clone(), epoch }, until, room, shared);
            Some((Err(error), None))
        }
    }
}

fn put_back(life: Life, until: Instant, room: &Room, shared: &Arc<Shared>) {
    // However long it took: its people find it in the next process.
    if shared.is_stopping() {
        return;
    }
    let over = if until <= Instant::now() { Some(life) } else { shared.kept.put(life, until) };
    if let Some(life) = over {
        shared.sweep(life, &room.runtime);
    }
}

async fn ask(room: &Room, kept: Option<Epoch>, shared: &Arc<Shared>) -> Result<Opened, Error> {
    let config = &shared.config;
    let recent = Budget { messages: config.recent, bytes: config.half_reply() };
    match shared.store.open(room.name(), kept, recent).await {
        Ok(opened) => Ok(opened),
        Err(StoreError::Closed) => Err(Error::NotFound),
        Err(_) => Err(Error::StoreUnavailable),
    }
}
