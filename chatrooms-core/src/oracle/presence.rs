//! Users come and go in turn, lists of members agree with that, and both with who is there.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::{
    Fault, Place,
    run::{Became, Connection, Run, Seen, Span},
};
use crate::{Epoch, Member, Members, UserName, sync::Arc};

pub(super) fn judge(run: &mut Run<'_>) {
    let truth = Truth::new(run);
    let mut found = Vec::new();
    for index in 0..run.connections.len() {
        let connection = &run.connections[index];
        let mut blame = |fault, step| {
            found.push((fault, run.place(connection.client, step, Some(connection.room))));
        };
        View::new(connection, run, &truth).along(&mut blame);
    }
    found.into_iter().for_each(|(fault, place): (Fault, Place)| run.blame(fault, place));
}

/// Who was there, in a life, as far as the trace knows.
struct Truth<'r, 't> {
    lives: HashMap<Epoch, BTreeMap<&'t UserName, Vec<&'r Connection<'t>>>>,
    /// When a message was sent: what is told after it was caused later.
    sent: HashMap<(Epoch, u64), u64>,
    /// Where users may have been without being told, wherever that is.
    hidden: HashMap<&'t UserName, Vec<Span>>,
}

impl<'r, 't> Truth<'r, 't> {
    fn new(run: &'r Run<'t>) -> Self {
        let mut lives: HashMap<_, BTreeMap<_, Vec<_>>> = HashMap::new();
        for connection in &run.connections {
            let Some(user) = connection.user else { continue };
            let life = lives.entry(connection.cut.epoch).or_default();
            life.entry(user).or_default().push(connection);
        }
        let mut sent = HashMap::new();
        for saying in &run.sayings {
            if let Became::Accepted { seq, duplicate: false } = saying.what.became
                && let Some(epoch) = run.life(saying)
            {
                sent.insert((epoch, seq), saying.span.from);
            }
        }
        let mut hidden: HashMap<_, Vec<_>> = HashMap::new();
        for one in &run.hidden {
            if let Some(user) = one.user {
                hidden.entry(user).or_default().push(one.span);
            }
        }
        Self { lives, sent, hidden }
    }

    /// The connections of a user, at any time.
    fn of(&self, epoch: Epoch, user: &UserName) -> &[&'r Connection<'t>] {
        let users = self.lives.get(&epoch);
        users.and_then(|users| users.get(user)).map_or(&[], Vec::as_slice)
    }

    /// Joins of a user that may have been granted without anybody knowing.
    fn hidden(&self, user: &UserName, span: Span) -> usize {
        let all = self.hidden.get(user).map_or(&[][..], Vec::as_slice);
        all.iter().filter(|hidden| hidden.from <= span.to && hidden.to >= span.from).count()
    }

    /// How many connections a user may have had at most at some time of the span, and how many at least the whole time.
    fn connections(&self, epoch: Epoch, user: &UserName, span: Span) -> (usize, usize) {
        let all = self.of(epoch, user);
        let may_be = all.iter().filter(|connection| connection.may_overlap(span)).count()
            + self.hidden(user, span);
        (all.iter().filter(|connection| connection.covers(span)).count(), may_be)
    }

    /// Who was there the whole time.
    fn sure(&self, epoch: Epoch, span: Span) -> impl Iterator<Item = &'t UserName> {
        let users = self.lives.get(&epoch).into_iter().flatten();
        let covered = move |all: &[&Connection<'_>]| all.iter().any(|one| one.covers(span));
        users.filter(move |(_, all)| covered(all)).map(|(user, _)| *user)
    }
}

/// What one connection knows of the members.
struct View<'r, 't> {
    connection: &'r Connection<'t>,
    truth: &'r Truth<'r, 't>,
    /// Whether everybody who was there is in the trace, and everybody is told of at once.
    is_exact: bool,
    /// Whether its join says who was the first, and its members show it.
    tells_firsts: bool,
    /// Whether the list of members was whole.
    is_whole: bool,
    present: BTreeSet<&'t UserName>,
    /// As many as were ever in the list: a large room tells with a delay, and may tell somebody of themselves.
    largest: usize,
    exact: usize,
    /// What is told from here on was caused after that time.
    after: u64,
}

