//! A store that does as it is told: a `MemoryStore` whose calls can be made slow, refused, lost or worse.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex},
    time::Duration,
};

use chatrooms_core::{
    Appended, Budget, Draft, Epoch, Life, MemoryStore, Message, MessageStore, Opened, Page,
    Redaction, RoomName, StoreError, UserName, async_trait,
};
use tokio::time::Instant;

/// What is asked of a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Call {
    Open,
    Append,
    ReadBefore,
    ReadAfter,
    Redact,
    Trim,
    Close,
    Shutdown,
}

/// What goes wrong with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It takes so long.
    Slow(Duration),
    /// It is refused, and nothing has happened.
    Fail,
    /// It has happened, but the store cannot tell.
    Unsure,
    /// It has happened, and then the store panics.
    PanicAfter,
    /// It panics before anything has happened.
    Panic,
    /// It never returns, and nothing has happened.
    Hang,
    /// It has happened, and never returns.
    HangAfter,
}

/// A `MemoryStore` with faults on command.
#[derive(Debug, Default)]
pub(crate) struct Faulty {
    inner: MemoryStore,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    rules: Vec<Rule>,
    calls: Vec<(Call, RoomName)>,
    batches: Vec<usize>,
    open: HashSet<Life>,
    closed: Vec<Life>,
    abandoned: HashSet<Life>,
}

#[derive(Debug)]
struct Rule {
    call: Call,
    room: Option<RoomName>,
    fault: Fault,
    times: usize,
}

impl Faulty {
    /// The next call of this kind goes wrong.
    pub(crate) fn next(&self, call: Call, fault: Fault) {
        self.rule(Rule { call, room: None, fault, times: 1 });
    }

    /// All calls of this kind go wrong from now on.
    pub(crate) fn always(&self, call: Call, fault: Fault) {
        self.rule(Rule { call, room: None, fault, times: usize::MAX });
    }

    /// All calls of this kind go wrong from now on in one room.
    pub(crate) fn always_in(&self, room: &str, call: Call, fault: Fault) {
        let room = Some(RoomName::new(room).unwrap());
        self.rule(Rule { call, room, fault, times: usize::MAX });
    }

    /// Nothing goes wrong any more with what is asked from now on.
    pub(crate) fn heal(&self) {
        self.state.lock().unwrap().rules.clear();
    }

    fn rule(&self, rule: Rule) {
        self.state.lock().unwrap().rules.push(rule);
    }

    /// How often this was asked, with success or without.
    pub(crate) fn calls(&self, call: Call) -> usize {
        self.state.lock().unwrap().calls.iter().filter(|(asked, _)| *asked == call).count()
    }

    /// How many drafts each append had.
    pub(crate) fn batches(&self) -> Vec<usize> {
        self.state.lock().unwrap().batches.clone()
    }

    /// The lives that have been opened and not closed.
    pub(crate) fn open_lives(&self) -> Vec<Life> {
        self.state.lock().unwrap().open.iter().cloned().collect()
    }

    /// The lives that have been closed, with success.
    pub(crate) fn closed_lives(&self) -> Vec<Life> {
        self.state.lock().unwrap().closed.clone()
    }

    /// The process that used this store has ended: what is open and was written to is found by the next one.
    pub(crate) async fn restart(&self) {
        let mut abandoned = HashSet::new();
        for life in self.open_lives() {
            if self.head(&life).await > 0 {
                abandoned.insert(life);
            }
        }
        let mut state = self.state.lock().unwrap();
        state.open.clone_from(&abandoned);
        state.abandoned = abandoned;
    }

    /// Forgets what an earlier process has left behind.
    pub(crate) fn lose_abandoned(&self) {
        let mut state = self.state.lock().unwrap();
        for life in std::mem::take(&mut state.abandoned) {
            state.open.remove(&life);
        }
    }

    async fn head(&self, life: &Life) -> u64 {
        let newest = Budget { messages: 1, bytes: 0 };
        let page = self.inner.read_before(life, None, newest).await.unwrap();
        page.messages.last().map_or(0, |message| message.seq)
    }

    async fn all(&self, life: &Life) -> Vec<Arc<Message>> {
        let all = Budget { messages: usize::MAX, bytes: usize::MAX };
        self.inner.read_after(life, 0, all).await.unwrap().messages
    }

