//! What went on at the same time, and whether some order explains it.

use std::{
    fmt,
    sync::atomic::{AtomicU64, Ordering},
};

use stateright::semantics::{ConsistencyTester as _, LinearizabilityTester};

use super::one_room::{OneRoom, Op, Ret};

/// One order of all begins and ends, whatever thread they are on.
#[derive(Debug, Default)]
pub(super) struct Clock(AtomicU64);

/// What one client has done.
#[derive(Debug)]
pub(super) struct Log<'a> {
    clock: &'a Clock,
    client: &'static str,
    moments: Vec<Moment>,
}

#[derive(Clone, Debug)]
struct Moment {
    at: u64,
    client: &'static str,
    what: What,
}

#[derive(Clone, Debug)]
enum What {
    Begins(Op),
    Ends(Ret),
}

impl<'a> Log<'a> {
    pub(super) const fn new(clock: &'a Clock, client: &'static str) -> Self {
        Self { clock, client, moments: Vec::new() }
    }

    pub(super) fn begins(&mut self, op: Op) {
        self.note(What::Begins(op));
    }

    pub(super) fn ends(&mut self, ret: Ret) {
        self.note(What::Ends(ret));
    }

    fn note(&mut self, what: What) {
        let at = self.clock.0.fetch_add(1, Ordering::SeqCst);
        self.moments.push(Moment { at, client: self.client, what });
    }
}

/// What all of them have done, in the order of the clock.
#[derive(Debug)]
pub(super) struct History(Vec<Moment>);

impl History {
    pub(super) fn of<'a>(logs: impl IntoIterator<Item = Log<'a>>) -> Self {
        let mut moments: Vec<_> = logs.into_iter().flat_map(|log| log.moments).collect();
        moments.sort_unstable_by_key(|moment| moment.at);
        Self(moments)
    }

    /// How many calls began while another one went on.
    pub(super) fn beside(&self) -> usize {
        let (mut under_way, mut beside) = (0, 0);
        for moment in &self.0 {
            match moment.what {
                What::Begins(_) => {
                    beside += usize::from(under_way > 0);
                    under_way += 1;
                }
                What::Ends(_) => under_way -= 1,
            }
        }
        beside
    }

    /// Whether there is an order of all calls, each at one moment between its begin and its end, in which a room would have answered so.
    pub(super) fn has_an_order(&self) -> bool {
        let mut tester = LinearizabilityTester::new(OneRoom::default());
        for Moment { client, what, .. } in self.0.iter().cloned() {
            let noted = match what {
                What::Begins(op) => tester.on_invoke(client, op),
                What::Ends(ret) => tester.on_return(client, ret),
            };
            noted.expect("a client does one thing at a time");
        }
        tester.is_consistent()
    }
}

impl fmt::Display for History {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Moment { at, client, what } in &self.0 {
            match what {
                What::Begins(op) => writeln!(f, "{at} {client}: {op:?} …")?,
                What::Ends(ret) => writeln!(f, "{at} {client}: … {ret:?}")?,
            }
        }
        Ok(())
    }
}
