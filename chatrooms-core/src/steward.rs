//! The task that keeps a room in step with the cluster, from the first who wants in or asks about it until nobody of this node is there any more.
//!
//! Everything that this node does to who is in a shared room goes through its steward, one after the other: so whoever comes back after they went
//! comes back to what their going has left. What cannot be done because the cluster is away is kept and tried again; who wants in meanwhile is told so.

mod chores;
mod leaving;

use std::{collections::VecDeque, pin::pin, time::Duration};

use futures_util::{
    FutureExt as _,
    future::{Either, select},
};
use tokio::{
    sync::{Semaphore, mpsc, oneshot},
    time::{Instant, sleep, timeout},
};

use crate::{
    Bell, Budget, CloseReason, Cluster, ClusterError, ConnectionId, Entry, Error, Followed, Join,
    Joined, Known, Life, ModerationError, News, Passing, Removal, RoomEnd, RoomRules, UserName,
    effects::end_peer,
    linked::{Guest, Taken},
    opening::rules,
    peer::{Asked, Peer},
    room::{NoEntry, Room},
    shared::Shared,
    sync::{Arc, Begun, after, begun, guarded, yield_once},
};

use chores::Chore;

/// A bell may be lost: news are looked for as often as this.
const LOOK: Duration = Duration::from_secs(1);
/// Whoever may have entered without an answer is taken out at once, and again after this long: what was on its way to the cluster has arrived by then.
const AGAIN: Duration = Duration::from_secs(5);
/// A room that was asked about is kept for so long, so that those who ask again and again do not have it set up each time.
const KEPT: Duration = Duration::from_secs(2);
/// By how much the end of a linger is put off, so that it has come by the cluster's clock too.
pub(crate) const SLACK: Duration = Duration::from_millis(50);

/// Where a steward is given what it has to see to.
#[derive(Debug)]
pub(crate) struct Desk(mpsc::UnboundedSender<Errand>);

/// What a steward takes from its desk. Each errand stands for somebody who is in the room, comes or has just gone, or for a word of the host's.
pub(crate) type Errands = mpsc::UnboundedReceiver<Errand>;

/// Where is said what has come of a word of the host's in the cluster, as soon as that has been tried: how many connections went by it. Where the room ended before its turn came, nothing is.
pub(crate) type Answer = oneshot::Sender<Result<usize, ModerationError>>;

/// Where that is awaited.
pub(crate) type Awaited = oneshot::Receiver<Result<usize, ModerationError>>;

/// Something that a steward has to see to.
#[derive(Debug)]
pub(crate) enum Errand {
    /// Somebody wants in.
    Enter { asked: Asked, join: Join, answer: oneshot::Sender<Result<Arc<Joined>, NoEntry>> },
    /// Somebody asks about the room, in which nobody of this node need be.
    Follow { answer: oneshot::Sender<Result<(), NoEntry>> },
    /// Somebody wants to leave, and to be told before what happened up to then.
    Leave { peer: Arc<Peer>, answer: oneshot::Sender<()> },
    /// Somebody has gone from here.
    Exit { connection: ConnectionId, lost: bool },
    /// All connections of a user are to go.
    Remove { user: UserName, code: Removal, reason: Option<Arc<str>>, answer: Answer },
    /// The room is closed.
    Close { reason: Option<Arc<str>>, answer: Answer },
    /// Something was imposed.
    Impose { answer: Answer },
    /// Something passing is to be passed on.
    Pass(Passing),
    /// The linger is over.
    Expire,
    /// Somebody wants to know when all that was given before is done.
    Tell(oneshot::Sender<()>),
    /// Somebody wants to know when everything is known here that the cluster knows now.
    CatchUp(oneshot::Sender<()>),
    /// There may be nobody left.
    Look,
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
    /// Who waits until everything is known here that the cluster knew when they asked.
    catching_up: Vec<oneshot::Sender<()>>,
    /// Places for what is being passed on.
    passing: Arc<Semaphore>,
    /// Until when the room is kept for those who ask about it, whether anybody of this node is in it or not.
    kept: Option<Instant>,
}

/// How many things in passing may be on their way from one room.
const PASSING: usize = 16;