impl<'r, 't> View<'r, 't> {
    fn new(connection: &'r Connection<'t>, run: &Run<'_>, truth: &'r Truth<'r, 't>) -> Self {
        let cut = connection.cut;
        let exact = run.log(connection.client).bounds.presence_exact;
        let users = truth.lives.get(&cut.epoch).map_or(0, BTreeMap::len);
        Self {
            connection,
            truth,
            is_exact: run.trace.complete && users <= exact,
            // Over a socket it is not said.
            tells_firsts: !run.log(connection.client).in_order
                && !cut.members_more
                && cut.members.len() < exact,
            is_whole: !cut.members_more,
            present: cut.members.iter().map(|member| &member.user).collect(),
            largest: cut.members.len(),
            exact,
            after: connection.came.from,
        }
    }

    fn along(mut self, blame: &mut impl FnMut(Fault, usize)) {
        let (cut, step) = (self.connection.cut, self.connection.step);
        if cut.first_in_room && cut.members.len() > 1 {
            blame(Fault::NotFirst {}, step);
        }
        let own = cut.members.iter().find(|member| Some(&member.user) == self.connection.user);
        if cut.first_connection_of_user && own.is_some_and(|member| member.connections > 1) {
            blame(Fault::NotFirst {}, step);
        }
        if self.tells_firsts && own.is_some_and(|member| member.connections == 1) {
            let is_alone = cut.members.len() == 1;
            if !cut.first_connection_of_user || (is_alone && !cut.first_in_room) {
                blame(Fault::IsFirst {}, step);
            }
        }
        self.count(&cut.members, None, !cut.members_more, self.connection.came, &mut |fault| {
            blame(fault, step);
        });
        for sight in &self.connection.seen {
            let mut blame = |fault| blame(fault, sight.step);
            match sight.what {
                Seen::Message(message) => {
                    let sent = self.truth.sent.get(&(cut.epoch, message.seq));
                    self.after = self.after.max(sent.copied().unwrap_or(0));
                }
                Seen::Presence { joined, left } => {
                    let span = Span { from: self.after, to: sight.at };
                    self.presence(joined, left, span, &mut blame);
                }
                Seen::Members { page, asked, after } => {
                    self.page(page, after, &mut blame);
                    let span = Span { from: asked, to: sight.at };
                    self.count(&page.members, after, !page.more, span, &mut blame);
                    self.after = self.after.max(asked);
                }
                Seen::Settled => self.settled(sight.at, &mut blame),
                Seen::Redacted(_) => {}
            }
        }
    }

    fn presence(
        &mut self,
        joined: &'t [Arc<Member>],
        left: &'t [UserName],
        span: Span,
        blame: &mut impl FnMut(Fault),
    ) {
        let epoch = self.connection.cut.epoch;
        let went: HashSet<_> = left.iter().collect();
        let is_oneself = |user: &UserName| Some(user) == self.connection.user;
        for member in joined {
            let user = &member.user;
            if went.contains(user) {
                blame(Fault::CameAndWent { user: user.clone() });
            } else if is_oneself(user) {
                if self.is_small() {
                    blame(Fault::ToldOfItself {});
                }
            } else if !self.present.insert(user) && self.is_whole {
                blame(Fault::CameTwice { user: user.clone() });
            } else if self.is_exact {
                // As of some time between, so that only what can never have been is wrong.
                let most = self.truth.connections(epoch, user, span).1;
                miscounted(member, (0, most)).into_iter().for_each(&mut *blame);
            }
        }
        let came: HashSet<_> = joined.iter().map(|member| &member.user).collect();
        for user in left.iter().filter(|user| !came.contains(user)) {
            if is_oneself(user) {
                if self.is_small() {
                    blame(Fault::ToldOfItself {});
                }
            } else if !self.present.remove(user) && self.is_whole {
                blame(Fault::WentTwice { user: user.clone() });
            } else if self.is_exact && self.truth.connections(epoch, user, span).0 > 0 {
                blame(Fault::Unseen { user: user.clone() });
            }
        }
        self.largest = self.largest.max(self.present.len());
    }

