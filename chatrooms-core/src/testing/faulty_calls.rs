//! A store that goes wrong on command, as its registry sees it.

use async_trait::async_trait;
use tokio::time::{Instant, sleep};

use super::{Call, Fault, FaultyStore};
use crate::{
    Appended, Budget, Draft, Epoch, Life, MessageStore, Opened, Page, Redaction, RoomName,
    StoreError, UserName,
};

const NAME: &str = "faulty";
const ALL: Budget = Budget { messages: usize::MAX, bytes: usize::MAX };

fn told_to_fail() -> StoreError {
    StoreError::unavailable(NAME, "told to fail")
}

fn told_to_forget() -> StoreError {
    StoreError::outcome_unknown(NAME, "told to forget")
}

fn process_has_ended() -> StoreError {
    StoreError::unavailable(NAME, "the process that used it has ended")
}

impl<S: MessageStore> FaultyStore<S> {
    /// Does what is asked, or what goes wrong with it.
    async fn run<T: Send>(
        &self,
        call: Call,
        room: Option<&RoomName>,
        work: impl Future<Output = Result<T, StoreError>> + Send,
    ) -> Result<T, StoreError> {
        let fault = self.begin(call, room)?;
        let work = async {
            // Asked again: a slow call may outlast its process.
            self.check_process()?;
            work.await
        };
        match fault {
            None => work.await,
            Some(Fault::Slow(time)) => {
                sleep(time).await;
                work.await
            }
            Some(Fault::Fail) => Err(told_to_fail()),
            Some(Fault::Unsure) => {
                work.await?;
                Err(told_to_forget())
            }
            Some(Fault::Panic) => panic!("told to panic"),
            Some(Fault::PanicAfter) => {
                let _ = work.await;
                panic!("told to panic afterwards")
            }
            Some(Fault::Hang) => self.hang(call).await,
            Some(Fault::HangAfter) => {
                let _ = work.await;
                self.hang(call).await
            }
            Some(Fault::Hold) => {
                self.hold(call, room).await;
                work.await
            }
            Some(Fault::HoldAfter) => {
                let done = work.await;
                self.hold(call, room).await;
                done
            }
        }
    }

    /// Counts a call and tells what is to go wrong with it.
    fn begin(&self, call: Call, room: Option<&RoomName>) -> Result<Option<Fault>, StoreError> {
        self.check_process()?;
        Ok(self.change(|state| {
            state.calls.push((call, room.cloned()));
            state.rules.take(call, room)
        }))
    }

    fn check_process(&self) -> Result<(), StoreError> {
        let current = self.look(|state| self.is_current(state));
        if current { Ok(()) } else { Err(process_has_ended()) }
    }

    fn check(&self, life: &Life) -> Result<(), StoreError> {
        self.look(|state| state.lives.check(life))
    }

    async fn hang<T>(&self, call: Call) -> T {
        let _stuck = Stuck::new(self, call);
        std::future::pending().await
    }

    async fn hold(&self, call: Call, room: Option<&RoomName>) {
        let released = self.change(|state| state.holds.add(call, room.cloned()));
        let _stuck = Stuck::new(self, call);
        // It is released by the end of the other side.
        let _ = released.await;
    }

    /// Opens a life that an earlier process has left, which the store underneath has never seen end.
    async fn reopen(
        &self,
        life: Life,
        (head, note): (u64, String),
        recent: Budget,
    ) -> Result<Opened, StoreError> {
        let inner = &self.shared.inner;
        let all = inner.read_after(&life, 0, ALL).await?.messages;
        let recent = inner.read_before(&life, None, recent).await?.messages;
        let oldest = all.first().map_or(head + 1, |message| message.seq);
        let redacted = all.iter().filter(|message| message.redacted).map(|message| message.seq);
        Ok(Opened { life, head, oldest, recent, redacted: redacted.collect(), note })
    }

    async fn open_kept(&self, life: Life, recent: Budget) -> Result<Opened, StoreError> {
        let Some(left) = self.change(|state| state.lives.reopen(&life)) else {
            let Life { room, epoch } = &life;
            return self.open_inside(room, Some(*epoch), recent).await;
        };
        let opened = self.reopen(life.clone(), left, recent).await;
        if opened.is_err() {
            self.change(|state| state.lives.leave(&life));
        }
        opened
    }

    async fn open_inside(
        &self,
        room: &RoomName,
        kept: Option<Epoch>,
        recent: Budget,
    ) -> Result<Opened, StoreError> {
        let opened = self.shared.inner.open(room, kept, recent).await?;
        self.change(|state| state.lives.opened(opened.life.clone(), opened.head));
        Ok(opened)
    }

