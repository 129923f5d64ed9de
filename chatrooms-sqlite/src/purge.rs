//! Removing what has ended, in slices between the batches.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use chatrooms_core::StoreError;
use sqlx::SqliteConnection;
use tokio::time::Instant;

use crate::{
    insert::integer,
    job::{Reply, Trim},
    lives::{Lives, OpenLife},
    reader,
};

/// The most messages that one transaction removes: appends wait for no more than that.
const SLICE: u64 = 1000;
/// The most removals that one transaction serves.
const REMOVALS: usize = 64;
/// Between tries of removals that nobody waits for, doubling.
const FIRST_RETRY: Duration = Duration::from_secs(1);
const LAST_RETRY: Duration = Duration::from_secs(30);

/// What is still to be removed.
#[derive(Debug, Default)]
pub(crate) struct Purges {
    queue: VecDeque<Removal>,
    /// Not before, after a failure.
    retry: Option<(Instant, Duration)>,
}

#[derive(Debug)]
struct Removal {
    target: Target,
    /// How many have been removed for good.
    removed: u64,
    /// What the open transaction has done; nothing before it is committed.
    step: Step,
}

#[derive(Clone, Copy, Debug, Default)]
struct Step {
    removed: u64,
    /// Everything up to here has been trimmed.
    trimmed: u64,
    finished: bool,
}

#[derive(Debug)]
enum Target {
    /// A life that has ended and is marked in the file.
    Life { row: i64, life: Option<Arc<OpenLife>>, waiting: Vec<Reply<u64>> },
    /// The oldest messages of one that goes on.
    Oldest(Trim),
}

/// Notes in the file that a life has ended: from here on no crash brings it back.
pub(crate) async fn mark(conn: &mut SqliteConnection, row: i64) -> Result<(), sqlx::Error> {
    sqlx::query("UPDATE chatrooms_lives SET closed = 1 WHERE id = ?1")
        .bind(row)
        .execute(conn)
        .await
        .map(drop)
}

impl Purges {
    /// What an earlier process had ended and not removed.
    pub(crate) fn inherit(&mut self, row: i64) {
        self.push(Target::Life { row, life: None, waiting: Vec::new() });
    }

    /// A life that has just been marked; or is tried again.
    pub(crate) fn close(&mut self, life: Arc<OpenLife>, reply: Reply<u64>, lives: &Lives) {
        self.retry = None;
        let Some(row) = life.state().row else {
            lives.forget(&life.life);
            let _ = reply.send(Ok(0));
            return;
        };
        let same = self.queue.iter_mut().find_map(|removal| match &mut removal.target {
            Target::Life { row: other, waiting, .. } if *other == row => Some(waiting),
            _ => None,
        });
        match same {
            Some(waiting) => waiting.push(reply),
            None => self.push(Target::Life { row, life: Some(life), waiting: vec![reply] }),
        }
    }

    pub(crate) fn trim(&mut self, trim: Trim) {
        self.retry = None;
        self.push(Target::Oldest(trim));
    }

    fn push(&mut self, target: Target) {
        self.queue.push_back(Removal { target, removed: 0, step: Step::default() });
    }

    pub(crate) fn is_ready(&self) -> bool {
        !self.queue.is_empty() && self.retry.is_none_or(|(at, _)| at <= Instant::now())
    }

    /// When to come back to what has failed.
    pub(crate) fn retry_at(&self) -> Option<Instant> {
        self.retry.filter(|_| !self.queue.is_empty()).map(|(at, _)| at)
    }

    /// Removes the next slice in the open transaction; returns how many removals it serves.
    pub(crate) async fn write(
        &mut self,
        conn: &mut SqliteConnection,
    ) -> Result<usize, sqlx::Error> {
        let mut room = SLICE;
        let mut served = 0;
        for removal in self.queue.iter_mut().take(REMOVALS) {
            if room == 0 {
                break;
            }
            removal.step = removal.target.remove(conn, room).await?;
            room -= removal.step.removed.min(room);
            served += 1;
        }
        Ok(served)
    }

