//! A bell that rings when something was written to a room.

use std::{collections::VecDeque, fmt};

use tokio::sync::Notify;

use crate::{
    Data, Epoch, Known, UserName,
    sync::{
        Arc,
        aside::{Mutex, lock},
    },
};

/// Rings for a node that takes part in a room. However often it was rung, one look sees to all of it.
///
/// ```
/// # use chatrooms_core::Bell;
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let (ringer, bell) = Bell::new(());
/// ringer.ring();
/// ringer.ring();
/// bell.rung().await;
/// # }
/// ```
pub struct Bell {
    inner: Arc<Inner>,
    /// What is dropped with the bell, and lets go of the room by that.
    _hold: Box<dyn Send + Sync>,
}

/// What rings a [`Bell`].
#[derive(Clone)]
pub struct Ringer(Arc<Inner>);

#[derive(Default)]
struct Inner {
    rung: Notify,
    /// A leaf: held for one look.
    said: Mutex<Said>,
}

/// What was said with the rings.
#[derive(Default)]
struct Said {
    newest: Option<Known>,
    farewell: Option<(Epoch, Arc<str>)>,
    passed: VecDeque<(Epoch, Passing)>,
}

/// How many things in passing wait for somebody who looks; the oldest go first.
const PASSING: usize = 64;

/// Something passing that somebody lets the others in a room know, such as that they type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passing {
    /// Who.
    pub user: UserName,
    /// What it is.
    pub name: Arc<str>,
    /// Anything beside it.
    pub data: Option<Data>,
}

impl Bell {
    /// A bell that holds on to something until it is dropped, and what rings it.
    pub fn new(hold: impl Send + Sync + 'static) -> (Ringer, Self) {
        let inner = Arc::<Inner>::default();
        (Ringer(Arc::clone(&inner)), Self { inner, _hold: Box::new(hold) })
    }

    /// Waits until it has been rung since this was last called.
    ///
    /// # Cancel safety
    /// Nothing is lost by dropping it.
    pub async fn rung(&self) {
        self.inner.rung.notified().await;
    }

    /// How far the room had come when it last rang, as far as that was said: whoever knows all of it need not look.
    #[must_use]
    pub fn heard(&self) -> Option<Known> {
        lock(&self.inner.said).newest
    }

    /// Takes what was passed on in that life since this was last asked; of what is older than the newest 64 nothing is known.
    #[must_use]
    pub fn passed(&self, epoch: Epoch) -> Vec<Passing> {
        let passed = std::mem::take(&mut lock(&self.inner.said).passed);
        passed.into_iter().filter(|(of, _)| *of == epoch).map(|(_, passing)| passing).collect()
    }

    /// Why that life was closed, as far as that was said and heard.
    #[must_use]
    pub fn farewell(&self, epoch: Epoch) -> Option<Arc<str>> {
        let said = lock(&self.inner.said);
        said.farewell.as_ref().filter(|(of, _)| *of == epoch).map(|(_, reason)| Arc::clone(reason))
    }
}

impl Ringer {
    /// Rings, and says nothing: whoever hears it has to look.
    pub fn ring(&self) {
        lock(&self.0.said).newest = None;
        self.0.rung.notify_one();
    }

    /// Rings, and says how far the room has come. What was said before counts where it is farther.
    pub fn ring_at(&self, place: Known) {
        {
            let mut said = lock(&self.0.said);
            let before = said.newest.filter(|before| before.epoch == place.epoch);
            said.newest = Some(before.map_or(place, |before| before.or_farther(place)));
        }
        self.0.rung.notify_one();
    }

    /// Rings, and passes something on.
    pub fn pass(&self, epoch: Epoch, passing: Passing) {
        {
            let mut said = lock(&self.0.said);
            if said.passed.len() >= PASSING {
                said.passed.pop_front();
            }
            said.passed.push_back((epoch, passing));
        }
        self.0.rung.notify_one();
    }

    /// Rings, and says why that life was closed.
    pub fn ring_out(&self, epoch: Epoch, reason: Arc<str>) {
        lock(&self.0.said).farewell = Some((epoch, reason));
        self.ring();
    }
}

impl fmt::Debug for Bell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bell").finish_non_exhaustive()
    }
}

impl fmt::Debug for Ringer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ringer").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    fn passing(n: usize) -> Passing {
        let user = UserName::new("ada").unwrap();
        Passing { user, name: n.to_string().into(), data: None }
    }

    #[tokio::test]
    async fn a_bell_that_was_rung_twice_is_looked_at_once() {
        let (ringer, bell) = Bell::new(());
        assert!(bell.rung().now_or_never().is_none());
        ringer.ring();
        ringer.ring();
        assert!(bell.rung().now_or_never().is_some());
        assert!(bell.rung().now_or_never().is_none());
    }

    #[tokio::test]
    async fn what_was_rung_while_nobody_looked_is_not_lost_with_a_look_that_was_given_up() {
        let (ringer, bell) = Bell::new(());
        assert!(bell.rung().now_or_never().is_none());
        ringer.ring();
        bell.rung().await;
    }

    #[test]
    fn of_what_is_passed_on_the_newest_is_heard_once_and_of_its_life_alone() {
        let (ringer, bell) = Bell::new(());
        let (one, other) = (Epoch::new(), Epoch::new());
        ringer.pass(other, passing(0));
        (1..=70).for_each(|n| ringer.pass(one, passing(n)));
        let heard = bell.passed(one);
        assert_eq!((heard.len(), &heard[0], &heard[63]), (64, &passing(7), &passing(70)));
        assert_eq!(bell.passed(one), []);
    }

    #[test]
    fn a_farewell_is_said_of_one_life() {
        let (ringer, bell) = Bell::new(());
        let (one, other) = (Epoch::new(), Epoch::new());
        ringer.ring_out(one, "maintenance".into());
        assert_eq!(bell.farewell(one).as_deref(), Some("maintenance"));
        assert_eq!(bell.farewell(other), None);
    }

    #[test]
    fn what_is_heard_late_takes_nothing_back() {
        let (ringer, bell) = Bell::new(());
        let epoch = Epoch::new();
        let at = |seq, edge| Known { epoch, seq, edge, note: 0 };
        assert_eq!(bell.heard(), None);
        ringer.ring_at(at(5, 1));
        ringer.ring_at(at(4, 2));
        assert_eq!(bell.heard(), Some(at(5, 2)));
        let next = Known { epoch: Epoch::new(), ..at(1, 1) };
        ringer.ring_at(next);
        assert_eq!(bell.heard(), Some(next));
        ringer.pass(next.epoch, passing(1));
        assert_eq!(bell.heard(), Some(next));
    }

    #[test]
    fn whoever_hears_no_more_than_that_something_is_new_has_to_look() {
        let (ringer, bell) = Bell::new(());
        let place = Known { epoch: Epoch::new(), seq: 5, edge: 1, note: 0 };
        for say_nothing in
            [Ringer::ring, |ringer: &Ringer| ringer.ring_out(Epoch::new(), "".into())]
        {
            ringer.ring_at(place);
            say_nothing(&ringer);
            assert_eq!(bell.heard(), None);
        }
    }

    #[test]
    fn dropping_the_bell_drops_what_it_holds() {
        let held = Arc::new(());
        let (ringer, bell) = Bell::new(Arc::clone(&held));
        assert_eq!(Arc::strong_count(&held), 2);
        drop(bell);
        assert_eq!(Arc::strong_count(&held), 1);
        ringer.ring();
    }
}
