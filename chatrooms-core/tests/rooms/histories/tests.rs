//! Histories that some order explains, and others that none does.

use std::iter;

use chatrooms_core::{Epoch, Error};

use super::{
    history::{Clock, History, Log},
    one_room::{Op, Ret},
};

type Call = (Op, Ret);

/// What went on after ada had come to the first life; the calls of one row at the same time.
fn history(rows: &[&[Call]]) -> History {
    let clock = Clock::default();
    let came = [joins("ada", 1, &["ada"], &[])];
    let mut logs = Vec::new();
    for row in iter::once(&came[..]).chain(rows.iter().copied()) {
        let begin = |(op, ret): &Call| {
            let mut log = Log::new(&clock, who(op));
            log.begins(op.clone());
            (log, ret.clone())
        };
        for (mut log, ret) in row.iter().map(begin).collect::<Vec<_>>() {
            log.ends(ret);
            logs.push(log);
        }
    }
    History::of(logs)
}

const fn who(op: &Op) -> &'static str {
    match op {
        Op::Join(who) | Op::Leave(who) | Op::Publish(who, _) | Op::Read(who) | Op::Lose(who) => who,
        Op::Look => "host",
    }
}

fn epoch(life: u8) -> Epoch {
    format!("{life:032}").parse().unwrap()
}

fn texts(said: &[&str]) -> Vec<String> {
    said.iter().map(ToString::to_string).collect()
}

fn joins(who: &'static str, life: u8, members: &[&str], said: &[&str]) -> Call {
    let (members, said) = (texts(members), texts(said));
    let is_first = members.len() == 1;
    (Op::Join(who), Ret::Joined { epoch: epoch(life), is_first, members, said })
}

fn says(who: &'static str, text: &str, seq: u64) -> Call {
    (Op::Publish(who, text.into()), Ret::Sent(seq))
}

fn reads(who: &'static str, said: &[&str]) -> Call {
    (Op::Read(who), Ret::Read(texts(said)))
}

const fn leaves(who: &'static str) -> Call {
    (Op::Leave(who), Ret::Done)
}

const fn sees(ret: Ret) -> Call {
    (Op::Look, ret)
}

#[test]
fn what_went_on_at_the_same_time_may_have_been_in_any_order() {
    let bob_joins = |said: &[&str]| joins("bob", 1, &["ada", "bob"], said);
    let good = [
        history(&[&[says("ada", "a", 1), bob_joins(&["a"])]]),
        history(&[&[says("ada", "a", 1), bob_joins(&[])]]),
        history(&[&[leaves("ada"), joins("bob", 2, &["bob"], &[])]]),
        history(&[&[leaves("ada"), bob_joins(&[])]]),
        history(&[&[joins("eve", 1, &["ada", "bob", "eve"], &[]), bob_joins(&[])]]),
    ];
    for history in good {
        assert!(history.has_an_order(), "{history}");
    }
}

#[test]
fn a_history_that_no_order_explains_is_told_from_one_that_has_one() {
    let both = || joins("bob", 1, &["ada", "bob"], &[]);
    let bad: [(&str, &[&[Call]]); 13] = [
        ("what was said is read", &[&[says("ada", "a", 1)], &[reads("ada", &[])]]),
        ("what is read was said", &[&[both()], &[reads("bob", &["a"])], &[says("ada", "a", 1)]]),
        ("a number is given once", &[&[both()], &[says("ada", "a", 1), says("bob", "b", 1)]]),
        (
            "all read one order",
            &[
                &[both()],
                &[says("ada", "a", 1), says("bob", "b", 2)],
                &[reads("ada", &["a", "b"]), reads("bob", &["b", "a"])],
            ],
        ),
        (
            "who has left is not there",
            &[&[both()], &[leaves("ada")], &[joins("eve", 1, &["ada", "bob", "eve"], &[])]],
        ),
        (
            "who is in may speak",
            &[&[(Op::Publish("ada", "a".into()), Ret::Refused(Error::NotInRoom))]],
        ),
        ("who is not in may not", &[&[says("bob", "b", 1)]]),
        ("a life ends with the last one", &[&[leaves("ada")], &[joins("bob", 1, &["bob"], &[])]]),
        (
            "a life begins empty",
            &[&[says("ada", "a", 1)], &[leaves("ada")], &[joins("bob", 2, &["bob"], &["a"])]],
        ),
        (
            "no epoch comes again",
            &[
                &[leaves("ada")],
                &[joins("bob", 2, &["bob"], &[])],
                &[(Op::Lose("bob"), Ret::Done)],
                &[joins("bob", 1, &["bob"], &[])],
            ],
        ),
        ("there is one life at a time", &[&[joins("bob", 2, &["bob"], &[])]]),
        ("a host sees who is there", &[&[sees(Ret::Nobody)]]),
        (
            "a host sees what was said",
            &[
                &[says("ada", "a", 1)],
                &[sees(Ret::Seen { epoch: epoch(1), seq: 0, connections: 1 })],
            ],
        ),
    ];
    for (promise, rows) in bad {
        let history = history(rows);
        assert!(!history.has_an_order(), "{promise}:\n{history}");
    }
}
