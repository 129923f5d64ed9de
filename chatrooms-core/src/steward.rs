//! The task that keeps a room in step with the cluster, from the first who wants in until nobody of this node is there any more.
//!
//! Everything that this node does to who is in a shared room goes through its steward, one after the other: so whoever comes back after they went
//! comes back to what their going has left. What cannot be done because the cluster is away is kept and tried again; who wants in meanwhile is told so.

use std::{collections::VecDeque, pin::pin, time::Duration};

use futures_util::future::{Either, select};
use tokio::{
    sync::{Semaphore, mpsc, oneshot},
    time::{sleep, timeout},
};

use crate::{
    Bell, Budget, CloseReason, Cluster, ClusterError, ConnectionId, Entry, Error, Exited, Join,
    Joined, Known, Life, News, Note, Passing, Removal, RoomEnd, RoomRules, UserName,
    effects::end_peer,
    hooks::tell_closed,
    linked::{Guest, Taken},
    note,
    opening::rules,
    peer::Peer,
    room::{NoEntry, Room},
    shared::Shared,
    sync::{AbortOnDropHandle, Arc, Handle, after, guarded, lock, yield_once},
};

/// A bell may be lost: news are looked for as often as this.
const LOOK: Duration = Duration::from_secs(1);
/// Whoever may have entered without an answer is taken out at once, and again after this long: what was on its way to the cluster has arrived by then.
const AGAIN: Duration = Duration::from_secs(5);
/// By how much the end of a linger is put off, so that it has come by the cluster's clock too.
const SLACK: Duration = Duration::from_millis(50);

/// Where a steward is given what it has to see to.
#[derive(Debug)]
pub(crate) struct Desk(mpsc::UnboundedSender<Errand>);

/// What a steward takes from its desk. Each errand stands for somebody who is in the room, comes or has just gone, or for a word of the host's.
pub(crate) type Errands = mpsc::UnboundedReceiver<Errand>;

/// Something that a steward has to see to.
#[derive(Debug)]
pub(crate) enum Errand {
    /// Somebody wants in.
    Enter { peer: Arc<Peer>, join: Join, answer: oneshot::Sender<Result<Arc<Joined>, NoEntry>> },
    /// Somebody has gone from here.
    Exit { connection: ConnectionId, lost: bool },
    /// All connections of a user are to go.
    Remove { user: UserName, code: Removal, reason: Option<Arc<str>> },
    /// The room is closed.
    Close { reason: Option<Arc<str>> },
    /// Something was imposed.
    Impose,
    /// Something passing is to be passed on.
    Pass(Passing),
    /// The linger is over.
    Expire,
    /// There may be nobody left.
    Look,
}

/// What has to be done in the cluster, however often that has to be tried.
#[derive(Debug)]
enum Chore {
    Exit { connection: ConnectionId, lost: bool },
    Remove { user: UserName, code: Removal, reason: Option<Arc<str>> },
    Close { reason: Option<Arc<str>> },
    Impose,
    Expire,
}

impl Desk {
    pub(crate) fn new() -> (Self, Errands) {
        let (sender, receiver) = mpsc::unbounded_channel();
        (Self(sender), receiver)
    }

    pub(crate) fn give(&self, errand: Errand) {
        // A steward that has gone has left nobody behind whom this could be about.
        let _ = self.0.send(errand);
    }
}

struct Steward {
    room: Arc<Room>,
    shared: Arc<Shared>,
    cluster: Arc<dyn Cluster>,
    rules: RoomRules,
    bell: Bell,
    /// In their order; what comes first is done first.
    chores: VecDeque<Chore>,
    /// Places for what is being passed on.
    passing: Arc<Semaphore>,
}

/// How many things in passing may be on their way from one room.
const PASSING: usize = 16;

