//! What one node says to all others about a user.

use std::fmt;

use crate::{CloseReason, Data, UserName, sync::Arc};

/// What an [`Order`] that was given is called, by whoever asks whether it was [obeyed](crate::Cluster::obeyed) and whoever says so. It is the cluster's.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct OrderId(Arc<str>);

impl OrderId {
    /// One that the cluster calls so.
    pub fn new(id: impl Into<Arc<str>>) -> Self {
        Self(id.into())
    }

    /// What the cluster calls it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for OrderId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Something that all nodes are to do for a user, in whatever rooms they are.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Order {
    /// All of their sessions end.
    EndSessions {
        /// Whose.
        user: UserName,
        /// Why.
        reason: CloseReason,
    },
    /// All of their sessions are told something.
    Notify {
        /// Who.
        user: UserName,
        /// What it is.
        name: Arc<str>,
        /// Anything beside it.
        data: Option<Data>,
    },
}