/// Keeps a room in step until it is over here.
pub(crate) async fn attend(room: Arc<Room>, shared: Arc<Shared>, mut errands: Errands) {
    let Some(cluster) = shared.cluster.clone() else { return };
    let Some(first) = first(&room, &shared, &cluster, &mut errands).await else {
        return turn_away(&room, &shared, errands, &NoEntryFor::NextLife);
    };
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
        Err(error) => {
            let why = NoEntryFor::Error(error);
            first.errand.turn_away(&why);
            return turn_away(&room, &shared, errands, &why);
        }
    };
    let mut steward = Steward {
        room,
        shared,
        cluster,
        rules,
        bell,
        chores: VecDeque::new(),
        catching_up: Vec::new(),
        passing: Arc::new(Semaphore::new(PASSING)),
        kept: None,
    };
    if let Some(followed) = first.followed {
        let rules = steward.rules.clone();
        let _ = steward.room.begin_shared(followed, rules, None, &steward.shared);
    }
    steward.see_to(first.errand).await;
    while steward.is_needed(&errands) {
        steward.turn(&mut errands).await;
    }
    // What is still to be done here is about connections that the cluster has no more, or about ones that it still has to be told of.
    steward.finish(&mut errands).await;
    let Steward { room, shared, .. } = steward;
    turn_away(&room, &shared, errands, &NoEntryFor::NextLife);
}

/// What a steward begins with.
struct First {
    errand: Errand,
    /// The life that is there already, where it is about that.
    followed: Option<Followed>,
}

/// What the room is set up for. Nothing is for those who only ask, where there is nothing to ask about: a name that nobody uses costs one question.
async fn first(
    room: &Arc<Room>,
    shared: &Arc<Shared>,
    cluster: &Arc<dyn Cluster>,
    errands: &mut Errands,
) -> Option<First> {
    loop {
        let errand = errands.recv().await?;
        match errand {
            Errand::Follow { answer } => {
                let asking = async { cluster.follow(room.name(), budget(shared)).await };
                let why = match shared.asked(Some(room.name()), asking).await {
                    Ok(Some(followed)) => {
                        let errand = Errand::Follow { answer };
                        return Some(First { errand, followed: Some(followed) });
                    }
                    Ok(None) => Error::NotFound,
                    Err(error) => error,
                };
                // Whoever asked may have gone.
                let _ = answer.send(Err(NoEntry::Refused(why)));
            }
            Errand::Look => {}
            errand => return Some(First { errand, followed: None }),
        }
        if errands.is_empty() && room.let_go(shared) {
            return None;
        }
    }
}

fn budget(shared: &Shared) -> Budget {
    let config = &shared.config;
    Budget { messages: config.recent.max(1), bytes: config.half_reply() }
}

/// What those are told who have come too late.
enum NoEntryFor {
    Error(Error),
    NextLife,
}

impl NoEntryFor {
    fn no_entry(&self) -> NoEntry {
        match self {
            Self::Error(error) => NoEntry::Refused(error.clone()),
            Self::NextLife => NoEntry::Over,
        }
    }
}

impl Errand {
    /// Has nobody wait for what will not be done.
    fn turn_away(self, why: &NoEntryFor) {
        // Whoever asked may have gone.
        let _ = match self {
            Self::Enter { answer, .. } => answer.send(Err(why.no_entry())).is_ok(),
            Self::Follow { answer } => answer.send(Err(why.no_entry())).is_ok(),
            _ => false,
        };
    }
}

fn turn_away(room: &Arc<Room>, shared: &Arc<Shared>, mut errands: Errands, why: &NoEntryFor) {
    room.part(RoomEnd::Lost, false, None, shared);
    errands.close();
    while let Ok(errand) = errands.try_recv() {
        errand.turn_away(why);
    }
}

impl Steward {
    /// One look at what there is to do.
    async fn turn(&mut self, errands: &mut Errands) {
        match self.woken(errands).await {
            Woken::Errand(errand) => self.see_to(errand).await,
            Woken::Bell => {
                self.hear();
                // Whoever has done it may be about to take it in by themselves.
                yield_once().await;
                if !self.is_known_already() || !self.catching_up.is_empty() {
                    self.read().await;
                }
                self.do_chores().await;
            }
            Woken::Time => {
                let known = self.known();
                self.read().await;
                if known.is_some_and(|known| self.known().is_some_and(|now| now != known)) {
                    self.shared.metrics.cluster_healed.add(1);
                }
                self.do_chores().await;
            }
        }
    }