/// Keeps a room in step until it is over here.
pub(crate) async fn attend(room: Arc<Room>, shared: Arc<Shared>, mut errands: Errands) {
    let Some(cluster) = shared.cluster.clone() else { return };
    let ready = async {
        let rules = rules(room.name(), &shared).await?;
        // A cluster that panics or hangs is one that is away.
        let listening = guarded(async { cluster.listen(room.name()).await });
        let bell = timeout(shared.config.store_timeout, listening).await.ok().flatten();
        match bell {
            Some(Ok(bell)) => Ok((rules, bell)),
            Some(Err(_)) | None => Err(Error::StoreUnavailable),
        }
    };
    let (rules, bell) = match ready.await {
        Ok(ready) => ready,
        Err(error) => return turn_away(&room, &shared, errands, &NoEntryFor::Error(error)),
    };
    let (chores, passing) = (VecDeque::new(), Arc::new(Semaphore::new(PASSING)));
    let mut steward = Steward { room, shared, cluster, rules, bell, chores, passing };
    while steward.turn(&mut errands).await {}
    // What is still to be done here is about connections that the cluster has no more, or about ones that it still has to be told of.
    steward.finish(&mut errands).await;
    let Steward { room, shared, .. } = steward;
    turn_away(&room, &shared, errands, &NoEntryFor::NextLife);
}

/// What those are told who have come too late.
enum NoEntryFor {
    Error(Error),
    NextLife,
}

fn turn_away(room: &Arc<Room>, shared: &Arc<Shared>, mut errands: Errands, why: &NoEntryFor) {
    room.part(RoomEnd::Lost, false, None, shared);
    errands.close();
    while let Ok(errand) = errands.try_recv() {
        if let Errand::Enter { answer, .. } = errand {
            let refused = match why {
                NoEntryFor::Error(error) => NoEntry::Refused(error.clone()),
                NoEntryFor::NextLife => NoEntry::Over,
            };
            // Whoever asked may have gone.
            let _ = answer.send(Err(refused));
        }
    }
}

impl Steward {
    /// One look at what there is to do; says whether there will be another one.
    async fn turn(&mut self, errands: &mut Errands) -> bool {
        match self.woken(errands).await {
            Woken::Errand(errand) => self.see_to(errand).await,
            Woken::Bell => {
                self.hear();
                // Whoever has done it may be about to take it in by themselves.
                yield_once().await;
                if !self.is_known_already() {
                    self.read().await;
                }
                self.do_chores().await;
            }
            Woken::Time => {
                self.read().await;
                self.do_chores().await;
            }
        }
        if self.room.is_over() {
            return false;
        }
        let is_idle = self.chores.is_empty() && errands.is_empty();
        !(is_idle && self.room.let_go(&self.shared))
    }

    async fn woken(&self, errands: &mut Errands) -> Woken {
        let (errand, bell) = (pin!(errands.recv()), pin!(timeout(LOOK, self.bell.rung())));
        match select(errand, bell).await {
            Either::Left((Some(errand), _)) => Woken::Errand(errand),
            Either::Left((None, _)) | Either::Right((Err(_), _)) => Woken::Time,
            Either::Right((Ok(()), _)) => Woken::Bell,
        }
    }

    /// Sees to the exits that are left of a room that is over here.
    async fn finish(&mut self, errands: &mut Errands) {
        errands.close();
        let mut refused = Vec::new();
        while let Ok(errand) = errands.try_recv() {
            match errand {
                Errand::Enter { answer, .. } => refused.push(answer),
                errand => self.note_down(errand),
            }
        }
        for answer in refused {
            // Whoever asked may have gone.
            let _ = answer.send(Err(NoEntry::Over));
        }
        self.chores.retain(|chore| matches!(chore, Chore::Exit { .. }));
        while !self.do_chores().await && !self.shared.is_stopping() {
            self.bell_or_look().await;
        }
    }

    async fn bell_or_look(&self) {
        // It is a hint either way.
        let _ = timeout(LOOK, self.bell.rung()).await;
    }

