//! Who opened the rooms: the creator of a room's life is the browser whose join began it.

use std::{
    collections::{HashMap, HashSet},
    fmt,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
};

use chatrooms::{
    Data, Epoch, Error, Identity, Life, RegistryBuilder, RoomEnd, RoomName, RoomPolicy,
    RoomRegistry, StoreError, UserName, async_trait,
};
use serde_json::json;

use crate::{
    directory::Directory,
    ledger::Ledger,
    visitor::{BrowserId, Visitor},
};

/// The notice that tells a user's windows to ask anew what they may do in a room.
const NEWS: &str = "moderation";

/// Knows the creator of each life. Cloning is cheap, and every clone knows the same.
///
/// A creator is a browser and not a name, which may be somebody else's once it has lapsed. They stay the creator of that life wherever they are
/// meanwhile, in all of their windows and under whatever name. A logout makes another browser of theirs: from then on nobody is the creator, until
/// the life ends and somebody opens the next one.
#[derive(Clone, Default)]
pub(crate) struct Creators {
    inner: Arc<Inner>,
}

#[derive(Default)]
struct Inner {
    /// `None`: nobody knows who opened it. Held for one look or one change, never over an await nor while the registry is asked.
    by_life: Mutex<HashMap<Epoch, Option<BrowserId>>>,
    /// Where creators are written down whose rooms may outlive the process.
    ledger: Option<Arc<Ledger>>,
    /// Where they are noted, and nowhere else, if rooms are shared with other nodes.
    directory: Option<Directory>,
    /// Which lives there are. It is known before the first one begins, and holds its policy as its policy holds it, for as long as the process lives.
    registry: OnceLock<RoomRegistry>,
}

impl Creators {
    /// Goes on with lives of an earlier process. Whoever comes back to one first has not opened it, even if nothing was written down.
    pub(crate) async fn kept_in(
        ledger: Arc<Ledger>,
        earlier: Vec<Life>,
    ) -> Result<Self, sqlx::Error> {
        let earlier: HashSet<_> = earlier.into_iter().map(|life| life.epoch).collect();
        let known = ledger.creators_of(&earlier).await?;
        let by_life = earlier.into_iter().map(|life| (life, known.get(&life).copied())).collect();
        let by_life = Mutex::new(by_life);
        Ok(Self { inner: Arc::new(Inner { by_life, ledger: Some(ledger), ..Inner::default() }) })
    }

    /// Those that all nodes of a cluster know.
    pub(crate) fn of_a_cluster(directory: Directory) -> Self {
        Self { inner: Arc::new(Inner { directory: Some(directory), ..Inner::default() }) }
    }

    /// Starts rooms whose creators are known from here on.
    pub(crate) async fn start(&self, builder: RegistryBuilder) -> Result<RoomRegistry, StoreError> {
        let registry = builder.policy(self.clone()).start().await?;
        Ok(self.inner.registry.get_or_init(|| registry).clone())
    }

    /// The current life of a room, where this visitor is its creator.
    pub(crate) async fn life(&self, room: &RoomName, visitor: &Visitor) -> Option<Epoch> {
        let epoch = self.inner.registry.get()?.room(room).await.ok()?.epoch;
        let creator = match &self.inner.directory {
            // While nobody can be asked, nobody is known to be.
            Some(directory) => directory.creator(epoch).await.ok().flatten(),
            None => self.by_life().get(&epoch).copied().flatten(),
        };
        (creator == Some(visitor.browser)).then_some(epoch)
    }

    /// Has the windows of a creator ask how things stand now.
    pub(crate) fn tell(&self, creator: &UserName, room: &RoomName) {
        let Some(registry) = self.inner.registry.get() else { return };
        let data = json!({ "room": room.as_str() });
        // It is far from every limit, and whoever is not there asks when they come.
        let _ = registry.notify(creator, NEWS, Some(Data::new(data.to_string())));
    }

    /// Notes who has opened a life; says whether that was not known before.
    fn note(&self, life: Epoch, creator: BrowserId) -> bool {
        let mut by_life = self.by_life();
        let is_new = !by_life.contains_key(&life);
        if is_new {
            by_life.insert(life, Some(creator));
        }
        is_new
    }

