//! Who a session is, as the host's authenticator found out.

use std::{any::Any, fmt, sync::Arc, time::SystemTime};

use crate::UserName;

/// Who a session is. It never comes from a client's frame.
///
/// ```
/// # use chatrooms_core::{Identity, UserName};
/// struct Role(&'static str);
/// let ada = Identity::new(UserName::new("ada")?).display_name("Ada L.").claims(Role("admin"));
/// assert_eq!(ada.claim::<Role>().map(|role| role.0), Some("admin"));
/// # Ok::<(), chatrooms_core::NameError>(())
/// ```
#[derive(Clone)]
pub struct Identity {
    user: UserName,
    name: Option<Arc<str>>,
    claims: Option<Arc<dyn Any + Send + Sync>>,
    expires_at: Option<SystemTime>,
}

impl Identity {
    /// A user without anything else to say about them.
    #[must_use]
    pub const fn new(user: UserName) -> Self {
        Self { user, name: None, claims: None, expires_at: None }
    }

    /// What others are to see instead of the user name, at most 256 bytes of which are kept.
    #[must_use]
    pub fn display_name(mut self, name: &str) -> Self {
        let end = name.floor_char_boundary(crate::MAX_NAME_BYTES);
        self.name = Some(name[..end].into());
        self
    }

    /// Whatever the host's policy wants to know later. The last value stands.
    #[must_use]
    pub fn claims<T: Any + Send + Sync>(mut self, claims: T) -> Self {
        self.claims = Some(Arc::new(claims));
        self
    }

    /// When the credentials end; the session ends with them.
    #[must_use]
    pub const fn expires_at(mut self, at: SystemTime) -> Self {
        self.expires_at = Some(at);
        self
    }

    /// The user.
    #[must_use]
    pub const fn user(&self) -> &UserName {
        &self.user
    }

    /// The display name.
    #[must_use]
    pub const fn name(&self) -> Option<&Arc<str>> {
        self.name.as_ref()
    }

    /// The host's claims, where they are of this type.
    #[must_use]
    pub fn claim<T: Any>(&self) -> Option<&T> {
        self.claims.as_deref()?.downcast_ref()
    }

    /// When the credentials end.
    #[must_use]
    pub const fn expiry(&self) -> Option<SystemTime> {
        self.expires_at
    }
}

impl fmt::Debug for Identity {
    // Claims may hold tokens.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity").field("user", &self.user).finish_non_exhaustive()
    }
}
