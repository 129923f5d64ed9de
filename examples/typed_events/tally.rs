//! The votes, counted in the order in which they stand in the room.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use chatrooms::{Error, Message, Post, RoomEvent, RoomName, RoomRegistry, UserName};

use crate::poll::Poll;

/// The polls of all rooms. Cloning is cheap.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tallies {
    /// Shared by who counts and by the rules, which ask. Never held over an await.
    rooms: Arc<Mutex<HashMap<RoomName, Polls>>>,
}

/// By the number of the message that asks.
type Polls = HashMap<u64, Tally>;

#[derive(Debug)]
struct Tally {
    asker: Option<UserName>,
    options: usize,
    /// Each user's vote, and the message that it stands in.
    votes: HashMap<UserName, (u64, usize)>,
    stage: Stage,
}

#[derive(Debug, PartialEq)]
enum Stage {
    Open,
    Closed,
    /// Everybody knows how it has ended.
    Told,
}

impl Tallies {
    /// Counts until the registry shuts down.
    pub(crate) async fn keep(self, registry: RoomRegistry) {
        let mut watch = registry.watch_all();
        while let Some(event) = watch.next().await {
            match event {
                RoomEvent::Message { room, message, .. } => {
                    self.count(&room, &message);
                    self.tell(&registry, &room).await;
                }
                RoomEvent::Redacted { room, seq, .. } => self.forget(&room, seq),
                RoomEvent::RoomClosed { room, .. } => drop(self.rooms().remove(&room)),
                // Every room is told anew.
                RoomEvent::Lagged => self.rooms().clear(),
                RoomEvent::RoomFound { room, seq, .. } => {
                    // A room that ends while it is read is told of next.
                    let _ = self.recount(&registry, &room, seq).await;
                    self.tell(&registry, &room).await;
                }
                _ => {}
            }
        }
    }

    /// Whether a poll is known to take no votes any more.
    pub(crate) fn has_ended(&self, room: &RoomName, poll: u64) -> bool {
        let rooms = self.rooms();
        let tally = rooms.get(room).and_then(|polls| polls.get(&poll));
        tally.is_some_and(|tally| tally.stage != Stage::Open)
    }

    fn count(&self, room: &RoomName, message: &Message) {
        // The rules let nothing pass that is malformed.
        let Ok(Some(event)) = message.decode() else { return };
        let mut rooms = self.rooms();
        let polls = rooms.entry(room.clone()).or_default();
        match event {
            Poll::Ask { options, .. } => {
                drop(polls.insert(message.seq, Tally::new(message, options.len())))
            }
            Poll::Vote { poll, option } => {
                if let (Some(tally), Some(user)) = (polls.get_mut(&poll), &message.draft.user) {
                    tally.vote(user, message.seq, option);
                }
            }
            Poll::Close { poll } => advance(polls, poll, Stage::Closed),
            Poll::Result { poll, .. } => advance(polls, poll, Stage::Told),
        }
    }

    /// Counts what a room has said up to a message, oldest first.
    async fn recount(
        &self,
        registry: &RoomRegistry,
        room: &RoomName,
        seq: u64,
    ) -> Result<(), Error> {
        let mut said = Vec::new();
        let mut before = seq + 1;
        loop {
            let page = registry.history(room, Some(before), usize::MAX).await?;
            before = page.messages.first().map_or(0, |message| message.seq);
            said.extend(page.messages.into_iter().rev());
            if !page.more {
                break;
            }
        }
        said.iter().rev().for_each(|message| self.count(room, message));
        Ok(())
    }

    /// What was taken back is no poll and no vote any more.
    fn forget(&self, room: &RoomName, seq: u64) {
        if let Some(polls) = self.rooms().get_mut(room) {
            polls.remove(&seq);
            polls.values_mut().for_each(|tally| tally.votes.retain(|_, (vote, _)| *vote != seq));
        }
    }

    /// Says how the polls of a room have ended that are closed: to the room, and to who asked, wherever they are.
    async fn tell(&self, registry: &RoomRegistry, room: &RoomName) {
        for (asker, result) in self.due(room) {
            let Ok(post) = Post::event(&result) else { continue };
            // Everybody may have gone meanwhile.
            let _ = registry.announce(room, post).await;
            if let Some(asker) = asker {
                let _ = registry.notify_event(&asker, &result);
            }
        }
    }

    /// Each of them is due once.
    fn due(&self, room: &RoomName) -> Vec<(Option<UserName>, Poll)> {
        let mut rooms = self.rooms();
        let polls = rooms.get_mut(room).into_iter().flatten();
        let closed = polls.filter(|(_, tally)| tally.stage == Stage::Closed);
        let results = closed.map(|(poll, tally)| {
            tally.stage = Stage::Told;
            (tally.asker.clone(), Poll::Result { poll: *poll, votes: tally.counts() })
        });
        results.collect()
    }

    fn rooms(&self) -> MutexGuard<'_, HashMap<RoomName, Polls>> {
        self.rooms.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Tally {
    fn new(message: &Message, options: usize) -> Self {
        let asker = message.draft.user.clone();
        Self { asker, options, votes: HashMap::new(), stage: Stage::Open }
    }

    fn vote(&mut self, user: &UserName, seq: u64, option: usize) {
        if self.stage == Stage::Open && option < self.options {
            self.votes.insert(user.clone(), (seq, option));
        }
    }

    fn counts(&self) -> Vec<usize> {
        let mut counts = vec![0; self.options];
        self.votes.values().for_each(|(_, option)| counts[*option] += 1);
        counts
    }
}

fn advance(polls: &mut Polls, poll: u64, stage: Stage) {
    if let Some(tally) = polls.get_mut(&poll)
        && tally.stage != Stage::Told
    {
        tally.stage = stage;
    }
}