    async fn see_to(&mut self, errand: Errand) {
        match errand {
            Errand::Enter { peer, join, answer } => {
                let entered = self.enter(&peer, &join).await;
                // Whoever asked may have gone: they are in all the same, as after a join.
                let _ = answer.send(entered);
            }
            Errand::Pass(passing) => self.pass(passing),
            errand => {
                self.note_down(errand);
                self.do_chores().await;
            }
        }
    }

    /// Passes something on beside everything else, unless too much is on its way already: what is passing is the first to go.
    fn pass(&self, passing: Passing) {
        let Ok(place) = Arc::clone(&self.passing).try_acquire_owned() else { return };
        let Some(life) = self.life() else { return };
        let cluster = Arc::clone(&self.cluster);
        self.room.runtime.spawn(async move {
            // What does not arrive is lost.
            let _ = cluster.pass(&life, &passing).await;
            drop(place);
        });
    }

    /// Tells what was passed on from other nodes.
    fn hear(&self) {
        let Some(life) = self.life() else { return };
        for passing in self.bell.passed(life.epoch) {
            self.room.hear(passing, &self.shared);
        }
    }

    fn note_down(&mut self, errand: Errand) {
        self.chores.push_back(match errand {
            Errand::Exit { connection, lost } => Chore::Exit { connection, lost },
            Errand::Remove { user, code, reason } => Chore::Remove { user, code, reason },
            Errand::Close { reason } => Chore::Close { reason },
            Errand::Impose => Chore::Impose,
            Errand::Expire => Chore::Expire,
            Errand::Enter { .. } | Errand::Pass(_) | Errand::Look => return,
        });
    }

    fn known(&self) -> Option<Known> {
        self.room.live(|live| live.known()).flatten()
    }

    fn life(&self) -> Option<Life> {
        self.room.live(|live| live.life.clone())
    }

    /// Whether the bell has rung for what is known here by now.
    fn is_known_already(&self) -> bool {
        let Some((heard, known)) = self.bell.heard().zip(self.known()) else { return false };
        let is_farther =
            heard.seq > known.seq || heard.edge > known.edge || heard.note > known.note;
        heard.epoch == known.epoch && !is_farther
    }

    fn budget(&self) -> Budget {
        let config = &self.shared.config;
        Budget { messages: config.recent.max(1), bytes: config.half_reply() }
    }

    /// Lets somebody in, where all that happened before is done.
    async fn enter(&mut self, peer: &Arc<Peer>, join: &Join) -> Result<Arc<Joined>, NoEntry> {
        if !self.do_chores().await {
            return Err(NoEntry::Refused(Error::StoreUnavailable));
        }
        if self.room.is_over() {
            return Err(NoEntry::Over);
        }
        let connection = ConnectionId::new();
        let identity = peer.identity();
        let entry = Entry {
            connection,
            user: identity.user().clone(),
            name: identity.name().cloned(),
            meta: join.meta.clone(),
        };
        let (name, known) = (self.room.name().clone(), self.known());
        let entering = async {
            self.cluster.enter(&name, &entry, &self.rules, known.as_ref(), self.budget()).await
        };
        let entered = match guarded(entering).await {
            Some(Ok(entered)) => entered,
            Some(Err(error)) => return Err(self.refused(error, connection)),
            None => return Err(NoEntry::Refused(Error::Internal)),
        };
        let guest = Guest::new(peer, join, connection, &entered);
        let more = entered.news.more;
        let taken = if known.is_some() {
            self.room.take_news(entered.news, Some(&guest), &self.shared)
        } else {
            let rules = self.rules.clone();
            Some(self.room.begin_shared(entered, rules, &guest, &self.shared))
        };
        let mut joined = taken.and_then(|taken| self.follow(taken));
        if more {
            joined = joined.or(self.read_for(Some(&guest)).await);
        }
        match joined {
            Some(joined) => joined.map_err(NoEntry::Refused),
            // The room ended before their entry had its turn.
            None => {
                self.chores.push_back(Chore::Exit { connection, lost: false });
                Err(NoEntry::Over)
            }
        }
    }

