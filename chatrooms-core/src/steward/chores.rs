//! What a steward has to do in the cluster, one after the other, however often that has to be tried.

use std::time::Duration;

use tokio::sync::oneshot;

use super::{Answer, Errand, SLACK, Steward, leaving::Leave};
use crate::{
    ClusterError, ConnectionId, Exited, ModerationError, Note, Removal, RoomEnd, UserName,
    hooks::tell_closed,
    note,
    sync::{Arc, after, guarded},
};

/// What has to be done in the cluster, however often that has to be tried.
#[derive(Debug)]
pub(super) enum Chore {
    Exit {
        connection: ConnectionId,
        lost: bool,
    },
    Leave(Leave),
    Remove {
        user: UserName,
        code: Removal,
        reason: Option<Arc<str>>,
        answer: Option<Answer>,
    },
    Close {
        reason: Option<Arc<str>>,
        answer: Option<Answer>,
    },
    Impose {
        answer: Option<Answer>,
    },
    Expire,
    /// Nothing, but that somebody waits for what is before it.
    Tell(oneshot::Sender<()>),
}

impl Chore {
    /// Says what has come of it, to whoever waits for that: once, and where it has to be tried again, that it could not be done yet.
    fn tell(&mut self, outcome: Result<usize, ModerationError>) {
        let answer = match self {
            Self::Remove { answer, .. } | Self::Close { answer, .. } | Self::Impose { answer } => {
                answer.take()
            }
            Self::Exit { .. } | Self::Leave(_) | Self::Expire | Self::Tell(_) => None,
        };
        if let Some(answer) = answer {
            // Whoever asked may have gone.
            let _ = answer.send(outcome);
        }
    }
}

impl Steward {
    pub(super) fn note_down(&mut self, errand: Errand) {
        self.chores.push_back(match errand {
            Errand::Exit { connection, lost } => Chore::Exit { connection, lost },
            Errand::Leave { peer, answer } => {
                Chore::Leave(Leave { peer, answer, may_be_out: None })
            }
            Errand::Remove { user, code, reason, answer } => {
                Chore::Remove { user, code, reason, answer: Some(answer) }
            }
            Errand::Close { reason, answer } => Chore::Close { reason, answer: Some(answer) },
            Errand::Impose { answer } => Chore::Impose { answer: Some(answer) },
            Errand::Expire => Chore::Expire,
            Errand::Tell(waiting) => Chore::Tell(waiting),
            Errand::Enter { .. }
            | Errand::Follow { .. }
            | Errand::Pass(_)
            | Errand::CatchUp(_)
            | Errand::Look => return,
        });
    }

    /// Does what has to be done in the cluster; says whether all of it is done.
    pub(super) async fn do_chores(&mut self) -> bool {
        while let Some(chore) = self.chores.pop_front() {
            let mut chore = match chore {
                Chore::Tell(waiting) => {
                    // Whoever waited may have gone.
                    let _ = waiting.send(());
                    continue;
                }
                Chore::Leave(leave) => match self.leave(leave).await {
                    Some(later) => return self.put_off(Chore::Leave(later)),
                    None => continue,
                },
                chore => chore,
            };
            let outcome = match guarded(self.attempt(&chore)).await {
                Some(Ok(done)) => {
                    self.follow_up(done.after).await;
                    Ok(done.count)
                }
                Some(Err(
                    ClusterError::Unavailable { .. } | ClusterError::OutcomeUnknown { .. },
                )) => return self.put_off(chore),
                // There is nothing to do it to.
                Some(Err(error)) => {
                    self.ended(&error);
                    Err(match error {
                        ClusterError::Fenced => ModerationError::Unavailable,
                        _ => ModerationError::NotFound,
                    })
                }
                // What makes the cluster panic would do so again.
                None => Err(ModerationError::Unavailable),
            };
            chore.tell(outcome);
        }
        true
    }

    /// Leaves a chore, and what is behind it, for when the cluster is back: all is not done.
    fn put_off(&mut self, chore: Chore) -> bool {
        self.chores.push_front(chore);
        // What waits behind it waits for longer than anybody does.
        self.chores.iter_mut().for_each(|chore| chore.tell(Err(ModerationError::Unavailable)));
        false
    }

    pub(super) async fn follow_up(&mut self, after_it: After) {
        match after_it {
            After::Nothing => {}
            After::Ended(reason) => {
                let life = self.room.live(|live| live.is_followed().then(|| live.life.clone()));
                self.room.part(reason, true, None, &self.shared);
                // Nobody else knows that it was ended by this.
                if let Some(life) = life.flatten() {
                    tell_closed(life, reason, &self.shared);
                }
            }
            After::Lingers(time) => {
                self.room.live(|live| live.linger(&self.room, after(time + SLACK), &self.shared));
                // Nobody is there any more, and whoever watches learns of it.
                self.read().await;
            }
        }
    }

    async fn attempt(&self, chore: &Chore) -> Result<Done, ClusterError> {
        let cluster = &self.cluster;
        match chore {
            Chore::Exit { connection, lost } => {
                let exited = cluster.exit(self.room.name(), *connection, *lost).await?;
                let reason = if *lost { RoomEnd::Lost } else { RoomEnd::Left };
                Ok(Done::then(After::exit(exited, reason)))
            }
            Chore::Remove { user, code, reason, .. } => {
                let life = self.life().ok_or(ClusterError::Over)?;
                let count = cluster.remove(&life, user, *code, reason.as_deref()).await?;
                Ok(Done { after: After::Nothing, count })
            }
            Chore::Close { reason, .. } => {
                let life = self.life().ok_or(ClusterError::Over)?;
                let count = cluster.close(&life, reason.as_deref()).await?;
                Ok(Done { after: After::Ended(RoomEnd::Closed), count })
            }
            Chore::Impose { .. } => self.impose().await.map(|()| Done::then(After::Nothing)),
            Chore::Expire => {
                let life = self.life().ok_or(ClusterError::Over)?;
                let ended = cluster.expire(&life).await?;
                let after = if ended { After::Ended(RoomEnd::Expired) } else { After::Nothing };
                Ok(Done::then(after))
            }
            // Those are seen to otherwise.
            Chore::Leave(_) | Chore::Tell(_) => Ok(Done::then(After::Nothing)),
        }
    }

    /// Tells the other nodes what was imposed here, on top of what they have imposed.
    async fn impose(&self) -> Result<(), ClusterError> {
        loop {
            let next = self.room.live(|live| {
                let (text, last) = live.sanctions.unshared()?;
                let banned = note::banned(&live.sanctions);
                let note = Note { revision: live.note_revision(), text, banned };
                Some((live.life.clone(), note, last))
            });
            let next = next.ok_or(ClusterError::Over)?;
            let Some((life, note, last)) = next else { return Ok(()) };
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

/// What a chore has brought.
struct Done {
    after: After,
    /// How many connections of other nodes, or with a room that is closed of all.
    count: usize,
}

impl Done {
    const fn then(after: After) -> Self {
        Self { after, count: 0 }
    }
}

/// What has to follow.
pub(super) enum After {
    Nothing,
    Ended(RoomEnd),
    Lingers(Duration),
}

impl After {
    pub(super) fn exit(exited: Exited, reason: RoomEnd) -> Self {
        match exited {
            Exited::Gone => Self::Nothing,
            Exited::Lingers(time) => Self::Lingers(time),
            Exited::Ended => Self::Ended(reason),
        }
    }
}
