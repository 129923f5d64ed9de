//! What all nodes of a cluster go by: whose a name is, who has logged out, and who opened a room.

use std::{fmt, time::Duration};

use chatrooms::{Cluster as _, ClusterError, Epoch, UserName, redis::RedisCluster};

use crate::{
    claims::{Denied, GRACE},
    skeleton::Skeleton,
    visitor::{BrowserId, Visitor},
};

/// How often a name that is in use is said to be so.
pub(crate) const RENEW: Duration = Duration::from_secs(20);
/// For how long that holds: whoever loses their last connection just before it would be said again keeps the name as long as anybody does.
const HELD: Duration = GRACE.saturating_add(RENEW);

/// The cluster cannot be asked, or may not have done it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Away;

impl From<ClusterError> for Away {
    fn from(_: ClusterError) -> Self {
        Self
    }
}

/// Cloning is cheap, and every clone knows the same, as the directories of all other nodes do.
#[derive(Clone)]
pub(crate) struct Directory {
    cluster: RedisCluster,
}

impl Directory {
    pub(crate) const fn new(cluster: RedisCluster) -> Self {
        Self { cluster }
    }

    /// Makes a name a browser's own for a while, or for longer.
    pub(crate) async fn claim(
        &self,
        user: &UserName,
        browser: BrowserId,
    ) -> Result<Result<(), Denied>, Away> {
        let claim = Claim { browser, user };
        let held = self.cluster.claim(&by_looks(user), &claim.to_string(), HELD).await?;
        Ok(claim.against(&held))
    }

    /// Whether a browser may use a name: it is its own, or neither it nor one that looks like it is anybody's.
    pub(crate) async fn check(
        &self,
        user: &UserName,
        browser: BrowserId,
    ) -> Result<Result<(), Denied>, Away> {
        let held = self.cluster.holder(&by_looks(user)).await?;
        Ok(held.map_or(Ok(()), |held| Claim { browser, user }.against(&held)))
    }

    /// Whether a name is this browser's.
    pub(crate) async fn is_own(&self, user: &UserName, browser: BrowserId) -> Result<bool, Away> {
        let held = self.cluster.holder(&by_looks(user)).await?;
        Ok(held.is_some_and(|held| Claim { browser, user }.against(&held).is_ok()))
    }

    /// Gives a name of a browser up. One that cannot be given up now lapses by itself.
    pub(crate) async fn release(&self, user: &UserName, browser: BrowserId) {
        let claim = Claim { browser, user }.to_string();
        let _ = self.cluster.release(&by_looks(user), &claim).await;
    }

    /// Voids every cookie of a browser, until the last of them has expired.
    pub(crate) async fn void(&self, browser: BrowserId) -> Result<(), Away> {
        self.cluster.claim(&logout(browser), "void", Visitor::LIFETIME).await?;
        Ok(())
    }

    pub(crate) async fn is_void(&self, browser: BrowserId) -> Result<bool, Away> {
        Ok(self.cluster.holder(&logout(browser)).await?.is_some())
    }

    /// Notes who has opened a life. No cookie of theirs outlasts the note.
    pub(crate) async fn note_creator(&self, life: Epoch, creator: BrowserId) -> Result<(), Away> {
        self.cluster.claim(&opened(life), &creator.to_string(), Visitor::LIFETIME).await?;
        Ok(())
    }

    pub(crate) async fn creator(&self, life: Epoch) -> Result<Option<BrowserId>, Away> {
        let creator = self.cluster.holder(&opened(life)).await?;
        Ok(creator.and_then(|creator| BrowserId::parse(&creator)))
    }

    pub(crate) async fn forget_creator(&self, life: Epoch) -> Result<(), Away> {
        if let Some(creator) = self.cluster.holder(&opened(life)).await? {
            self.cluster.release(&opened(life), &creator).await?;
        }
        Ok(())
    }
}

/// What stands beside a name while it is somebody's.
struct Claim<'a> {
    browser: BrowserId,
    user: &'a UserName,
}

impl Claim<'_> {
    /// What it comes to where that is what stands there.
    fn against(&self, held: &str) -> Result<(), Denied> {
        match held.split_once(' ') {
            Some((_, user)) if user != self.user.as_str() => Err(Denied::LooksAlike),
            Some((browser, _)) if browser == self.browser.to_string() => Ok(()),
            _ => Err(Denied::Taken),
        }
    }
}

impl fmt::Display for Claim<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.browser, self.user)
    }
}

/// All names that look alike are one.
fn by_looks(user: &UserName) -> String {
    format!("name:{}", Skeleton::of(user))
}

fn logout(browser: BrowserId) -> String {
    format!("logout:{browser}")
}

fn opened(life: Epoch) -> String {
    format!("opened:{life}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_is_judged_by_browser_and_by_name() {
        let (user, other) = (UserName::new("ada l").unwrap(), UserName::new("ada I").unwrap());
        let (ada, eve) = (BrowserId([1; 16]), BrowserId([2; 16]));
        let held = Claim { browser: ada, user: &user }.to_string();
        assert_eq!(Claim { browser: ada, user: &user }.against(&held), Ok(()));
        assert_eq!(Claim { browser: eve, user: &user }.against(&held), Err(Denied::Taken));
        assert_eq!(Claim { browser: ada, user: &other }.against(&held), Err(Denied::LooksAlike));
        assert_eq!(
            Claim { browser: ada, user: &user }.against("what is this"),
            Err(Denied::LooksAlike)
        );
        assert_eq!(by_looks(&user), by_looks(&other));
    }
}
