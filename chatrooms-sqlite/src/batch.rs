//! One transaction of the writer: everything that had queued for it.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use chatrooms_core::{
    Appended, Draft, Epoch, Message, Nonce, Redaction, StoreError, Timestamp, UserName,
};
use sqlx::{Row as _, SqliteConnection};

use crate::{
    error,
    insert::{self, CHUNK, Mark, NewMessage, integer},
    job::{Append, Close, Note, Redact, Reply, Results, Ticket, Write},
    lives::{OpenLife, State},
    purge, reader,
};

/// What one transaction does. Nothing that others see changes before it is [`committed`](Self::committed).
#[derive(Debug, Default)]
pub(crate) struct Batch {
    lives: Vec<Touched>,
    by_epoch: HashMap<Epoch, usize>,
    appends: Vec<Appending>,
    redacts: Vec<(usize, Redact, Redaction)>,
    notes: Vec<(usize, Note)>,
    closes: Vec<(usize, Reply<u64>)>,
}

/// A life that the transaction may write to, and how it will stand afterwards.
#[derive(Debug)]
struct Touched {
    life: Arc<OpenLife>,
    state: State,
}

#[derive(Debug)]
struct Appending {
    life: usize,
    drafts: Vec<Draft>,
    outcomes: Vec<Outcome>,
    ticket: Arc<Ticket>,
    reply: tokio::sync::oneshot::Sender<Results>,
}

#[derive(Clone, Debug)]
enum Outcome {
    Undecided,
    Stored(u64),
    Duplicate(u64, Timestamp),
    Refused(StoreError),
}

/// A user's nonce in one of the lives of a batch.
type Nonces<V> = HashMap<(usize, UserName, Nonce), V>;

impl Batch {
    /// How many drafts are in it.
    pub(crate) fn drafts(&self) -> usize {
        self.appends.iter().map(|append| append.drafts.len()).sum()
    }

    pub(crate) fn add(&mut self, write: Write) {
        match write {
            Write::Append(append) => self.append(append),
            Write::Redact(redact) => self.redact(redact),
            Write::Note(note) => self.note(note),
            Write::Close(close) => self.close(close),
        }
    }

    fn append(&mut self, append: Append) {
        if !append.ticket.begin() {
            return Write::Append(append).refuse(&error::late());
        }
        match self.touch(&append.life) {
            Ok(life) => {
                let outcomes = vec![Outcome::Undecided; append.drafts.len()];
                let Append { drafts, ticket, reply, .. } = append;
                self.appends.push(Appending { life, drafts, outcomes, ticket, reply });
            }
            Err(closed) => Write::Append(append).refuse(&closed),
        }
    }

    fn redact(&mut self, redact: Redact) {
        match self.touch(&redact.life) {
            Ok(life) => self.redacts.push((life, redact, Redaction::NotFound)),
            Err(closed) => Write::Redact(redact).refuse(&closed),
        }
    }

    fn note(&mut self, note: Note) {
        match self.touch(&note.life) {
            Ok(life) => self.notes.push((life, note)),
            Err(closed) => Write::Note(note).refuse(&closed),
        }
    }

    fn close(&mut self, Close { life, reply }: Close) {
        let life = self.touch_ended(&life);
        self.closes.push((life, reply));
    }

    /// Takes a life into the transaction, unless it has ended.
    fn touch(&mut self, life: &Arc<OpenLife>) -> Result<usize, StoreError> {
        life.alive()?;
        Ok(self.touch_ended(life))
    }

    fn touch_ended(&mut self, life: &Arc<OpenLife>) -> usize {
        *self.by_epoch.entry(life.life.epoch).or_insert_with(|| {
            let mut state = life.state();
            state.writing = true;
            let touched = Touched { life: Arc::clone(life), state: *state };
            self.lives.push(touched);
            self.lives.len() - 1
        })
    }

    /// Whether one statement does it: messages, and nothing to find out or to prepare for them.
    pub(crate) fn is_plain(&self) -> bool {
        let is_known = |touched: &Touched| touched.state.row.is_some() && !touched.state.doubtful;
        let has_only_appends =
            self.redacts.is_empty() && self.notes.is_empty() && self.closes.is_empty();
        has_only_appends && self.drafts() <= CHUNK && self.lives.iter().all(is_known)
    }

    /// Does all of a plain batch in one statement, which is its own transaction. A nonce that is known is an error like any other.
    pub(crate) async fn insert(
        &mut self,
        conn: &mut SqliteConnection,
        at: Timestamp,
    ) -> Result<(), sqlx::Error> {
        let places = |(append, it): (usize, &Appending)| {
            (0..it.drafts.len()).map(move |draft| (append, draft)).collect::<Vec<_>>()
        };
        let drafts: Vec<_> = self.appends.iter().enumerate().flat_map(places).collect();
        if !drafts.is_empty() {
            insert::messages(conn, &self.numbered(&drafts, at)).await?;
            self.stored(&drafts);
        }
        Ok(())
    }

