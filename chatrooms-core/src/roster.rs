//! Who is in a room: connections, the users behind them, and what has been told of both.

use std::{
    collections::BTreeMap,
    iter,
    ops::Bound::{Excluded, Unbounded},
};

use crate::{
    ConnectionId, Data, Entry, Member, Members, SessionId, UserName, cost, peer::Peer, sync::Arc,
};

/// The users of a room with their connections, and which of their comings and goings still have to be told.
///
/// What has been told is always the set of users who are `is_told`, plus those `departed`.
#[derive(Debug, Default)]
pub(crate) struct Roster {
    users: BTreeMap<UserName, User>,
    connections: usize,
    /// How many of the users have not been told of.
    untold: usize,
    /// Users who have been told of and are gone.
    departed: BTreeMap<UserName, Arc<Member>>,
}

#[derive(Debug)]
struct User {
    /// As everybody sees them. Made once for all who are told.
    member: Arc<Member>,
    /// The most bytes of `member` on the wire.
    cost: usize,
    is_told: bool,
    oldest: Connection,
    /// The further ones, the oldest first.
    others: Vec<Connection>,
}

#[derive(Debug)]
enum Connection {
    /// A session's, in a room of this node alone.
    Own { peer: Arc<Peer>, meta: Option<Data> },
    /// One that the cluster knows; with the session that is told of the room by it, unless it is another node's or on its way out.
    Shared { entry: Arc<Entry>, peer: Option<Arc<Peer>> },
}

impl Roster {
    pub(crate) fn is_empty(&self) -> bool {
        self.users.is_empty()
    }

    pub(crate) const fn connections(&self) -> usize {
        self.connections
    }

    pub(crate) fn users(&self) -> usize {
        self.users.len()
    }

    pub(crate) fn contains(&self, user: &UserName, session: SessionId) -> bool {
        self.peers_of(user).any(|peer| peer.id() == session)
    }

    pub(crate) fn peers(&self) -> impl Iterator<Item = &Arc<Peer>> {
        self.users.values().flat_map(User::peers)
    }

    pub(crate) fn peers_of(&self, user: &UserName) -> impl Iterator<Item = &Arc<Peer>> {
        self.users.get(user).into_iter().flat_map(User::peers)
    }

    pub(crate) fn connections_of(&self, user: &UserName) -> usize {
        self.member(user).map_or(0, |member| member.connections)
    }

    /// Adds a connection; says whether it is the user's first one.
    pub(crate) fn insert(&mut self, peer: &Arc<Peer>, meta: Option<Data>) -> bool {
        self.add(Connection::Own { peer: Arc::clone(peer), meta }, peer.user())
    }

    /// Adds a connection that the cluster knows, which may be a session's of this node; says whether it is the user's first one.
    pub(crate) fn enter(&mut self, entry: &Arc<Entry>, peer: Option<&Arc<Peer>>) -> bool {
        let connection = Connection::Shared { entry: Arc::clone(entry), peer: peer.cloned() };
        self.add(connection, &entry.user)
    }

    fn add(&mut self, connection: Connection, user: &UserName) -> bool {
        self.connections += 1;
        if let Some(user) = self.users.get_mut(user) {
            user.others.push(connection);
            user.show();
            return false;
        }
        let is_told = self.departed.remove(user).is_some();
        self.untold += usize::from(!is_told);
        self.users.insert(user.clone(), User::new(connection, user, is_told));
        true
    }

    /// Removes a connection; says whether it was the user's last one. `None` where it is not here.
    pub(crate) fn remove(&mut self, peer: &Peer) -> Option<bool> {
        Some(self.take(peer.user(), |connection| connection.is_of(peer.id()))?.1)
    }

    /// Removes a connection that the cluster knew; says whose session it was and whether it was the user's last one. `None` where it is not here.
    pub(crate) fn exit(
        &mut self,
        user: &UserName,
        id: ConnectionId,
    ) -> Option<(Option<Arc<Peer>>, bool)> {
        let (gone, is_last) = self.take(user, |connection| connection.id() == Some(id))?;
        Some((gone.into_peer(), is_last))
    }