    /// Whether the room has been one all the time in which everybody is told of at once, of all others.
    fn is_small(&self) -> bool {
        self.is_whole && self.largest < self.exact
    }

    /// A page is what has been told before, from the user on that was named to the last one on it.
    fn page(&self, page: &Members, after: Option<&UserName>, blame: &mut impl FnMut(Fault)) {
        let listed: Vec<_> = page.members.iter().map(|member| &member.user).collect();
        let is_sorted = listed.is_sorted_by(|one, next| one < next);
        let last = if page.more { listed.last() } else { None };
        let is_within = |user: &UserName| {
            after.is_none_or(|after| user > after) && last.is_none_or(|last| user <= *last)
        };
        let oneself = self.connection.user;
        if oneself.is_some_and(|oneself| is_within(oneself) && !listed.contains(&oneself)) {
            blame(Fault::TornMembers {});
        }
        let is_meant = |user: &UserName| Some(user) != oneself && is_within(user);
        let known = self.present.iter().copied().filter(|user| is_meant(user));
        let same = known.eq(listed.iter().copied().filter(|user| is_meant(user)));
        if !is_sorted || (self.is_whole && !same) {
            blame(Fault::NotOneCut {});
        }
    }

    /// The members of a list that was made at some time of the span, against who was there.
    fn count(
        &self,
        members: &[Arc<Member>],
        after: Option<&UserName>,
        is_all: bool,
        span: Span,
        blame: &mut impl FnMut(Fault),
    ) {
        let epoch = self.connection.cut.epoch;
        if !self.is_exact {
            return;
        }
        for member in members {
            let bounds = self.truth.connections(epoch, &member.user, span);
            miscounted(member, bounds).into_iter().for_each(&mut *blame);
        }
        let shown: HashSet<_> = members.iter().map(|member| &member.user).collect();
        // Whether oneself is on it is judged in every trace.
        let is_meant = |user: &&UserName| {
            Some(*user) != self.connection.user && after.is_none_or(|after| *user > after)
        };
        let mut sure = self.truth.sure(epoch, span).filter(is_meant);
        if is_all && let Some(user) = sure.find(|user| !shown.contains(user)) {
            blame(Fault::Unseen { user: user.clone() });
        }
    }

    /// Everything has come to its end: what is known is what there is.
    fn settled(&self, at: u64, blame: &mut impl FnMut(Fault)) {
        if !self.is_exact || !self.is_whole {
            return;
        }
        let epoch = self.connection.cut.epoch;
        let may_be = |one: &&Connection<'_>| one.came.to < at && one.gone() > at;
        for user in &self.present {
            let hidden = self.truth.hidden(user, Span { from: at, to: at });
            if hidden == 0 && !self.truth.of(epoch, user).iter().any(may_be) {
                blame(Fault::Ghost { user: (*user).clone() });
            }
        }
        // One that has not ended is there for certain only where it is settled too.
        let is_sure = |one: &&Connection<'_>| {
            let has_not_ended = one.went.is_none() && one.settled().is_some();
            one.came.to < at && (has_not_ended || one.lasted() > at)
        };
        let there = self.truth.lives.get(&epoch).into_iter().flatten();
        let there = there.filter(|(_, all)| all.iter().any(is_sure)).map(|(user, _)| *user);
        for user in there.filter(|user| !self.present.contains(user)) {
            blame(Fault::Unseen { user: user.clone() });
        }
    }
}

/// What is wrong with somebody who is shown, and has so many connections at least and at most.
fn miscounted(member: &Member, (least, most): (usize, usize)) -> Option<Fault> {
    let (user, shown) = (member.user.clone(), member.connections);
    if most == 0 {
        return Some(Fault::Ghost { user });
    }
    // Who is there has one.
    (!(least.max(1)..=most).contains(&shown)).then_some(Fault::Miscounted { user, shown })
}
