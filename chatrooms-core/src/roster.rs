//! Who is in a room: connections, the users behind them, and what has been told of both.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::{Data, Member, Members, SessionId, UserName, cost, peer::Peer, sync::Arc};

/// The connections of a room, the users they belong to, and which of their comings and goings still have to be told.
///
/// What has been told is always the set of users who are `announced`, plus those `departed`.
#[derive(Debug, Default)]
pub(crate) struct Roster {
    connections: HashMap<SessionId, Connection>,
    /// Each user's sessions in this room, the oldest first.
    users: BTreeMap<UserName, Vec<SessionId>>,
    /// Users who are here and have not been told of.
    arrived: BTreeSet<UserName>,
    /// Users who have been told of and are gone.
    departed: BTreeMap<UserName, Member>,
}

#[derive(Debug)]
struct Connection {
    peer: Arc<Peer>,
    meta: Option<Data>,
}

impl Roster {
    pub(crate) fn is_empty(&self) -> bool {
        self.connections.is_empty()
    }

    pub(crate) fn connections(&self) -> usize {
        self.connections.len()
    }

    pub(crate) fn users(&self) -> usize {
        self.users.len()
    }

    pub(crate) fn contains(&self, session: SessionId) -> bool {
        self.connections.contains_key(&session)
    }

    pub(crate) fn peers(&self) -> impl Iterator<Item = &Arc<Peer>> {
        self.connections.values().map(|connection| &connection.peer)
    }

    pub(crate) fn sessions_of(&self, user: &UserName) -> &[SessionId] {
        self.users.get(user).map_or(&[], Vec::as_slice)
    }

    /// Adds a connection; says whether it is the user's first one.
    pub(crate) fn insert(&mut self, peer: &Arc<Peer>, meta: Option<Data>) -> bool {
        let user = peer.user();
        self.connections.insert(peer.id(), Connection { peer: Arc::clone(peer), meta });
        // Nearly everybody has one.
        let sessions = self.users.entry(user.clone()).or_insert_with(|| Vec::with_capacity(1));
        sessions.push(peer.id());
        let first = sessions.len() == 1;
        if first && self.departed.remove(user).is_none() {
            self.arrived.insert(user.clone());
        }
        first
    }

    /// Removes a connection; returns whose it was.
    pub(crate) fn remove(&mut self, session: SessionId) -> Option<Arc<Peer>> {
        let user = self.connections.get(&session)?.peer.user().clone();
        if self.sessions_of(&user) == [session] {
            self.depart(user);
        } else if let Some(sessions) = self.users.get_mut(&user) {
            sessions.retain(|other| *other != session);
        }
        self.connections.remove(&session).map(|connection| connection.peer)
    }

    fn depart(&mut self, user: UserName) {
        let last_seen = self.member(&user);
        self.users.remove(&user);
        if !self.arrived.remove(&user)
            && let Some(member) = last_seen
        {
            self.departed.insert(user, member);
        }
    }

    /// Whether somebody's coming or going has not been told.
    pub(crate) fn has_news(&self) -> bool {
        !self.arrived.is_empty() || !self.departed.is_empty()
    }

    /// All that has not been told, in portions of at most `bytes`; it counts as told from now on.
    pub(crate) fn take_news(&mut self, bytes: usize) -> Vec<(Vec<Member>, Vec<UserName>)> {
        let arrived = std::mem::take(&mut self.arrived);
        let departed = std::mem::take(&mut self.departed);
        let joined = arrived.iter().filter_map(|user| self.member(user)).map(News::Joined);
        let left = departed.into_keys().map(News::Left);
        let mut portions = vec![(Vec::new(), Vec::new())];
        let mut size = 0;
        for news in left.chain(joined) {
            size += news.cost();
            if size > bytes && size > news.cost() {
                size = news.cost();
                portions.push((Vec::new(), Vec::new()));
            }
            let Some(portion) = portions.last_mut() else { break };
            match news {
                News::Joined(member) => portion.0.push(member),
                News::Left(user) => portion.1.push(user),
            }
        }
        portions
    }

