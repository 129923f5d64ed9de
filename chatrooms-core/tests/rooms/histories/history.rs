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

mod tests {
    use chatrooms_core::{Epoch, Error};

    use super::{Clock, History, Log, Op, Ret};

    const NOT_THERE: Ret = Ret::Refused(Error::NotInRoom);

    /// A history of calls, of which those in one row went on at the same time.
    fn history<const ROWS: usize>(rows: [&[(Op, Ret)]; ROWS]) -> History {
        let clock = Clock::default();
        let mut logs = Vec::new();
        for row in rows {
            let begun = row.iter().map(|(op, ret)| {
                let mut log = Log::new(&clock, who(op));
                log.begins(op.clone());
                (log, ret.clone())
            });
            for (mut log, ret) in begun.collect::<Vec<_>>() {
                log.ends(ret);
                logs.push(log);
            }
        }
        History::of(logs)
    }

    const fn who(op: &Op) -> &'static str {
        match op {
            Op::Join(who)
            | Op::Leave(who)
            | Op::Publish(who, _)
            | Op::Read(who)
            | Op::Lose(who) => who,
            Op::Look => "host",
        }
    }

    fn texts(said: &[&str]) -> Vec<String> {
        said.iter().map(ToString::to_string).collect()
    }

    fn joins(who: &'static str, epoch: Epoch, members: &[&str], said: &[&str]) -> (Op, Ret) {
        let (members, said) = (texts(members), texts(said));
        (Op::Join(who), Ret::Joined { epoch, is_first: members.len() == 1, members, said })
    }

    fn says(who: &'static str, text: &str, seq: u64) -> (Op, Ret) {
        (Op::Publish(who, text.into()), Ret::Sent(seq))
    }

    fn reads(who: &'static str, said: &[&str]) -> (Op, Ret) {
        (Op::Read(who), Ret::Read(texts(said)))
    }

    const fn leaves(who: &'static str) -> (Op, Ret) {
        (Op::Leave(who), Ret::Done)
    }

    #[test]
    fn what_went_on_at_the_same_time_may_have_been_in_any_order() {
        let (one, two) = (Epoch::new(), Epoch::new());
        let good = [
            history([
                &[joins("ada", one, &["ada"], &[])],
                &[says("ada", "a", 1), joins("bob", one, &["ada", "bob"], &["a"])],
            ]),
            history([
                &[joins("ada", one, &["ada"], &[])],
                &[says("ada", "a", 1), joins("bob", one, &["ada", "bob"], &[])],
            ]),
            history([
                &[joins("ada", one, &["ada"], &[])],
                &[leaves("ada"), joins("bob", two, &["bob"], &[])],
            ]),
            history([
                &[joins("ada", one, &["ada"], &[])],
                &[leaves("ada"), joins("bob", one, &["ada", "bob"], &[])],
            ]),
            history([&[joins("ada", one, &["ada", "bob"], &[]), joins("bob", one, &["bob"], &[])]]),
        ];
        for history in good {
            assert!(history.has_an_order(), "{history}");
        }
    }

    /// Each breaks one promise.
    #[test]
    fn a_history_that_no_order_explains_is_told_from_one_that_has_one() {
        let (one, two) = (Epoch::new(), Epoch::new());
        let came = joins("ada", one, &["ada"], &[]);
        let both = joins("bob", one, &["ada", "bob"], &[]);
        let bad = [
            (
                "what was said is read",
                history([&[came.clone()], &[says("ada", "a", 1)], &[reads("ada", &[])]]),
            ),
            (
                "no number is given twice",
                history([
                    &[came.clone()],
                    &[both.clone()],
                    &[says("ada", "a", 1), says("bob", "b", 1)],
                ]),
            ),
            (
                "all read one order",
                history([
                    &[came.clone()],
                    &[both.clone()],
                    &[says("ada", "a", 1), says("bob", "b", 2)],
                    &[reads("ada", &["a", "b"]), reads("bob", &["b", "a"])],
                ]),
            ),
            (
                "what was read is not unread",
                history([
                    &[came.clone()],
                    &[both.clone()],
                    &[reads("bob", &["a"])],
                    &[says("ada", "a", 1)],
                ]),
            ),
            (
                "who has left is not there",
                history([
                    &[came.clone()],
                    &[both.clone()],
                    &[leaves("ada")],
                    &[joins("eve", one, &["ada", "bob", "eve"], &[])],
                ]),
            ),
            (
                "who is in may speak",
                history([&[came.clone()], &[(Op::Publish("ada", "a".into()), NOT_THERE)]]),
            ),
            ("who is not in may not", history([&[came.clone()], &[says("bob", "b", 1)]])),
            (
                "a life ends with the last one",
                history([
                    &[came.clone()],
                    &[says("ada", "a", 1)],
                    &[leaves("ada")],
                    &[joins("bob", one, &["bob"], &["a"])],
                ]),
            ),
            (
                "a life begins empty",
                history([
                    &[came.clone()],
                    &[says("ada", "a", 1)],
                    &[leaves("ada")],
                    &[joins("bob", two, &["bob"], &["a"])],
                ]),
            ),
            (
                "no epoch comes again",
                history([
                    &[came.clone()],
                    &[leaves("ada")],
                    &[joins("bob", two, &["bob"], &[])],
                    &[(Op::Lose("bob"), Ret::Done)],
                    &[joins("bob", one, &["bob"], &[])],
                ]),
            ),
            (
                "there is one life at a time",
                history([&[came.clone()], &[joins("bob", two, &["bob"], &[])]]),
            ),
            ("a host sees who is there", history([&[came.clone()], &[(Op::Look, Ret::Nobody)]])),
            (
                "a host sees what was said",
                history([
                    &[came],
                    &[says("ada", "a", 1)],
                    &[(Op::Look, Ret::Seen { epoch: one, seq: 0, connections: 1 })],
                ]),
            ),
        ];
        for (promise, history) in bad {
            assert!(!history.has_an_order(), "{promise}:\n{history}");
        }
    }
}
