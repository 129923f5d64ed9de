//! Who is in a room: connections, the users behind them, and what has been told of both.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::{Data, Member, SessionId, UserName, cost, peer::Peer, sync::Arc};

/// The connections of a room, the users they belong to, and which of their comings and goings still have to be told.
///
/// What has been told is always the set of users who are `announced`, plus those `departed`.
#[derive(Debug, Default)]
pub(crate) struct Roster {
    connections: HashMap<SessionId, Connection>,
    users: BTreeMap<UserName, User>,
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

#[derive(Debug, Default)]
struct User {
    /// The user's sessions in this room, the oldest first.
    sessions: Vec<SessionId>,
}

/// A list of members that fits into an answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Members {
    /// The members, by user.
    pub members: Vec<Member>,
    /// Whether there are more after the last one.
    pub more: bool,
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

    pub(crate) fn has_user(&self, user: &UserName) -> bool {
        self.users.contains_key(user)
    }

    pub(crate) fn peers(&self) -> impl Iterator<Item = &Arc<Peer>> {
        self.connections.values().map(|connection| &connection.peer)
    }

    pub(crate) fn sessions_of(&self, user: &UserName) -> Vec<SessionId> {
        self.users.get(user).map_or_else(Vec::new, |user| user.sessions.clone())
    }

    /// Adds a connection; says whether it is the user's first one.
    pub(crate) fn insert(&mut self, peer: &Arc<Peer>, meta: Option<Data>) -> bool {
        let name = peer.user();
        self.connections.insert(peer.id(), Connection { peer: Arc::clone(peer), meta });
        let user = self.users.entry(name.clone()).or_default();
        user.sessions.push(peer.id());
        let first = user.sessions.len() == 1;
        if first && self.departed.remove(name).is_none() {
            self.arrived.insert(name.clone());
        }
        first
    }

    /// Removes a connection; returns whose it was.
    pub(crate) fn remove(&mut self, session: SessionId) -> Option<Arc<Peer>> {
        let last_seen = self.connections.get(&session).map(|c| c.peer.user().clone())?;
        let member = self.member(&last_seen);
        let Connection { peer, .. } = self.connections.remove(&session)?;
        if let Some(user) = self.users.get_mut(&last_seen) {
            user.sessions.retain(|other| *other != session);
            if user.sessions.is_empty() {
                self.users.remove(&last_seen);
                if !self.arrived.remove(&last_seen)
                    && let Some(member) = member
                {
                    self.departed.insert(last_seen, member);
                }
            }
        }
        Some(peer)
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

    fn member(&self, user: &UserName) -> Option<Member> {
        let sessions = &self.users.get(user)?.sessions;
        let oldest = self.connections.get(sessions.first()?)?;
        Some(Member {
            user: user.clone(),
            name: oldest.peer.identity().name().cloned(),
            connections: sessions.len(),
            meta: oldest.meta.clone(),
        })
    }

    /// The members as they have been told, from `after` on, and `viewer` in any case: in front where it would not be on the page.
    pub(crate) fn told(
        &self,
        after: Option<&UserName>,
        viewer: Option<&UserName>,
        bytes: usize,
    ) -> Members {
        use std::ops::Bound::{Excluded, Unbounded};
        let range = (after.map_or(Unbounded, Excluded), Unbounded);
        let here = self.users.range::<UserName, _>(range).map(|(user, _)| user);
        let here = here.filter(|user| {
            self.arrived.is_empty() || !self.arrived.contains(*user) || Some(*user) == viewer
        });
        let gone = self.departed.range::<UserName, _>(range).map(|(user, _)| user);
        let mut page = Members::default();
        let mut left = bytes;
        let mut saw_viewer = false;
        for user in Merged::new(here, gone) {
            let member = self.member(user).or_else(|| self.departed.get(user).cloned());
            let Some(member) = member else { continue };
            let cost = cost::member(&member);
            if cost > left && !page.members.is_empty() {
                page.more = true;
                break;
            }
            left = left.saturating_sub(cost);
            saw_viewer |= Some(user) == viewer;
            page.members.push(member);
        }
        if !saw_viewer
            && after.is_none()
            && let Some(member) = viewer.and_then(|viewer| self.member(viewer))
        {
            page.members.insert(0, member);
        }
        page
    }
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