    /// A user as of now.
    pub(crate) fn member(&self, user: &UserName) -> Option<Member> {
        let sessions = self.users.get(user)?;
        let oldest = self.connections.get(sessions.first()?)?;
        Some(Member {
            user: user.clone(),
            name: oldest.peer.identity().name().cloned(),
            connections: sessions.len(),
            meta: oldest.meta.clone(),
        })
    }

    /// The members as they are, whether it has been told or not, by user, from `after` on.
    pub(crate) fn present(&self, after: Option<&UserName>, bytes: usize) -> Members {
        use std::ops::Bound::{Excluded, Unbounded};
        let range = (after.map_or(Unbounded, Excluded), Unbounded);
        let here = self.users.range::<UserName, _>(range);
        fill(here.filter_map(|(user, _)| self.member(user)), bytes)
    }

    /// The members as they have been told, by user, from `after` on. Whether it has been told or not, `viewer` is one of them.
    pub(crate) fn page(
        &self,
        after: Option<&UserName>,
        viewer: Option<&UserName>,
        bytes: usize,
    ) -> Members {
        use std::ops::Bound::{Excluded, Unbounded};
        let range = (after.map_or(Unbounded, Excluded), Unbounded);
        let here = self.users.range::<UserName, _>(range).map(|(user, _)| user);
        let told = here.filter(|user| !self.arrived.contains(*user) || Some(*user) == viewer);
        let gone = self.departed.range::<UserName, _>(range).map(|(user, _)| user);
        let known = |user| self.member(user).or_else(|| self.departed.get(user).cloned());
        fill(Merged::new(told, gone).filter_map(known), bytes)
    }

    /// The first page for somebody who has just come: they stand in front where they would not be on it.
    pub(crate) fn first_page(&self, viewer: &UserName, bytes: usize) -> Members {
        let Some(own) = self.member(viewer) else { return Members::default() };
        let mut page = self.page(None, Some(viewer), bytes.saturating_sub(cost::member(&own)));
        let found = page.members.binary_search_by(|member| member.user.cmp(viewer));
        if found.is_err() {
            page.members.insert(0, own);
        }
        page
    }
}

/// As many as fit, and one at least.
fn fill(members: impl Iterator<Item = Member>, bytes: usize) -> Members {
    let mut page = Members::default();
    let mut left = bytes;
    for member in members {
        let cost = cost::member(&member);
        if cost > left && !page.members.is_empty() {
            page.more = true;
            break;
        }
        left = left.saturating_sub(cost);
        page.members.push(member);
    }
    page
}

enum News {
    Joined(Member),
    Left(UserName),
}

impl News {
    fn cost(&self) -> usize {
        match self {
            Self::Joined(member) => cost::member(member),
            Self::Left(user) => 1 + cost::text(user.as_str()),
        }
    }
}

/// Two sorted sequences without a common element, as one.
struct Merged<A: Iterator, B: Iterator> {
    a: std::iter::Peekable<A>,
    b: std::iter::Peekable<B>,
}

impl<T: Ord, A: Iterator<Item = T>, B: Iterator<Item = T>> Merged<A, B> {
    fn new(a: A, b: B) -> Self {
        Self { a: a.peekable(), b: b.peekable() }
    }
}

impl<T: Ord, A: Iterator<Item = T>, B: Iterator<Item = T>> Iterator for Merged<A, B> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        match (self.a.peek(), self.b.peek()) {
            (Some(a), Some(b)) if b < a => self.b.next(),
            (None, _) => self.b.next(),
            _ => self.a.next(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Config, Identity, metrics::Metrics};

    fn peer(name: &str) -> Arc<Peer> {
        let identity = Identity::new(UserName::new(name).unwrap());
        let waiting = Metrics::new().outbox_bytes;
        Arc::new(Peer::new(identity, &Config::default(), waiting))
    }

