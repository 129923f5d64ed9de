//! One room, used by one call after the other: what a history has to agree with.

use std::{collections::BTreeSet, sync::Arc};

use chatrooms_core::{Epoch, Error};
use stateright::semantics::SequentialSpec;

/// What a client, or somebody outside, can do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Op {
    Join(&'static str),
    Leave(&'static str),
    Publish(&'static str, Arc<str>),
    Read(&'static str),
    /// The connection is lost, and a new one is in no room.
    Lose(&'static str),
    /// The host looks at the room.
    Look,
}

/// What comes of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Ret {
    Joined { epoch: Epoch, is_first: bool, members: Vec<String>, said: Vec<String> },
    Done,
    Sent(u64),
    Read(Vec<String>),
    Seen { epoch: Epoch, seq: u64, connections: usize },
    Nobody,
    Refused(Error),
}

/// A room: nobody, or one life.
#[derive(Clone, Debug, Default)]
pub(super) struct OneRoom {
    life: Option<Life>,
    /// The epochs of earlier lives, none of which comes again.
    over: BTreeSet<Epoch>,
}

#[derive(Clone, Debug)]
struct Life {
    epoch: Epoch,
    members: BTreeSet<&'static str>,
    said: Vec<String>,
}

impl OneRoom {
    fn begin(&mut self, epoch: Epoch) {
        self.life = Some(Life { epoch, members: BTreeSet::new(), said: Vec::new() });
    }

    fn join(&mut self, who: &'static str) -> Ret {
        let Some(life) = &mut self.life else { return Ret::Nobody };
        if !life.members.insert(who) {
            return Ret::Refused(Error::AlreadyInRoom);
        }
        Ret::Joined {
            epoch: life.epoch,
            is_first: life.members.len() == 1,
            members: life.members.iter().map(ToString::to_string).collect(),
            said: life.said.clone(),
        }
    }

    /// The last one who leaves ends the life, and what was said goes with it.
    fn leave(&mut self, who: &'static str) -> bool {
        let Some(life) = &mut self.life else { return false };
        let was_there = life.members.remove(who);
        if life.members.is_empty() {
            self.over.insert(life.epoch);
            self.life = None;
        }
        was_there
    }

    /// The life, for somebody who is there.
    fn of(&mut self, who: &'static str) -> Option<&mut Life> {
        self.life.as_mut().filter(|life| life.members.contains(who))
    }
}

const NOT_THERE: Ret = Ret::Refused(Error::NotInRoom);

impl SequentialSpec for OneRoom {
    type Op = Op;
    type Ret = Ret;

    fn invoke(&mut self, op: &Op) -> Ret {
        match op {
            Op::Join(who) => {
                if self.life.is_none() {
                    self.begin(Epoch::new());
                }
                self.join(who)
            }
            Op::Leave(who) => {
                if self.leave(who) {
                    Ret::Done
                } else {
                    NOT_THERE
                }
            }
            Op::Lose(who) => {
                self.leave(who);
                Ret::Done
            }
            Op::Publish(who, text) => self.of(who).map_or(NOT_THERE, |life| {
                life.said.push(text.to_string());
                Ret::Sent(life.said.len() as u64)
            }),
            Op::Read(who) => self.of(who).map_or(NOT_THERE, |life| Ret::Read(life.said.clone())),
            Op::Look => self.life.as_ref().map_or(Ret::Nobody, |life| Ret::Seen {
                epoch: life.epoch,
                seq: life.said.len() as u64,
                connections: life.members.len(),
            }),
        }
    }

    /// Which epoch a new life has is open, but that no earlier one had it.
    fn is_valid_step(&mut self, op: &Op, ret: &Ret) -> bool {
        if let (Op::Join(_), Ret::Joined { epoch, .. }, None) = (op, ret, &self.life) {
            if self.over.contains(epoch) {
                return false;
            }
            self.begin(*epoch);
        }
        self.invoke(op) == *ret
    }
}