    fn refused(&mut self, error: ClusterError, connection: ConnectionId) -> NoEntry {
        match error {
            ClusterError::Full => NoEntry::Refused(Error::RoomFull),
            ClusterError::Banned => NoEntry::Refused(Error::Banned),
            ClusterError::OutcomeUnknown { .. } => {
                self.chores.push_back(Chore::Exit { connection, lost: true });
                self.exit_again(connection);
                NoEntry::Refused(Error::StoreUnavailable)
            }
            ClusterError::Unavailable { .. } => NoEntry::Refused(Error::StoreUnavailable),
            error => {
                self.ended(&error);
                NoEntry::Over
            }
        }
    }

    /// What was on its way to the cluster when it broke may arrive after all.
    fn exit_again(&self, connection: ConnectionId) {
        let (cluster, name) = (Arc::clone(&self.cluster), self.room.name().clone());
        let again = async move {
            sleep(AGAIN).await;
            // Should the cluster be away still, what was on its way is lost with its connection.
            let _ = cluster.exit(&name, connection, true).await;
        };
        self.room.runtime.spawn(again);
    }

    /// Takes what has happened, until all of it is taken.
    async fn read(&mut self) {
        let _ = self.read_for(None).await;
    }

    async fn read_for(&mut self, guest: Option<&Guest<'_>>) -> Option<Result<Arc<Joined>, Error>> {
        let mut joined = None;
        while let Some(known) = self.known() {
            let name = self.room.name();
            let reading = guarded(async { self.cluster.news(name, &known, self.budget()).await });
            match reading.await {
                Some(Ok(news)) => {
                    let News { more, .. } = news;
                    let taken = self.room.take_news(news, guest, &self.shared);
                    joined = joined.or(taken.and_then(|taken| self.follow(taken)));
                    if !more {
                        break;
                    }
                }
                Some(Err(error)) => {
                    self.ended(&error);
                    break;
                }
                None => break,
            }
        }
        joined
    }

    /// Does what the news have caused beside what people were told; returns what became of the guest.
    fn follow(&mut self, taken: Taken) -> Option<Result<Arc<Joined>, Error>> {
        for connection in taken.to_take_out {
            self.chores.push_back(Chore::Exit { connection, lost: false });
        }
        for peer in taken.taken_for_dead {
            // They come again, and find the room where they left it as long as it lives.
            end_peer(&peer, CloseReason::Moved, &self.shared);
        }
        taken.joined
    }

    /// Ends the room where the cluster has said that there is nothing to go on with.
    fn ended(&mut self, error: &ClusterError) {
        let Some(life) = self.life() else { return };
        match error {
            ClusterError::Over => {
                let why = self.bell.farewell(life.epoch);
                self.room.part(RoomEnd::Closed, false, why, &self.shared);
            }
            ClusterError::Lost => {
                let there = self.room.part(RoomEnd::Closed, false, None, &self.shared);
                let exits =
                    there.into_iter().map(|connection| Chore::Exit { connection, lost: true });
                self.chores.extend(exits);
            }
            ClusterError::Fenced => {
                let peers = self.room.live(|live| live.roster.peers().cloned().collect::<Vec<_>>());
                for peer in peers.into_iter().flatten() {
                    end_peer(&peer, CloseReason::Moved, &self.shared);
                }
                self.room.part(RoomEnd::Lost, false, None, &self.shared);
            }
            _ => {}
        }
    }

    /// Does what has to be done in the cluster; says whether all of it is done.
    async fn do_chores(&mut self) -> bool {
        while let Some(chore) = self.chores.front() {
            let done = guarded(self.attempt(chore)).await;
            match done {
                Some(Ok(After::Nothing)) => {}
                Some(Ok(After::Ended(reason))) => {
                    self.room.part(reason, true, None, &self.shared);
                }
                Some(Ok(After::Lingers(time))) => {
                    self.room
                        .live(|live| live.linger(&self.room, after(time + SLACK), &self.shared));
                    // Nobody is there any more, and whoever watches learns of it.
                    self.read().await;
                }
                Some(Err(
                    ClusterError::Unavailable { .. } | ClusterError::OutcomeUnknown { .. },
                )) => return false,
                // There is nothing to do it to.
                Some(Err(error)) => self.ended(&error),
                // What makes the cluster panic would do so again.
                None => {}
            }
            self.chores.pop_front();
        }
        true
    }