    /// A roster of which everything has been told.
    fn told(peers: &[&Arc<Peer>]) -> Roster {
        let mut roster = Roster::default();
        for peer in peers {
            roster.insert(peer, None);
        }
        roster.take_news(usize::MAX);
        roster
    }

    fn news(roster: &mut Roster, bytes: usize) -> Vec<String> {
        let line = |(joined, left): (Vec<Member>, Vec<UserName>)| {
            let joined = joined.into_iter().map(|member| format!("+{}", member.user));
            let left = left.into_iter().map(|user| format!("-{user}"));
            joined.chain(left).collect::<Vec<_>>().join(" ")
        };
        roster.take_news(bytes).into_iter().map(line).collect()
    }

    fn users(page: &Members) -> String {
        let names = page.members.iter().map(|member| member.user.to_string());
        names.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn a_user_is_news_on_the_first_connection_and_after_the_last() {
        let (tab, other_tab) = (peer("ada"), peer("ada"));
        let mut roster = Roster::default();
        assert!(roster.insert(&tab, None));
        assert_eq!(news(&mut roster, usize::MAX), ["+ada"]);
        assert!(!roster.insert(&other_tab, None));
        assert!(!roster.has_news());
        assert!(roster.remove(tab.id()).is_some());
        assert!(!roster.has_news());
        assert!(roster.remove(tab.id()).is_none(), "gone already");
        assert!(roster.remove(other_tab.id()).is_some());
        assert_eq!(news(&mut roster, usize::MAX), ["-ada"]);
        assert!(roster.is_empty());
    }

    #[test]
    fn coming_and_going_between_two_tellings_cancel_out() {
        let (ada, bob, again) = (peer("ada"), peer("bob"), peer("ada"));
        let mut roster = told(&[&ada]);
        roster.insert(&bob, None);
        roster.remove(bob.id());
        roster.remove(ada.id());
        roster.insert(&again, None);
        assert!(!roster.has_news());
    }

    #[test]
    fn the_list_is_what_has_been_told_and_oneself() {
        let (ada, bob, eve, joe) = (peer("ada"), peer("bob"), peer("eve"), peer("joe"));
        let mut roster = told(&[&ada, &eve]);
        roster.remove(eve.id());
        roster.insert(&bob, None);
        roster.insert(&joe, None);
        assert_eq!(users(&roster.page(None, None, usize::MAX)), "ada eve");
        assert_eq!(users(&roster.page(None, Some(joe.user()), usize::MAX)), "ada eve joe");
        assert_eq!(users(&roster.page(Some(ada.user()), Some(bob.user()), usize::MAX)), "bob eve");
        assert_eq!(news(&mut roster, usize::MAX), ["+bob +joe -eve"]);
        assert_eq!(users(&roster.page(None, None, usize::MAX)), "ada bob joe");
    }

    #[test]
    fn pages_and_portions_keep_their_bounds_and_hold_one_at_least() {
        let peers = ["ada", "bob", "eve"].map(peer);
        let mut roster = told(&[&peers[0], &peers[1], &peers[2]]);
        let one = cost::member(&roster.member(peers[0].user()).unwrap());
        let page = |after: Option<&Arc<Peer>>, bytes| {
            let page = roster.page(after.map(|peer| peer.user()), None, bytes);
            (users(&page), page.more)
        };
        assert_eq!(page(None, 2 * one), ("ada bob".into(), true));
        assert_eq!(page(Some(&peers[1]), 2 * one), ("eve".into(), false));
        assert_eq!(page(None, 0), ("ada".into(), true));
        let first = roster.first_page(peers[2].user(), 2 * one);
        assert_eq!((users(&first), first.more), ("eve ada".into(), true));
        let first = roster.first_page(peers[0].user(), 2 * one);
        assert_eq!((users(&first), first.more), ("ada".into(), true));
        peers.iter().for_each(|peer| drop(roster.remove(peer.id())));
        assert_eq!(news(&mut roster, 0), ["-ada", "-bob", "-eve"]);
    }
}