    /// Answers whose removal is finished; the others go to the end of the queue. Returns how many messages have gone,
    /// and whether some of them belonged to lives that have ended.
    pub(crate) fn committed(&mut self, served: usize, lives: &Lives) -> (u64, bool) {
        self.retry = None;
        let (mut gone, mut ended) = (0, false);
        for mut removal in self.queue.drain(..served).collect::<Vec<_>>() {
            let step = std::mem::take(&mut removal.step);
            removal.removed += step.removed;
            gone += step.removed;
            match &removal.target {
                Target::Life { .. } => ended = true,
                Target::Oldest(trim) => {
                    let mut state = trim.life.state();
                    state.oldest = state.oldest.max(step.trimmed + 1);
                }
            }
            if step.finished {
                removal.target.finish(removal.removed, lives);
            } else {
                self.queue.push_back(removal);
            }
        }
        (gone, ended)
    }

    /// Answers everybody who waits. Lives are tried again, whether they are asked for or not; a trim that may have
    /// happened all the same puts its life in doubt.
    pub(crate) fn failed(&mut self, error: &StoreError) {
        for mut removal in std::mem::take(&mut self.queue) {
            let touched = std::mem::take(&mut removal.step).removed > 0;
            match removal.target {
                Target::Life { ref mut waiting, .. } => {
                    for reply in waiting.drain(..) {
                        let _ = reply.send(Err(error.clone()));
                    }
                    self.queue.push_back(removal);
                }
                Target::Oldest(trim) => {
                    trim.life.state().doubtful |= touched;
                    let _ = trim.reply.send(Err(error.clone()));
                }
            }
        }
        let wait = self.retry.map_or(FIRST_RETRY, |(_, wait)| (wait * 2).min(LAST_RETRY));
        self.retry = Some((Instant::now() + wait, wait));
    }
}

impl Target {
    /// Removes at most so many messages.
    async fn remove(&self, conn: &mut SqliteConnection, room: u64) -> Result<Step, sqlx::Error> {
        match self {
            Self::Life { row, .. } => remove_life(conn, *row, room).await,
            Self::Oldest(trim) => remove_oldest(conn, trim, room).await,
        }
    }

    fn finish(self, removed: u64, lives: &Lives) {
        match self {
            Self::Life { life, waiting, .. } => {
                if let Some(life) = life {
                    lives.forget(&life.life);
                }
                // Only one of them has removed it.
                for (reply, removed) in
                    waiting.into_iter().zip([removed].into_iter().chain(std::iter::repeat(0)))
                {
                    let _ = reply.send(Ok(removed));
                }
            }
            Self::Oldest(trim) => {
                let _ = trim.reply.send(trim.life.alive().map(drop));
            }
        }
    }
}

async fn remove_life(
    conn: &mut SqliteConnection,
    row: i64,
    room: u64,
) -> Result<Step, sqlx::Error> {
    let removed = sqlx::query(
        "DELETE FROM chatrooms_messages WHERE life = ?1 \
         AND seq < (SELECT min(seq) FROM chatrooms_messages WHERE life = ?1) + ?2",
    )
    .bind(row)
    .bind(integer(room))
    .execute(&mut *conn)
    .await?
    .rows_affected();
    let finished = removed < room;
    if finished {
        sqlx::query("DELETE FROM chatrooms_lives WHERE id = ?1").bind(row).execute(conn).await?;
    }
    Ok(Step { removed, trimmed: 0, finished })
}

async fn remove_oldest(
    conn: &mut SqliteConnection,
    trim: &Trim,
    room: u64,
) -> Result<Step, sqlx::Error> {
    let done = Step { finished: true, ..Step::default() };
    let mut state = *trim.life.state();
    if state.doubtful {
        reader::settle(conn, &trim.life.life, &mut state).await?;
    }
    let Some(row) = state.row.filter(|_| !state.over) else { return Ok(done) };
    let up_to = trim.up_to.min(state.head);
    let last = up_to.min((state.oldest - 1).saturating_add(room));
    if last < state.oldest {
        return Ok(done);
    }
    let removed = sqlx::query("DELETE FROM chatrooms_messages WHERE life = ?1 AND seq <= ?2")
        .bind(row)
        .bind(integer(last))
        .execute(&mut *conn)
        .await?
        .rows_affected();
    sqlx::query("UPDATE chatrooms_lives SET trimmed = max(trimmed, ?2) WHERE id = ?1")
        .bind(row)
        .bind(integer(last))
        .execute(conn)
        .await?;
    Ok(Step { removed, trimmed: last, finished: last == up_to })
}