    fn by_life(&self) -> MutexGuard<'_, HashMap<Epoch, Option<BrowserId>>> {
        self.inner.by_life.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Creators {
    // Who opened what does not belong in a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Creators")
    }
}

#[async_trait]
impl RoomPolicy for Creators {
    async fn room_opened(&self, by: &Identity, room: &RoomName, epoch: Epoch) {
        let Some(visitor) = by.claim::<Visitor>() else { return };
        let is_new = match &self.inner.directory {
            Some(directory) => {
                if directory.note_creator(epoch, visitor.browser).await.is_err() {
                    tracing::warn!(
                        "a room has no creator: the cluster could not note who opened it"
                    );
                }
                false
            }
            None => self.note(epoch, visitor.browser),
        };
        // In this order: a window that asks too early to see it is open, and is told.
        self.tell(&visitor.user, room);
        if is_new
            && let Some(ledger) = &self.inner.ledger
            && let Err(error) = ledger.keep_creator(epoch, visitor.browser).await
        {
            tracing::error!(%error, "the creator of a room cannot be saved for after a restart");
        }
    }

    async fn room_closed(&self, _: &RoomName, epoch: Epoch, reason: RoomEnd) {
        if let Some(directory) = &self.inner.directory {
            if reason != RoomEnd::Elsewhere && directory.forget_creator(epoch).await.is_err() {
                tracing::warn!(
                    "the creator of a room that is over stays noted in the cluster until their cookie expires"
                );
            }
            return;
        }
        self.by_life().remove(&epoch);
        if reason != RoomEnd::PutAway
            && let Some(ledger) = &self.inner.ledger
            && let Err(error) = ledger.forget_creator(epoch).await
        {
            tracing::warn!(%error, "the creator of a room that is over stays written down until the next start");
        }
    }