    async fn attempt(&self, chore: &Chore) -> Result<After, ClusterError> {
        let cluster = &self.cluster;
        match chore {
            Chore::Exit { connection, lost } => {
                let exited = cluster.exit(self.room.name(), *connection, *lost).await?;
                let reason = if *lost { RoomEnd::Lost } else { RoomEnd::Left };
                Ok(match exited {
                    Exited::Gone => After::Nothing,
                    Exited::Lingers(time) => After::Lingers(time),
                    Exited::Ended => After::Ended(reason),
                })
            }
            Chore::Remove { user, code, reason } => {
                let Some(life) = self.life() else { return Ok(After::Nothing) };
                cluster.remove(&life, user, *code, reason.as_deref()).await?;
                Ok(After::Nothing)
            }
            Chore::Close { reason } => {
                let Some(life) = self.life() else { return Ok(After::Nothing) };
                cluster.close(&life, reason.as_deref()).await?;
                Ok(After::Ended(RoomEnd::Closed))
            }
            Chore::Impose => self.impose().await,
            Chore::Expire => {
                let Some(life) = self.life() else { return Ok(After::Nothing) };
                let ended = cluster.expire(&life).await?;
                Ok(if ended { After::Ended(RoomEnd::Expired) } else { After::Nothing })
            }
        }
    }

    /// Tells the other nodes what was imposed here, on top of what they have imposed.
    async fn impose(&self) -> Result<After, ClusterError> {
        loop {
            let next = self.room.live(|live| {
                let (text, last) = live.sanctions.unshared()?;
                let banned = note::banned(&live.sanctions);
                let note = Note { revision: live.note_revision(), text, banned };
                Some((live.life.clone(), note, last))
            });
            let Some((life, note, last)) = next.flatten() else { return Ok(After::Nothing) };
            let newest = self.cluster.impose(&life, &note).await?;
            let is_ours = newest.revision == note.revision + 1 && newest.text == note.text;
            self.room.live(|live| {
                if is_ours {
                    live.sanctions.shared(last);
                }
                live.adopt(&newest);
            });
        }
    }
}

/// Why a steward looks.
enum Woken {
    Errand(Errand),
    Bell,
    Time,
}

/// What a chore has brought.
enum After {
    Nothing,
    Ended(RoomEnd),
    Lingers(Duration),
}

/// Notes the lives that ended with another node, and ends those that linger since when their time has come.
pub(crate) fn mourn(shared: &Arc<Shared>) {
    let Some(cluster) = shared.cluster.clone() else { return };
    let by = Arc::downgrade(shared);
    let mourning = Handle::current().spawn(async move {
        while let Some((life, exited)) = cluster.bereaved().await {
            let Some(shared) = by.upgrade() else { return };
            match exited {
                Exited::Ended => tell_closed(life, RoomEnd::Lost, &shared),
                Exited::Lingers(time) => {
                    let (cluster, by) = (Arc::clone(&cluster), by.clone());
                    Handle::current().spawn(async move {
                        sleep(time.saturating_add(SLACK)).await;
                        // Where it fails, the life goes by itself: it has an end in the cluster.
                        let ended = cluster.expire(&life).await.unwrap_or(false);
                        if let Some(shared) = by.upgrade().filter(|_| ended) {
                            tell_closed(life, RoomEnd::Expired, &shared);
                        }
                    });
                }
                Exited::Gone => {}
            }
        }
    });
    lock(&shared.mourning).push(AbortOnDropHandle::new(mourning));
}