    /// The connection of a session, as the cluster knows it. `None` where it is not here.
    pub(crate) fn connection_of(&self, peer: &Peer) -> Option<ConnectionId> {
        let user = self.users.get(peer.user())?;
        let mut all = iter::once(&user.oldest).chain(&user.others);
        all.find(|connection| connection.is_of(peer.id()))?.id()
    }

    /// Has a session be told nothing any more; its connection is there until the cluster says otherwise. `None` where it is not here.
    pub(crate) fn detach(&mut self, peer: &Peer) -> Option<ConnectionId> {
        let user = self.users.get_mut(peer.user())?;
        let mut all = iter::once(&mut user.oldest).chain(&mut user.others);
        match all.find(|connection| connection.is_of(peer.id()))? {
            Connection::Shared { entry, peer } => {
                *peer = None;
                Some(entry.connection)
            }
            Connection::Own { .. } => None,
        }
    }

    fn take(
        &mut self,
        name: &UserName,
        is_it: impl Fn(&Connection) -> bool,
    ) -> Option<(Connection, bool)> {
        let user = self.users.get_mut(name)?;
        let is_last = user.others.is_empty();
        let gone = if is_last {
            if !is_it(&user.oldest) {
                return None;
            }
            self.depart(name)?
        } else {
            user.remove(is_it)?
        };
        self.connections -= 1;
        Some((gone, is_last))
    }

    fn depart(&mut self, user: &UserName) -> Option<Connection> {
        let (name, user) = self.users.remove_entry(user)?;
        if !user.is_told {
            self.untold -= 1;
        } else if !self.users.is_empty() {
            self.departed.insert(name, user.member);
        }
        // Nobody is left to be told who went. An emptied map keeps its last page, and a room may wait long for a return.
        if self.users.is_empty() {
            self.departed.clear();
            self.users.clear();
        }
        Some(user.oldest)
    }

    /// Whether somebody's coming or going has not been told.
    pub(crate) fn has_news(&self) -> bool {
        self.untold > 0 || !self.departed.is_empty()
    }

    /// All that has not been told counts as told from now on.
    pub(crate) fn forget_news(&mut self) {
        self.users.values_mut().for_each(|user| user.is_told = true);
        self.untold = 0;
        self.departed.clear();
    }

    /// All that has not been told, in portions of at most `bytes`; it counts as told from now on.
    pub(crate) fn take_news(&mut self, bytes: usize) -> Vec<(Vec<Arc<Member>>, Vec<UserName>)> {
        let left = std::mem::take(&mut self.departed).into_keys().map(News::Left);
        let arrived = self.users.values_mut().filter(|user| !user.is_told);
        let joined = arrived.map(|user| {
            user.is_told = true;
            News::Joined(Arc::clone(&user.member), user.cost)
        });
        let mut portions = vec![(Vec::new(), Vec::new())];
        let mut size = 0;
        for news in left.chain(joined.take(self.untold)) {
            size += news.cost();
            if size > bytes && size > news.cost() {
                size = news.cost();
                portions.push((Vec::new(), Vec::new()));
            }
            let Some(portion) = portions.last_mut() else { break };
            match news {
                News::Joined(member, _) => portion.0.push(member),
                News::Left(user) => portion.1.push(user),
            }
        }
        self.untold = 0;
        portions
    }

    /// A user as of now.
    pub(crate) fn member(&self, user: &UserName) -> Option<&Arc<Member>> {
        self.users.get(user).map(|user| &user.member)
    }

    /// The members as they are, whether it has been told or not, by user, from `after` on.
    pub(crate) fn present(&self, after: Option<&UserName>, bytes: usize) -> Members {
        let here = self.users.range::<UserName, _>((after.map_or(Unbounded, Excluded), Unbounded));
        fill(here.map(|(_, user)| user.shown()), bytes).0
    }

