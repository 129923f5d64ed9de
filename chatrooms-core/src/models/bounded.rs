//! All ways in which tasks can take turns, as long as none is interrupted more than so many times in all. Most mistakes need few interruptions to show.

use shuttle::scheduler::{Schedule, Scheduler, Task, TaskId};

/// Goes through all of them, one in each round.
#[derive(Debug)]
pub(super) struct Bounded {
    most: usize,
    /// The choices of this round, up to the last one where there was another.
    choices: Vec<Choice>,
    /// How many choices of this round have been made.
    made: usize,
    interruptions: usize,
    has_begun: bool,
}

#[derive(Debug)]
struct Choice {
    /// Those who can go on; the one in front goes on in this round.
    left: Vec<TaskId>,
    /// Whether all but the first to be tried interrupt somebody.
    is_interruption: bool,
    is_first: bool,
}

impl Bounded {
    pub(super) const fn new(most: usize) -> Self {
        Self { most, choices: Vec::new(), made: 0, interruptions: 0, has_begun: false }
    }
}

impl Scheduler for Bounded {
    fn new_execution(&mut self) -> Option<Schedule> {
        if std::mem::replace(&mut self.has_begun, true) {
            // What was chosen last is chosen otherwise, where it can be.
            loop {
                let last = self.choices.last_mut()?;
                last.left.remove(0);
                last.is_first = false;
                if !last.left.is_empty() {
                    break;
                }
                self.choices.pop();
            }
        }
        (self.made, self.interruptions) = (0, 0);
        Some(Schedule::new(0))
    }

    fn next_task(
        &mut self,
        runnable: &[&Task],
        current: Option<TaskId>,
        is_yielding: bool,
    ) -> Option<TaskId> {
        let mut can: Vec<_> = runnable.iter().map(|task| task.id()).collect();
        let goes_on = can.iter().position(|task| Some(*task) == current);
        let is_interruption = goes_on.is_some() && !is_yielding;
        if let Some(place) = goes_on {
            let current = can.remove(place);
            if is_interruption && self.interruptions < self.most {
                can.insert(0, current);
            } else if is_interruption || can.is_empty() {
                can = vec![current];
            }
        }
        if can.len() == 1 {
            return can.pop();
        }
        if self.made == self.choices.len() {
            self.choices.push(Choice { left: can.clone(), is_interruption, is_first: true });
        }
        let choice = &self.choices[self.made];
        self.made += 1;
        self.interruptions += usize::from(choice.is_interruption && !choice.is_first);
        let next = choice.left[0];
        assert!(
            can.contains(&next),
            "the same choices lead elsewhere: something is left to chance"
        );
        Some(next)
    }

    fn next_u64(&mut self) -> u64 {
        0
    }
}
