//! A join is one cut: its messages and members, and what follows, without a gap or a repeat.

use std::collections::BTreeSet;

use super::{
    Fault,
    run::{Connection, Run, Seen},
};

pub(super) fn judge(run: &mut Run<'_>) {
    let mut found = Vec::new();
    for connection in &run.connections {
        let mut blame = |fault, step| {
            found.push((fault, run.place(connection.client, step, Some(connection.room))));
        };
        begin(connection, &mut blame);
        follow(connection, &mut blame);
    }
    for deed in &run.owned {
        if !run.may_be_in(deed.client, deed.room, deed.span) {
            let place = run.place(deed.client, deed.step, Some(deed.room));
            found.push((Fault::NotInRoom {}, place));
        }
    }
    for refusal in &run.disowned {
        if run.is_in(refusal.client, refusal.room, refusal.span) {
            let place = run.place(refusal.client, refusal.step, Some(refusal.room));
            found.push((Fault::Disowned {}, place));
        }
    }
    found.into_iter().for_each(|(fault, place)| run.blame(fault, place));
}

fn begin(connection: &Connection<'_>, blame: &mut impl FnMut(Fault, usize)) {
    let cut = connection.cut;
    let seqs = cut.messages.iter().map(|message| message.seq);
    let newest = (cut.seq + 1).saturating_sub(cut.messages.len() as u64)..=cut.seq;
    // What was resumed is judged by what was missed.
    if !cut.resumed && !seqs.eq(newest) {
        blame(Fault::TornCut { seq: cut.seq }, connection.step);
    }
    let users: BTreeSet<_> = cut.members.iter().map(|member| &member.user).collect();
    let has_oneself = connection.user.is_none_or(|user| users.contains(user));
    if users.len() < cut.members.len() || !has_oneself {
        blame(Fault::TornMembers {}, connection.step);
    }
}

fn follow(connection: &Connection<'_>, blame: &mut impl FnMut(Fault, usize)) {
    let mut head = connection.cut.seq;
    for sight in &connection.seen {
        let Seen::Message(message) = sight.what else { continue };
        let seq = message.seq;
        if seq > head + 1 {
            blame(Fault::Gap { head, seq }, sight.step);
        } else if seq <= head {
            blame(Fault::Repeat { head, seq }, sight.step);
        }
        head = head.max(seq);
    }
}