    /// The members as they have been told, by user, from `after` on. Whether it has been told or not, `viewer` is one of them.
    pub(crate) fn page(
        &self,
        after: Option<&UserName>,
        viewer: Option<&UserName>,
        bytes: usize,
    ) -> Members {
        self.told(after, viewer, bytes).0
    }

    /// With the bytes that they take.
    fn told(
        &self,
        after: Option<&UserName>,
        viewer: Option<&UserName>,
        bytes: usize,
    ) -> (Members, usize) {
        let range = (after.map_or(Unbounded, Excluded), Unbounded);
        let here = self.users.range::<UserName, _>(range).map(|(_, user)| user);
        let told = here.filter(|user| user.is_told || Some(&user.member.user) == viewer);
        let gone = self.departed.range::<UserName, _>(range);
        let gone = gone.map(|(_, member)| Shown { member, cost: cost::member(member) });
        fill(Merged::new(told.map(User::shown), gone), bytes)
    }

    /// The first page for somebody who has just come, and the bytes that it takes: they stand in front where they would not be on it.
    pub(crate) fn first_page(&self, viewer: &UserName, bytes: usize) -> (Members, usize) {
        let Some(own) = self.users.get(viewer) else { return Default::default() };
        let bytes = bytes.saturating_sub(own.cost);
        // As in every room that is told at once: everybody else has been told of, and nobody else.
        let all_are_told = self.departed.is_empty() && self.untold == usize::from(!own.is_told);
        let (mut page, mut size) = if all_are_told {
            fill(self.users.values().map(User::shown), bytes)
        } else {
            self.told(None, Some(viewer), bytes)
        };
        if !page.more {
            return (page, size);
        }
        let found = page.members.binary_search_by(|member| member.user.cmp(viewer));
        if found.is_err() {
            page.members.insert(0, Arc::clone(&own.member));
            size += own.cost;
        }
        (page, size)
    }
}

impl User {
    fn new(oldest: Connection, user: &UserName, is_told: bool) -> Self {
        let member = Arc::new(oldest.member(user, 1));
        Self { cost: cost::member(&member), member, is_told, oldest, others: Vec::new() }
    }

    fn peers(&self) -> impl Iterator<Item = &Arc<Peer>> {
        iter::once(&self.oldest).chain(&self.others).filter_map(Connection::peer)
    }

    fn shown(&self) -> Shown<'_> {
        Shown { member: &self.member, cost: self.cost }
    }

    /// Removes one of several connections; `None` where it is not here.
    fn remove(&mut self, is_it: impl Fn(&Connection) -> bool) -> Option<Connection> {
        let gone = if is_it(&self.oldest) && !self.others.is_empty() {
            std::mem::replace(&mut self.oldest, self.others.remove(0))
        } else {
            let place = self.others.iter().position(is_it)?;
            self.others.remove(place)
        };
        self.show();
        Some(gone)
    }

    /// Shows them as they are since a connection has come or gone.
    fn show(&mut self) {
        let connections = 1 + self.others.len();
        self.member = Arc::new(self.oldest.member(&self.member.user, connections));
        self.cost = cost::member(&self.member);
    }
}

impl Connection {
    /// The user whose oldest connection this is.
    fn member(&self, user: &UserName, connections: usize) -> Member {
        let (name, meta) = match self {
            Self::Own { peer, meta } => (peer.identity().name(), meta),
            Self::Shared { entry, .. } => (entry.name.as_ref(), &entry.meta),
        };
        Member { user: user.clone(), name: name.cloned(), connections, meta: meta.clone() }
    }

    fn peer(&self) -> Option<&Arc<Peer>> {
        match self {
            Self::Own { peer, .. } => Some(peer),
            Self::Shared { peer, .. } => peer.as_ref(),
        }
    }

    fn into_peer(self) -> Option<Arc<Peer>> {
        match self {
            Self::Own { peer, .. } => Some(peer),
            Self::Shared { peer, .. } => peer,
        }
    }

