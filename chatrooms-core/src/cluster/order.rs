//! What one node says to all others about a user.

use crate::{CloseReason, Data, UserName, sync::Arc};

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