    /// A creator deletes whatever is said in their room.
    async fn may_redact(&self, who: &Identity, room: &RoomName, _: u64) -> Result<(), Error> {
        let visitor = who.claim::<Visitor>().ok_or(Error::Forbidden)?;
        self.life(room, visitor).await.map(drop).ok_or(Error::Forbidden)
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use chatrooms::{EventKind, Join, Post, Session};
    use tokio::task::yield_now;

    use super::*;

    fn visitor(browser: u8, user: &str) -> Visitor {
        let user = UserName::new(user).unwrap();
        Visitor { browser: BrowserId([browser; 16]), user, issued: SystemTime::now() }
    }

    fn lobby() -> RoomName {
        RoomName::new("lobby").unwrap()
    }

    async fn rooms() -> (RoomRegistry, Creators) {
        let creators = Creators::default();
        (creators.start(RoomRegistry::builder()).await.unwrap(), creators)
    }

    fn connect(registry: &RoomRegistry, visitor: &Visitor) -> Session {
        let identity = Identity::new(visitor.user.clone()).claims(visitor.clone());
        registry.open_session(identity).unwrap()
    }

    async fn enter(registry: &RoomRegistry, visitor: &Visitor) -> Session {
        let session = connect(registry, visitor);
        session.join(&lobby(), Join::default()).await.unwrap();
        session
    }

    /// Waits until this session has been told to ask.
    async fn told(session: &mut Session) {
        while let Some(event) = session.next().await {
            if let EventKind::Notice { name, data } = event.kind() {
                assert_eq!(
                    (&**name, data.as_ref().unwrap().as_str()),
                    (NEWS, r#"{"room":"lobby"}"#)
                );
                return;
            }
        }
    }

    #[tokio::test]
    async fn whoever_opens_a_room_is_its_creator_and_nobody_else() {
        let (registry, creators) = rooms().await;
        let (ada, eve) = (visitor(1, "ada"), visitor(2, "eve"));
        assert_eq!(creators.life(&lobby(), &ada).await, None, "there is no such room");
        let mut first = enter(&registry, &ada).await;
        told(&mut first).await;
        let _eve = enter(&registry, &eve).await;
        let epoch = registry.room(&lobby()).await.unwrap().epoch;
        assert_eq!(creators.life(&lobby(), &ada).await, Some(epoch));
        assert_eq!(
            creators.life(&lobby(), &visitor(1, "countess")).await,
            Some(epoch),
            "by another name"
        );
        assert_eq!(
            creators.life(&lobby(), &visitor(3, "ada")).await,
            None,
            "another's, by that name"
        );
        assert_eq!(creators.life(&lobby(), &eve).await, None);

        drop(first);
        assert_eq!(creators.life(&lobby(), &ada).await, Some(epoch), "also while away");
        assert_eq!(creators.life(&lobby(), &eve).await, None);
    }

    #[tokio::test]
    async fn the_next_life_has_a_creator_of_its_own_and_of_the_last_one_nothing_is_left() {
        let (registry, creators) = rooms().await;
        let (ada, eve) = (visitor(1, "ada"), visitor(2, "eve"));
        let mut first = enter(&registry, &ada).await;
        told(&mut first).await;
        drop(first);
        let mut next = enter(&registry, &eve).await;
        told(&mut next).await;
        let _back = enter(&registry, &ada).await;
        assert_eq!(creators.life(&lobby(), &ada).await, None);
        assert!(creators.life(&lobby(), &eve).await.is_some());
        while creators.by_life().len() > 1 {
            yield_now().await;
        }
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn of_those_who_open_a_room_together_one_is_the_creator_the_first_in_it() {
        let (registry, creators) = rooms().await;
        for round in 0..200 {
            let joins = (0..4).map(|browser| {
                let visitor = visitor(browser, &format!("guest {round}-{browser}"));
                let registry = registry.clone();
                tokio::spawn(async move {
                    let session = connect(&registry, &visitor);
                    let joined = session.join(&lobby(), Join::default()).await.unwrap();
                    (session, visitor, joined.first_in_room)
                })
            });
            let mut guests = Vec::new();
            for join in joins.collect::<Vec<_>>() {
                guests.push(join.await.unwrap());
            }
            let firsts: Vec<_> = guests.iter().filter(|(.., is_first)| *is_first).collect();
            assert_eq!(firsts.len(), 1);
            let mut found = Vec::new();
            while found.is_empty() {
                yield_now().await;
                for (_, visitor, _) in &guests {
                    if creators.life(&lobby(), visitor).await.is_some() {
                        found.push(visitor.browser);
                    }
                }
            }
            assert_eq!(found, [firsts[0].1.browser]);
        }
    }

    #[tokio::test]
    async fn a_creator_deletes_what_others_say_and_others_do_not() {
        let (registry, _) = rooms().await;
        let mut ada = enter(&registry, &visitor(1, "ada")).await;
        told(&mut ada).await;
        let eve = enter(&registry, &visitor(2, "eve")).await;
        ada.publish(&lobby(), Post::new("one")).await.unwrap();
        eve.publish(&lobby(), Post::new("two")).await.unwrap();
        let redact = async |session: &Session, seq| {
            session.redact(&lobby(), seq).await.unwrap().wait().await
        };
        assert_eq!(redact(&eve, 1).await, Err(Error::Forbidden));
        assert_eq!(redact(&ada, 2).await, Ok(()));
        assert_eq!(redact(&ada, 1).await, Ok(()), "and their own, as everybody does");
    }

    #[tokio::test]
    async fn of_an_earlier_life_only_its_own_creator_is_known() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("creators.db");
        std::fs::write(&path, "").unwrap();
        let ledger = Arc::new(Ledger::open(&path).await.unwrap());
        let (ada, eve) = (BrowserId([1; 16]), BrowserId([2; 16]));
        let [known, unknown] = [(); 2].map(|()| Life::new(lobby()));
        ledger.keep_creator(known.epoch, ada).await.unwrap();
        let earlier = vec![known.clone(), unknown.clone()];
        let creators = Creators::kept_in(ledger, earlier).await.unwrap();
        for life in [&known, &unknown] {
            assert!(!creators.note(life.epoch, eve), "who comes back first has not opened it");
        }
        assert_eq!(creators.by_life()[&known.epoch], Some(ada));
        assert_eq!(creators.by_life()[&unknown.epoch], None);
    }
}