    fn is_of(&self, session: SessionId) -> bool {
        self.peer().is_some_and(|peer| peer.id() == session)
    }

    fn id(&self) -> Option<ConnectionId> {
        match self {
            Self::Own { .. } => None,
            Self::Shared { entry, .. } => Some(entry.connection),
        }
    }
}

/// A member on a page, and the most bytes that it takes there.
#[derive(Clone, Copy)]
struct Shown<'a> {
    member: &'a Arc<Member>,
    cost: usize,
}

/// As many as fit, and one at least; and the bytes that they take.
fn fill<'a>(members: impl Iterator<Item = Shown<'a>>, bytes: usize) -> (Members, usize) {
    let most = members.size_hint().0.min(bytes / cost::MEMBER);
    let mut page = Members { members: Vec::with_capacity(most), more: false };
    let mut size = 0;
    for Shown { member, cost } in members {
        if size + cost > bytes && !page.members.is_empty() {
            page.more = true;
            break;
        }
        size += cost;
        page.members.push(Arc::clone(member));
    }
    (page, size)
}

enum News {
    /// With its cost.
    Joined(Arc<Member>, usize),
    Left(UserName),
}

impl News {
    fn cost(&self) -> usize {
        match self {
            Self::Joined(_, cost) => *cost,
            Self::Left(user) => 1 + cost::text(user.as_str()),
        }
    }
}

/// Two sequences by user without a common user, as one.
struct Merged<A: Iterator, B: Iterator> {
    a: iter::Peekable<A>,
    b: iter::Peekable<B>,
}

impl<'a, A: Iterator<Item = Shown<'a>>, B: Iterator<Item = Shown<'a>>> Merged<A, B> {
    fn new(a: A, b: B) -> Self {
        Self { a: a.peekable(), b: b.peekable() }
    }
}