    /// Everything as it came, because nothing of it has happened. What has become late meanwhile is refused.
    pub(crate) fn take_back(self) -> Vec<Write> {
        let mut writes = Vec::new();
        for Appending { life, drafts, ticket, reply, .. } in self.appends {
            let is_in_time = ticket.release();
            let life = Arc::clone(&self.lives[life].life);
            let append = Write::Append(Append { life, drafts, ticket, reply });
            if is_in_time {
                writes.push(append);
            } else {
                append.refuse(&error::late());
            }
        }
        writes.extend(self.redacts.into_iter().map(|(_, redact, _)| Write::Redact(redact)));
        writes.extend(self.notes.into_iter().map(|(_, note)| Write::Note(note)));
        for (life, reply) in self.closes {
            writes.push(Write::Close(Close { life: Arc::clone(&self.lives[life].life), reply }));
        }
        for Touched { life, .. } in &self.lives {
            life.state().writing = false;
        }
        writes
    }

    /// Does all of it in the open transaction. An error concerns the transaction as a whole.
    pub(crate) async fn write(
        &mut self,
        conn: &mut SqliteConnection,
        boot: u128,
        at: Timestamp,
    ) -> Result<(), sqlx::Error> {
        for touched in self.lives.iter_mut().filter(|touched| touched.state.doubtful) {
            reader::settle(conn, &touched.life.life, &mut touched.state).await?;
        }
        self.write_messages(conn, boot, at).await?;
        self.write_redactions(conn).await?;
        self.write_notes(conn, boot).await?;
        for (life, _) in &self.closes {
            if let Some(row) = self.lives[*life].state.row {
                purge::mark(conn, row).await?;
            }
        }
        Ok(())
    }

    async fn write_messages(
        &mut self,
        conn: &mut SqliteConnection,
        boot: u128,
        at: Timestamp,
    ) -> Result<(), sqlx::Error> {
        let mut known = self.find_nonces(conn).await?;
        let mut waiting = Waiting::default();
        for append in 0..self.appends.len() {
            for draft in 0..self.appends[append].drafts.len() {
                let mark = self.mark(append, draft);
                // The same nonce twice in one batch: what became of the first one decides.
                if mark.as_ref().is_some_and(|mark| waiting.nonces.contains(mark)) {
                    self.flush(conn, boot, at, &mut waiting, &mut known).await?;
                }
                if let Some((seq, at)) = mark.as_ref().and_then(|mark| known.get(mark)) {
                    self.appends[append].outcomes[draft] = Outcome::Duplicate(*seq, *at);
                    continue;
                }
                waiting.nonces.extend(mark);
                waiting.drafts.push((append, draft));
                if waiting.drafts.len() == CHUNK {
                    self.flush(conn, boot, at, &mut waiting, &mut known).await?;
                }
            }
        }
        self.flush(conn, boot, at, &mut waiting, &mut known).await
    }

    /// The user and the nonce of a draft that has both.
    fn mark(&self, append: usize, draft: usize) -> Option<(usize, UserName, Nonce)> {
        let append = &self.appends[append];
        let draft = &append.drafts[draft];
        Some((append.life, draft.user.clone()?, draft.nonce.clone()?))
    }

    /// The nonces of this batch that the file knows already.
    async fn find_nonces(
        &self,
        conn: &mut SqliteConnection,
    ) -> Result<Nonces<(u64, Timestamp)>, sqlx::Error> {
        let mut marks = Vec::new();
        for append in &self.appends {
            // A life without a row has no messages either.
            let Some(row) = self.lives[append.life].state.row else { continue };
            for draft in &append.drafts {
                if let (Some(user), Some(nonce)) = (&draft.user, &draft.nonce) {
                    marks.push((append.life, Mark { life: row, user, nonce }));
                }
            }
        }
        let mut known = HashMap::new();
        for chunk in marks.chunks(CHUNK) {
            let wanted: Vec<_> = chunk.iter().map(|(_, mark)| *mark).collect();
            for (place, seq, at) in insert::find(conn, &wanted).await? {
                if let Some((life, Mark { user, nonce, .. })) = chunk.get(place) {
                    known.insert((*life, (*user).clone(), (*nonce).clone()), (seq, at));
                }
            }
        }
        Ok(known)
    }

