//! A leave that is waited for: whoever goes is told first what happened before, in one step with their going.

use std::{collections::VecDeque, mem};

use tokio::sync::oneshot;

use super::{
    Steward,
    chores::{After, Chore},
};
use crate::{
    ClusterError, ConnectionId, RoomEnd,
    peer::Peer,
    sync::{Arc, guarded},
};

/// Somebody who waits to be taken out, and to be told before what happened up to then.
#[derive(Debug)]
pub(super) struct Leave {
    pub(super) peer: Arc<Peer>,
    pub(super) answer: oneshot::Sender<()>,
    /// Their connection, where they may be out already and the cluster could not say so any more.
    pub(super) may_be_out: Option<ConnectionId>,
}

impl Leave {
    /// Says that they are out.
    fn done(self) {
        // Whoever asked may have gone: they are out all the same.
        let _ = self.answer.send(());
    }
}

impl Steward {
    /// Takes somebody out who is told before what happened up to then. Hands them back where that cannot be done now; where it cannot be done at all they go as whoever is not told goes.
    pub(super) async fn leave(&mut self, mut leave: Leave) -> Option<Leave> {
        let name = self.room.name().clone();
        loop {
            let here = self.room.live(|live| {
                let connection = live.roster.connection_of(&leave.peer)?;
                Some((live.known()?, connection))
            });
            let Some((known, connection)) = here.flatten() else {
                if self.is_out(&leave) {
                    leave.done();
                }
                return None;
            };
            if leave.answer.is_closed() {
                self.give_up(&leave);
                return None;
            }
            let (cluster, budget) = (&self.cluster, self.budget());
            let leaving = async { cluster.take_leave(&name, connection, &known, budget).await };
            match guarded(leaving).await {
                Some(Ok((news, exited))) => {
                    if let Some(taken) = self.room.take_news(news, None, &self.shared) {
                        self.heed(taken);
                    }
                    let Some(exited) = exited else { continue };
                    let is_out = self.room.let_out(&leave.peer, &self.shared);
                    self.follow_up(After::exit(exited, RoomEnd::Left)).await;
                    if is_out || self.is_out(&leave) {
                        leave.done();
                    }
                    return None;
                }
                Some(Err(ClusterError::Unavailable { .. })) => return Some(leave),
                Some(Err(ClusterError::OutcomeUnknown { .. })) => {
                    self.room.live(|live| live.expect_exit(connection));
                    leave.may_be_out = Some(connection);
                    return Some(leave);
                }
                Some(Err(error)) => {
                    if matches!(error, ClusterError::Over) {
                        self.chores.push_front(Chore::Leave(leave));
                    }
                    self.ended(&error);
                    return None;
                }
                None => return None,
            }
        }
    }

    /// Whether somebody has gone by leaving: they may have been made to go meanwhile.
    fn is_out(&self, leave: &Leave) -> bool {
        let Some(connection) = leave.may_be_out else { return false };
        self.room.live(|live| !live.expects_exit_no_more(connection)) == Some(true)
    }

    /// Of a room that is over, in which nobody else is known to have been: theirs was the leave that ended it.
    pub(super) fn let_out_the_last(&mut self) {
        let (mut last, mut others) = (Vec::new(), VecDeque::new());
        for chore in mem::take(&mut self.chores) {
            match chore {
                Chore::Leave(leave) if leave.may_be_out.is_some() => last.push(leave),
                chore => others.push_back(chore),
            }
        }
        self.chores = others;
        if self.room.live(|live| live.roster.connections()) != Some(last.len()) {
            return;
        }
        for leave in last {
            if self.room.let_out(&leave.peer, &self.shared) {
                leave.done();
            }
        }
    }

    /// Whoever does not wait any more stays, or leaves otherwise; but where the cluster may have them out already, they are.
    fn give_up(&mut self, leave: &Leave) {
        let Some(connection) = leave.may_be_out else { return };
        if self.room.let_out(&leave.peer, &self.shared) {
            self.chores.push_back(Chore::Exit { connection, lost: false });
        }
    }
}