impl<'a, A, B> Iterator for Merged<A, B>
where
    A: Iterator<Item = Shown<'a>>,
    B: Iterator<Item = Shown<'a>>,
{
    type Item = Shown<'a>;

    fn next(&mut self) -> Option<Shown<'a>> {
        match (self.a.peek(), self.b.peek()) {
            (Some(a), Some(b)) if b.member.user < a.member.user => self.b.next(),
            (None, _) => self.b.next(),
            _ => self.a.next(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Config, Identity, backlog::Backlog, metrics::Metrics, rates::Rates};

    fn peer(name: &str) -> Arc<Peer> {
        peer_of(Identity::new(UserName::new(name).unwrap()))
    }

    fn peer_of(identity: Identity) -> Arc<Peer> {
        let config = Config::default();
        let backlog = Backlog::new(&config, Metrics::new().outbox_bytes);
        let requests = Rates::new(&config).of_session();
        Arc::new(Peer::new(identity, &config, requests, Arc::new(backlog)))
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
        let line = |(joined, left): (Vec<Arc<Member>>, Vec<UserName>)| {
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

    /// A page of the tree has eleven users, and some bytes of its own.
    #[test]
    fn who_is_there_comes_from_the_allocators_quick_lists() {
        let page = 11 * (size_of::<UserName>() + size_of::<User>()) + 16;
        assert!(page <= crate::testing::QUICK_BLOCK, "{page} bytes");
    }

    #[test]
    fn a_user_is_news_on_the_first_connection_and_after_the_last() {
        let (tab, other_tab, stays) = (peer("ada"), peer("ada"), peer("zoe"));
        let mut roster = told(&[&stays]);
        assert!(roster.insert(&tab, None));
        assert_eq!(news(&mut roster, usize::MAX), ["+ada"]);
        assert!(!roster.insert(&other_tab, None));
        assert!(!roster.has_news());
        assert!(roster.remove(&tab).is_some());
        assert!(!roster.has_news());
        assert!(roster.remove(&tab).is_none(), "gone already");
        assert!(roster.remove(&other_tab).is_some());
        assert_eq!(news(&mut roster, usize::MAX), ["-ada"]);
        assert_eq!((roster.users(), roster.connections()), (1, 1));
    }

    /// What they say of themselves is what the oldest of their tabs says, in whatever order they come and go.
    #[test]
    fn a_user_is_shown_as_their_oldest_connection_has_it() {
        let ada = || Identity::new(UserName::new("ada").unwrap());
        let tabs = ["1", "2", "3", "4", "5"].map(|name| peer_of(ada().display_name(name)));
        let mut roster = Roster::default();
        let shown = |roster: &Roster| {
            let member = roster.member(tabs[0].user()).unwrap();
            let meta = member.meta.as_ref().unwrap();
            (format!("{} {}", member.name.as_ref().unwrap(), meta.as_str()), member.connections)
        };
        for (tab, connections) in tabs.iter().zip(1..) {
            let meta = format!("{{\"tab\":{connections}}}");
            roster.insert(tab, Some(Data::new(meta)));
            assert_eq!(shown(&roster), ("1 {\"tab\":1}".to_owned(), connections));
        }
        roster.remove(&tabs[1]);
        assert_eq!(shown(&roster), ("1 {\"tab\":1}".to_owned(), 4));
        roster.remove(&tabs[0]);
        assert_eq!(shown(&roster), ("3 {\"tab\":3}".to_owned(), 3));
        roster.insert(&tabs[0], Some(Data::new("{}")));
        roster.remove(&tabs[2]);
        assert_eq!(shown(&roster), ("4 {\"tab\":4}".to_owned(), 3));
        roster.remove(&tabs[3]);
        assert_eq!(shown(&roster), ("5 {\"tab\":5}".to_owned(), 2));
        roster.remove(&tabs[4]);
        assert_eq!(shown(&roster), ("1 {}".to_owned(), 1));
    }

    #[test]
    fn there_are_no_news_where_nobody_is_left() {
        let (ada, bob) = (peer("ada"), peer("bob"));
        let mut roster = told(&[&ada]);
        roster.insert(&bob, None);
        roster.remove(&ada);
        assert!(roster.has_news());
        roster.remove(&bob);
        assert!(roster.is_empty() && !roster.has_news());
        assert_eq!(roster.connections(), 0);
    }

    #[test]
    fn coming_and_going_between_two_tellings_cancel_out() {
        let (ada, bob, again, stays) = (peer("ada"), peer("bob"), peer("ada"), peer("zoe"));
        let mut roster = told(&[&ada, &stays]);
        roster.insert(&bob, None);
        roster.remove(&bob);
        roster.remove(&ada);
        roster.insert(&again, None);
        assert!(!roster.has_news());
    }

    #[test]
    fn the_list_is_what_has_been_told_and_oneself() {
        let (ada, bob, eve, joe) = (peer("ada"), peer("bob"), peer("eve"), peer("joe"));
        let mut roster = told(&[&ada, &eve]);
        roster.remove(&eve);
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
        let one = cost::member(roster.member(peers[0].user()).unwrap());
        let page = |after: Option<&Arc<Peer>>, bytes| {
            let page = roster.page(after.map(|peer| peer.user()), None, bytes);
            (users(&page), page.more)
        };
        assert_eq!(page(None, 2 * one), ("ada bob".into(), true));
        assert_eq!(page(Some(&peers[1]), 2 * one), ("eve".into(), false));
        assert_eq!(page(None, 0), ("ada".into(), true));
        let (first, _) = roster.first_page(peers[2].user(), 2 * one);
        assert_eq!((users(&first), first.more), ("eve ada".into(), true));
        let (first, _) = roster.first_page(peers[0].user(), 2 * one);
        assert_eq!((users(&first), first.more), ("ada".into(), true));
        roster.insert(&peer("zoe"), None);
        roster.take_news(usize::MAX);
        for peer in &peers {
            roster.remove(peer);
        }
        assert_eq!(news(&mut roster, 0), ["-ada", "-bob", "-eve"]);
    }
}