    /// Writes the drafts that wait, at most a chunk of them.
    async fn flush(
        &mut self,
        conn: &mut SqliteConnection,
        boot: u128,
        at: Timestamp,
        waiting: &mut Waiting,
        known: &mut Nonces<(u64, Timestamp)>,
    ) -> Result<(), sqlx::Error> {
        let drafts = std::mem::take(waiting).drafts;
        if drafts.is_empty() {
            return Ok(());
        }
        self.write_lives(conn, boot, &drafts).await?;
        match insert::messages(conn, &self.numbered(&drafts, at)).await {
            Ok(()) => self.stored(&drafts),
            Err(error) if error::is_refusal(&error) => {
                for draft in drafts.chunks(1) {
                    match insert::messages(conn, &self.numbered(draft, at)).await {
                        Ok(()) => self.stored(draft),
                        Err(error) if error::is_refusal(&error) => self.refused(draft, error),
                        Err(error) => return Err(error),
                    }
                }
            }
            Err(error) => return Err(error),
        }
        for (append, draft) in drafts {
            let Outcome::Stored(seq) = self.appends[append].outcomes[draft] else { continue };
            known.extend(self.mark(append, draft).map(|mark| (mark, (seq, at))));
        }
        Ok(())
    }

    /// Writes the rows of lives that have none.
    async fn write_lives(
        &mut self,
        conn: &mut SqliteConnection,
        boot: u128,
        drafts: &[(usize, usize)],
    ) -> Result<(), sqlx::Error> {
        for (append, _) in drafts {
            self.lives[self.appends[*append].life].write(conn, boot).await?;
        }
        Ok(())
    }

    /// Gives drafts the next numbers of their lives.
    fn numbered(&self, drafts: &[(usize, usize)], at: Timestamp) -> Vec<NewMessage<'_>> {
        let mut heads: HashMap<usize, u64> = HashMap::new();
        let number = |(append, draft): &(usize, usize)| {
            let append = &self.appends[*append];
            let state = &self.lives[append.life].state;
            let head = heads.entry(append.life).or_insert(state.head);
            *head += 1;
            let life = state.row.unwrap_or_default();
            NewMessage { life, seq: *head, at, draft: &append.drafts[*draft] }
        };
        drafts.iter().map(number).collect()
    }

    /// The numbers that [`numbered`](Self::numbered) gave are taken.
    fn stored(&mut self, drafts: &[(usize, usize)]) {
        for (append, draft) in drafts {
            let append = &mut self.appends[*append];
            let state = &mut self.lives[append.life].state;
            state.head += 1;
            append.outcomes[*draft] = Outcome::Stored(state.head);
        }
    }

    fn refused(&mut self, drafts: &[(usize, usize)], error: sqlx::Error) {
        let error = error::unavailable(error);
        for (append, draft) in drafts {
            self.appends[*append].outcomes[*draft] = Outcome::Refused(error.clone());
        }
    }

    async fn write_redactions(&mut self, conn: &mut SqliteConnection) -> Result<(), sqlx::Error> {
        for (life, redact, outcome) in &mut self.redacts {
            if let Some(row) = self.lives[*life].state.row {
                *outcome = write_redaction(conn, row, redact).await?;
            }
        }
        Ok(())
    }

    async fn write_notes(
        &mut self,
        conn: &mut SqliteConnection,
        boot: u128,
    ) -> Result<(), sqlx::Error> {
        for (life, note) in &self.notes {
            let row = self.lives[*life].write(conn, boot).await?;
            insert::note(conn, row, &note.note).await?;
        }
        Ok(())
    }

    /// Makes everything true for everybody else, and answers. Returns how many messages are stored, whether a text
    /// has to go from the log, and the ended lives that there is something left of.
    pub(crate) fn committed(self, at: Timestamp) -> Committed {
        for touched in &self.lives {
            touched.settle(touched.state);
        }
        let mut committed = Committed::default();
        for append in self.appends {
            let oldest = self.lives[append.life].state.oldest;
            let results = append.drafts.into_iter().zip(append.outcomes);
            let results: Results =
                results.map(|(draft, outcome)| outcome.result(draft, at, oldest)).collect();
            let stored = |result: &&_| matches!(result, Ok(Appended::Stored { .. }));
            committed.appended += results.iter().filter(stored).count() as u64;
            let _ = append.reply.send(results);
        }
        for (_, redact, outcome) in self.redacts {
            // Already: an earlier commit may have been doubtful, and its text still in the log.
            committed.redacted |= matches!(outcome, Redaction::Done | Redaction::Already);
            let _ = redact.reply.send(Ok(outcome));
        }
        for (_, note) in self.notes {
            let _ = note.reply.send(Ok(()));
        }
        for (life, reply) in self.closes {
            committed.closed.push((Arc::clone(&self.lives[life].life), reply));
        }
        committed
    }

    /// Leaves everything as it was, and answers with the error; with `doubtful`, the file has to be asked how it is.
    pub(crate) fn failed(self, error: &StoreError, doubtful: bool) {
        for Touched { life, .. } in &self.lives {
            let mut state = life.state();
            state.writing = false;
            state.doubtful |= doubtful;
        }
        for Appending { drafts, reply, .. } in self.appends {
            let _ = reply.send(drafts.iter().map(|_| Err(error.clone())).collect());
        }
        for (_, redact, _) in self.redacts {
            let _ = redact.reply.send(Err(error.clone()));
        }
        for (_, note) in self.notes {
            let _ = note.reply.send(Err(error.clone()));
        }
        for (_, reply) in self.closes {
            let _ = reply.send(Err(error.clone()));
        }
    }
}

