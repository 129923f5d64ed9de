//! Which lives there are, as this process knows them: the authority that rows in the file only follow.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use chatrooms_core::{Life, StoreError};

/// Every life that can still be asked for. One that is not here has ended, or never began.
#[derive(Debug, Default)]
pub(crate) struct Lives {
    /// Never held across an await.
    known: Mutex<HashMap<Life, Known>>,
}

#[derive(Debug)]
enum Known {
    /// An earlier process left it; its row.
    Abandoned(i64),
    /// It was abandoned and is being opened.
    Opening(i64),
    /// It was begun or opened here. It stays after its end for as long as there is something to remove.
    Here(Arc<OpenLife>),
}

impl Lives {
    fn lock(&self) -> MutexGuard<'_, HashMap<Life, Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Fences a life of an earlier process: it is listed, and that is all.
    pub(crate) fn fence(&self, life: Life, row: i64) {
        self.lock().insert(life, Known::Abandoned(row));
    }

    pub(crate) fn abandoned(&self) -> Vec<Life> {
        let known = self.lock();
        let abandoned = known.iter().filter(|(_, known)| matches!(known, Known::Abandoned(_)));
        abandoned.map(|(life, _)| life.clone()).collect()
    }

    pub(crate) fn begin(&self, life: &Life) {
        let begun = OpenLife::new(life.clone(), State { oldest: 1, ..State::default() });
        self.lock().insert(life.clone(), Known::Here(Arc::new(begun)));
    }

    /// Takes an abandoned life to open it; nobody else can until the adoption is dropped.
    pub(crate) fn adopt(&self, life: &Life) -> Result<Adoption<'_>, StoreError> {
        match self.lock().get_mut(life) {
            Some(known @ &mut Known::Abandoned(row)) => {
                *known = Known::Opening(row);
                Ok(Adoption { lives: self, life: life.clone(), row })
            }
            _ => Err(StoreError::Closed),
        }
    }

    /// The life, where it is open.
    pub(crate) fn open(&self, life: &Life) -> Result<Arc<OpenLife>, StoreError> {
        match self.lock().get(life) {
            Some(Known::Here(open)) if !open.state().over => Ok(Arc::clone(open)),
            _ => Err(StoreError::Closed),
        }
    }

    /// Ends a life for everybody; returns it where something of it is, or may be, left in the file.
    pub(crate) fn end(&self, life: &Life) -> Option<Arc<OpenLife>> {
        let mut lives = self.lock();
        let ended = match lives.get(life)? {
            Known::Here(open) => Arc::clone(open),
            Known::Abandoned(row) | Known::Opening(row) => {
                let state = State { row: Some(*row), ..State::default() };
                let ended = Arc::new(OpenLife::new(life.clone(), state));
                lives.insert(life.clone(), Known::Here(Arc::clone(&ended)));
                ended
            }
        };
        let mut state = ended.state();
        state.over = true;
        if state.is_unwritten() {
            lives.remove(life);
            return None;
        }
        drop(state);
        Some(ended)
    }

    /// Nothing of an ended life is left.
    pub(crate) fn forget(&self, life: &Life) {
        self.lock().remove(life);
    }
}

/// An abandoned life while it is being opened; it is abandoned again unless that succeeds.
#[derive(Debug)]
pub(crate) struct Adoption<'a> {
    lives: &'a Lives,
    life: Life,
    pub(crate) row: i64,
}

impl Adoption<'_> {
    /// Makes it an open life, unless it has been closed meanwhile.
    pub(crate) fn complete(self, head: u64, oldest: u64) -> Result<(), StoreError> {
        let state = State { row: Some(self.row), head, oldest, ..State::default() };
        match self.lives.lock().get_mut(&self.life) {
            Some(known @ Known::Opening(_)) => {
                *known = Known::Here(Arc::new(OpenLife::new(self.life.clone(), state)));
                Ok(())
            }
            _ => Err(StoreError::Closed),
        }
    }
}

impl Drop for Adoption<'_> {
    fn drop(&mut self) {
        if let Some(known @ Known::Opening(_)) = self.lives.lock().get_mut(&self.life) {
            *known = Known::Abandoned(self.row);
        }
    }
}

/// A life of this process.
#[derive(Debug)]
pub(crate) struct OpenLife {
    pub(crate) life: Life,
    /// Never held across an await. Only the writer changes it, but for `over`.
    state: Mutex<State>,
}

/// What is known of a life without asking the file.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct State {
    /// It has ended.
    pub(crate) over: bool,
    /// Its row, from its first append on.
    pub(crate) row: Option<i64>,
    /// The newest message's number.
    pub(crate) head: u64,
    /// The oldest kept message's number, `head + 1` where none is kept.
    pub(crate) oldest: u64,
    /// The writer is in a transaction that may write to it.
    pub(crate) writing: bool,
    /// A commit failed in a way that leaves it open whether the rest of this is still true.
    pub(crate) doubtful: bool,
}

impl State {
    const fn is_unwritten(&self) -> bool {
        self.row.is_none() && !self.writing && !self.doubtful
    }
}

impl OpenLife {
    const fn new(life: Life, state: State) -> Self {
        Self { life, state: Mutex::new(state) }
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is known of it, where it has not ended.
    pub(crate) fn alive(&self) -> Result<State, StoreError> {
        let state = *self.state();
        if state.over { Err(StoreError::Closed) } else { Ok(state) }
    }
}

#[cfg(test)]
mod tests {
    use chatrooms_core::RoomName;

    use super::*;

    fn life() -> Life {
        Life::new(RoomName::new("tea").unwrap())
    }

    #[test]
    fn an_adoption_that_is_given_up_leaves_the_life_abandoned() {
        let (lives, life) = (Lives::default(), life());
        lives.fence(life.clone(), 1);
        let adoption = lives.adopt(&life).unwrap();
        assert!(lives.abandoned().is_empty());
        assert!(matches!(lives.adopt(&life), Err(StoreError::Closed)), "somebody else has it");
        drop(adoption);
        assert_eq!(lives.abandoned(), std::slice::from_ref(&life));
        lives.adopt(&life).unwrap().complete(3, 2).unwrap();
        assert!(lives.abandoned().is_empty());
        assert_eq!(lives.open(&life).unwrap().state().head, 3);
    }

    #[test]
    fn a_life_that_is_closed_while_it_is_being_opened_stays_closed() {
        let (lives, life) = (Lives::default(), life());
        lives.fence(life.clone(), 1);
        let adoption = lives.adopt(&life).unwrap();
        assert_eq!(lives.end(&life).unwrap().state().row, Some(1));
        assert!(matches!(adoption.complete(3, 1), Err(StoreError::Closed)));
        assert!(matches!(lives.open(&life), Err(StoreError::Closed)));
    }

    #[test]
    fn a_life_that_may_be_in_the_file_is_not_forgotten_at_its_end() {
        let (lives, life) = (Lives::default(), life());
        lives.begin(&life);
        lives.open(&life).unwrap().state().writing = true;
        assert!(lives.end(&life).is_some());
        assert!(matches!(lives.open(&life), Err(StoreError::Closed)));
        lives.begin(&life);
        assert!(lives.end(&life).is_none(), "never written");
        assert!(lives.lock().is_empty());
    }
}