    fn wrote(&self, life: &Life, results: &[Result<Appended, StoreError>]) {
        let newest = results.iter().rev().find_map(|result| match result {
            Ok(Appended::Stored { message, .. }) => Some(message.seq),
            _ => None,
        });
        if let Some(seq) = newest {
            self.change(|state| state.lives.wrote(life, seq));
        }
    }
}

/// Counts a call as stuck for as long as it is.
struct Stuck<'a, S: MessageStore> {
    store: &'a FaultyStore<S>,
    call: Call,
}

impl<'a, S: MessageStore> Stuck<'a, S> {
    fn new(store: &'a FaultyStore<S>, call: Call) -> Self {
        store.change(|state| state.stuck.push(call));
        Self { store, call }
    }
}

impl<S: MessageStore> Drop for Stuck<'_, S> {
    fn drop(&mut self) {
        self.store.change(|state| {
            if let Some(at) = state.stuck.iter().position(|call| *call == self.call) {
                state.stuck.swap_remove(at);
            }
        });
    }
}

#[async_trait]
impl<S: MessageStore> MessageStore for FaultyStore<S> {
    async fn open(
        &self,
        room: &RoomName,
        kept: Option<Epoch>,
        recent: Budget,
    ) -> Result<Opened, StoreError> {
        let opening = async {
            match kept {
                None => self.open_inside(room, None, recent).await,
                Some(epoch) => self.open_kept(Life { room: room.clone(), epoch }, recent).await,
            }
        };
        self.run(Call::Open, Some(room), opening).await
    }

    async fn append(
        &self,
        life: &Life,
        drafts: Vec<Draft>,
        deadline: Instant,
    ) -> Vec<Result<Appended, StoreError>> {
        let count = drafts.len();
        if self.check_process().is_ok() {
            self.change(|state| state.batches.push(count));
        }
        let appending = async {
            self.check(life)?;
            let results = self.shared.inner.append(life, drafts, deadline).await;
            self.wrote(life, &results);
            Ok(results)
        };
        match self.run(Call::Append, Some(&life.room), appending).await {
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
        let reading = async {
            self.check(life)?;
            self.shared.inner.read_before(life, before, budget).await
        };
        self.run(Call::ReadBefore, Some(&life.room), reading).await
    }

    async fn read_after(
        &self,
        life: &Life,
        after: u64,
        budget: Budget,
    ) -> Result<Page, StoreError> {
        let reading = async {
            self.check(life)?;
            self.shared.inner.read_after(life, after, budget).await
        };
        self.run(Call::ReadAfter, Some(&life.room), reading).await
    }

    async fn redact(
        &self,
        life: &Life,
        seq: u64,
        author: Option<&UserName>,
    ) -> Result<Redaction, StoreError> {
        let redacting = async {
            self.check(life)?;
            self.shared.inner.redact(life, seq, author).await
        };
        self.run(Call::Redact, Some(&life.room), redacting).await
    }

    async fn trim(&self, life: &Life, up_to: u64) -> Result<(), StoreError> {
        let trimming = async {
            self.check(life)?;
            self.shared.inner.trim(life, up_to).await
        };
        self.run(Call::Trim, Some(&life.room), trimming).await
    }

    async fn note(&self, life: &Life, note: &str) -> Result<(), StoreError> {
        let noting = async {
            self.check(life)?;
            self.shared.inner.note(life, note).await?;
            self.change(|state| state.lives.noted(life, note));
            Ok(())
        };
        self.run(Call::Note, Some(&life.room), noting).await
    }

    async fn close(&self, life: &Life) -> Result<u64, StoreError> {
        self.check_process()?;
        // Over as soon as this is called, whatever becomes of the removal.
        self.change(|state| state.lives.ending(life));
        let closing = async {
            let removed = self.shared.inner.close(life).await?;
            self.change(|state| state.lives.ended(life));
            Ok(removed)
        };
        self.run(Call::Close, Some(&life.room), closing).await
    }

    async fn abandoned(&self) -> Result<Vec<Life>, StoreError> {
        let listing = async {
            let mut lives = self.shared.inner.abandoned().await?;
            self.look(|state| lives.extend(state.lives.abandoned().cloned()));
            Ok(lives)
        };
        self.run(Call::Abandoned, None, listing).await
    }

    async fn shutdown(&self) -> Result<(), StoreError> {
        self.run(Call::Shutdown, None, self.shared.inner.shutdown()).await
    }
}