/// What a committed batch leaves to be done.
#[derive(Debug, Default)]
pub(crate) struct Committed {
    pub(crate) appended: u64,
    pub(crate) redacted: bool,
    pub(crate) closed: Vec<(Arc<OpenLife>, Reply<u64>)>,
}

/// Drafts that have no number yet, and their nonces.
#[derive(Default)]
struct Waiting {
    drafts: Vec<(usize, usize)>,
    nonces: HashSet<(usize, UserName, Nonce)>,
}

impl Touched {
    /// Its row, which is written where there is none.
    async fn write(&mut self, conn: &mut SqliteConnection, boot: u128) -> Result<i64, sqlx::Error> {
        if let Some(row) = self.state.row {
            return Ok(row);
        }
        let row = insert::life(conn, &self.life.life, boot).await?;
        self.state.row = Some(row);
        Ok(row)
    }

    fn settle(&self, new: State) {
        let mut state = self.life.state();
        // A life may have ended meanwhile; nothing brings it back.
        *state = State { over: state.over, writing: false, doubtful: false, ..new };
    }
}

impl Outcome {
    fn result(self, draft: Draft, at: Timestamp, oldest: u64) -> Result<Appended, StoreError> {
        match self {
            Self::Stored(seq) => {
                Ok(Appended::Stored { message: Arc::new(Message::new(seq, at, draft)), oldest })
            }
            Self::Duplicate(seq, at) => Ok(Appended::Duplicate { seq, at }),
            Self::Refused(error) => Err(error),
            Self::Undecided => Err(StoreError::unavailable(error::NAME, "nothing was decided")),
        }
    }
}

async fn write_redaction(
    conn: &mut SqliteConnection,
    life: i64,
    redact: &Redact,
) -> Result<Redaction, sqlx::Error> {
    let found =
        sqlx::query("SELECT author, redacted FROM chatrooms_messages WHERE life = ?1 AND seq = ?2")
            .bind(life)
            .bind(integer(redact.seq))
            .fetch_optional(&mut *conn)
            .await?;
    let Some(found) = found else { return Ok(Redaction::NotFound) };
    let author: Option<&str> = found.try_get(0)?;
    if redact.author.as_ref().is_some_and(|user| Some(user.as_str()) != author) {
        return Ok(Redaction::NotAuthor);
    }
    if found.try_get(1)? {
        return Ok(Redaction::Already);
    }
    sqlx::query(
        "UPDATE chatrooms_messages SET body = '', data = NULL, redacted = 1 WHERE life = ?1 AND seq = ?2",
    )
    .bind(life)
    .bind(integer(redact.seq))
    .execute(conn)
    .await?;
    Ok(Redaction::Done)
}

#[cfg(test)]
mod tests {
    use chatrooms_core::{Life, RoomName};
    use tokio::sync::oneshot;

    use super::*;
    use crate::lives::Lives;

    #[test]
    fn a_life_that_ends_during_a_transaction_stays_ended() {
        for commit in [true, false] {
            let (lives, life) = (Lives::default(), Life::new(RoomName::new("tea").unwrap()));
            lives.begin(&life);
            let open = lives.open(&life).unwrap();
            let mut batch = Batch::default();
            let (reply, _) = oneshot::channel();
            batch.add(Write::Redact(Redact {
                life: Arc::clone(&open),
                seq: 1,
                author: None,
                reply,
            }));
            assert!(lives.end(&life).is_some(), "something may be left of it");
            if commit {
                batch.committed(Timestamp(0));
            } else {
                batch.failed(&error::ended(), false);
            }
            assert!(matches!(open.alive(), Err(StoreError::Closed)));
            assert!(!open.state().writing);
        }
    }
}