    /// What is to go wrong with this call, where something is.
    fn fault(&self, call: Call, room: &RoomName) -> Option<Fault> {
        let mut state = self.state.lock().unwrap();
        state.calls.push((call, room.clone()));
        let applies =
            |rule: &Rule| rule.call == call && rule.room.as_ref().is_none_or(|only| only == room);
        let index = state.rules.iter().position(applies)?;
        let rule = &mut state.rules[index];
        let fault = rule.fault;
        rule.times -= 1;
        if rule.times == 0 {
            state.rules.remove(index);
        }
        Some(fault)
    }

    async fn go<T>(
        &self,
        call: Call,
        room: &RoomName,
        work: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        match self.fault(call, room) {
            None => work.await,
            Some(Fault::Slow(time)) => {
                tokio::time::sleep(time).await;
                work.await
            }
            Some(Fault::Fail) => Err(StoreError::unavailable("faulty", "told to fail")),
            Some(Fault::Unsure) => {
                work.await?;
                Err(StoreError::outcome_unknown("faulty", "told to forget"))
            }
            Some(Fault::Panic) => panic!("told to panic"),
            Some(Fault::PanicAfter) => {
                let _ = work.await;
                panic!("told to panic afterwards")
            }
            Some(Fault::Hang) => std::future::pending().await,
            Some(Fault::HangAfter) => {
                let _ = work.await;
                std::future::pending().await
            }
        }
    }
}

#[async_trait]
impl MessageStore for Faulty {
    async fn open(
        &self,
        room: &RoomName,
        kept: Option<Epoch>,
        recent: Budget,
    ) -> Result<Opened, StoreError> {
        let opening = async {
            let Some(epoch) = kept else {
                let opened = self.inner.open(room, None, recent).await?;
                self.state.lock().unwrap().open.insert(opened.life.clone());
                return Ok(opened);
            };
            let life = Life { room: room.clone(), epoch };
            if !self.state.lock().unwrap().abandoned.remove(&life) {
                return Err(StoreError::Closed);
            }
            let all = self.all(&life).await;
            let redacted = all.iter().filter(|message| message.redacted).map(|message| message.seq);
            Ok(Opened {
                head: self.head(&life).await,
                oldest: all.first().map_or(1, |message| message.seq),
                recent: self.inner.read_before(&life, None, recent).await?.messages,
                redacted: redacted.collect(),
                life,
            })
        };
        self.go(Call::Open, room, opening).await
    }

    async fn append(
        &self,
        life: &Life,
        drafts: Vec<Draft>,
        deadline: Instant,
    ) -> Vec<Result<Appended, StoreError>> {
        let count = drafts.len();
        self.state.lock().unwrap().batches.push(count);
        let appending = async { Ok(self.inner.append(life, drafts, deadline).await) };
        match self.go(Call::Append, &life.room, appending).await {
            Ok(results) => results,
            Err(error) => (0..count).map(|_| Err(error.clone())).collect(),
        }
    }

    async fn read_before(
        &self,
        life: &Life,
        before: Option<u64>,
        budget: Budget,
    ) -> Result<Page, StoreError> {
        let reading = self.inner.read_before(life, before, budget);
        self.go(Call::ReadBefore, &life.room, reading).await
    }

    async fn read_after(
        &self,
        life: &Life,
        after: u64,
        budget: Budget,
    ) -> Result<Page, StoreError> {
        let reading = self.inner.read_after(life, after, budget);
        self.go(Call::ReadAfter, &life.room, reading).await
    }

    async fn redact(
        &self,
        life: &Life,
        seq: u64,
        author: Option<&UserName>,
    ) -> Result<Redaction, StoreError> {
        self.go(Call::Redact, &life.room, self.inner.redact(life, seq, author)).await
    }

    async fn trim(&self, life: &Life, up_to: u64) -> Result<(), StoreError> {
        self.go(Call::Trim, &life.room, self.inner.trim(life, up_to)).await
    }

    async fn close(&self, life: &Life) -> Result<u64, StoreError> {
        let closing = async {
            let removed = self.inner.close(life).await?;
            let mut state = self.state.lock().unwrap();
            state.open.remove(life);
            state.abandoned.remove(life);
            state.closed.push(life.clone());
            Ok(removed)
        };
        self.go(Call::Close, &life.room, closing).await
    }

    async fn abandoned(&self) -> Result<Vec<Life>, StoreError> {
        Ok(self.state.lock().unwrap().abandoned.iter().cloned().collect())
    }

    async fn shutdown(&self) -> Result<(), StoreError> {
        let nowhere = RoomName::new("nowhere").unwrap();
        self.go(Call::Shutdown, &nowhere, async { Ok(()) }).await
    }
}