    /// Whether there will be something to do; where not, the room is let go by this.
    fn is_needed(&self, errands: &Errands) -> bool {
        if self.room.is_over() {
            return false;
        }
        let is_idle = self.chores.is_empty() && errands.is_empty();
        let is_kept = self.kept.is_some_and(|until| Instant::now() < until);
        !(is_idle && (!is_kept || self.shared.is_stopping()) && self.room.let_go(&self.shared))
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
                errand @ (Errand::Enter { .. } | Errand::Follow { .. }) => refused.push(errand),
                errand => self.note_down(errand),
            }
        }
        refused.into_iter().for_each(|errand| errand.turn_away(&NoEntryFor::NextLife));
        self.chores.retain(|chore| matches!(chore, Chore::Exit { .. } | Chore::Tell(_)));
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
            Errand::Enter { asked, join, answer } => {
                let entered = self.enter(asked.peer(), &join).await;
                // Whoever asked may have gone: they are in all the same, as after a join.
                let _ = answer.send(entered);
            }
            Errand::Follow { answer } => {
                let followed = self.follow().await;
                self.kept = followed.is_ok().then(|| after(KEPT));
                // Whoever asked may have gone.
                let _ = answer.send(followed);
            }
            Errand::Pass(passing) => self.pass(passing),
            Errand::CatchUp(waiting) => {
                self.catching_up.push(waiting);
                self.read().await;
            }
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
        let passed = async move {
            // What does not arrive is lost.
            let _ = cluster.pass(&life, &passing).await;
            drop(place);
        };
        // Begun here, so that one comes behind the other: tasks begin in any order.
        if let Some(Begun::Pending(passed)) = begun(|| passed.boxed()) {
            self.room.runtime.spawn(passed);
        }
    }

    /// Tells what was passed on from other nodes.
    fn hear(&self) {
        let Some(life) = self.life() else { return };
        for passing in self.bell.passed(life.epoch) {
            self.room.hear(passing, &self.shared);
        }
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
        budget(&self.shared)
    }

    /// Takes in all that has happened up to now, where there is a life: whoever asks is not answered from what was true a moment ago.
    async fn follow(&mut self) -> Result<(), NoEntry> {
        let unavailable = Err(NoEntry::Refused(Error::StoreUnavailable));
        if !self.do_chores().await {
            return unavailable;
        }
        if self.known().is_none() && !self.room.is_over() {
            // Whoever was first here did not get in.
            let name = self.room.name();
            let asking = async { self.cluster.follow(name, self.budget()).await };
            let followed = self.shared.asked(Some(name), asking).await.map_err(NoEntry::Refused)?;
            let followed = followed.ok_or(NoEntry::Refused(Error::NotFound))?;
            let _ = self.room.begin_shared(followed, self.rules.clone(), None, &self.shared);
        }
        let (_, is_all) = self.read_for(None).await;
        if self.room.is_over() {
            return Err(NoEntry::Over);
        }
        if is_all { Ok(()) } else { unavailable }
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
            let followed = Followed { life: entered.life, news: entered.news };
            Some(self.room.begin_shared(followed, rules, Some(&guest), &self.shared))
        };
        let mut joined = taken.and_then(|taken| self.heed(taken));
        if more {
            joined = joined.or(self.read_for(Some(&guest)).await.0);
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
                NoEntry::Refused(Error::OutcomeUnknown)
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

    /// The same for a guest, of whom the first part says what became; the second part says whether all is taken.
    async fn read_for(
        &mut self,
        guest: Option<&Guest<'_>>,
    ) -> (Option<Result<Arc<Joined>, Error>>, bool) {
        let mut joined = None;
        while let Some(known) = self.known() {
            let name = self.room.name();
            let reading = guarded(async { self.cluster.news(name, &known, self.budget()).await });
            match reading.await {
                Some(Ok(news)) => {
                    let News { more, .. } = news;
                    let taken = self.room.take_news(news, guest, &self.shared);
                    joined = joined.or(taken.and_then(|taken| self.heed(taken)));
                    if !more {
                        // Whoever waited may have gone.
                        self.catching_up.drain(..).for_each(|waiting| _ = waiting.send(()));
                        return (joined, true);
                    }
                }
                Some(Err(error)) => {
                    self.ended(&error);
                    break;
                }
                None => break,
            }
        }
        if self.known().is_none() {
            // There is nothing to catch up with.
            self.catching_up.clear();
        }
        self.catching_up.retain(|waiting| !waiting.is_closed());
        (joined, false)
    }

    /// Does what the news have caused beside what people were told; returns what became of the guest.
    fn heed(&mut self, taken: Taken) -> Option<Result<Arc<Joined>, Error>> {
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
                self.let_out_the_last();
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
}

/// Why a steward looks.
enum Woken {
    Errand(Errand),
    Bell,
    Time,
}
