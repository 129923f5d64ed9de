//! Who may go by which name: claims and logouts, and what of them outlives this process.

use std::{
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};

use chatrooms::{RoomRegistry, UserName};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};

use crate::{
    claims::{Bounds, Claimant, Claims, Denied},
    clock::Clock,
    ledger::Ledger,
    visitor::{BrowserId, Visitor},
    voided::{Full, Voided},
};

/// The most names in use at a time, and the most of them that are one browser's.
const NAMES: usize = 100_000;
const NAMES_OF_BROWSER: usize = 8;
/// The most pages of logouts: 32 MiB, and as many entries as there are numbers on them before there can be so many, 268 million.
const VOID_PAGES: usize = 65_536;
/// How often connections are looked at. A name is free again at most that much later than it could be.
const LOOK: Duration = Duration::from_secs(1);
/// How often a logout that could not be saved is tried again.
const SAVE: Duration = Duration::from_secs(10);
/// Between one thing that is written down and the next. What comes meanwhile is written together.
const APART: Duration = Duration::from_millis(50);

/// Cloning is cheap, and every clone knows the same. The methods are async because a cluster's names would be kept elsewhere.
#[derive(Clone)]
pub(crate) struct Names {
    inner: Arc<Inner>,
}

struct Inner {
    clock: Clock,
    /// Held for one question or one change, never over an await. Both stand under one lock, so that a browser that has logged out
    /// claims nothing any more.
    state: Mutex<State>,
    ledger: Option<Arc<Ledger>>,
    /// Held while something is written down, so that nothing older is ever written over something newer. When that was done last, if ever.
    saving: tokio::sync::Mutex<Option<Instant>>,
}

struct State {
    claims: Claims,
    voided: Voided,
}

/// Why somebody may not go by a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotAllowed {
    /// The cookie is void.
    LoggedOut,
    /// The name belongs to another browser.
    Taken,
    /// Another name that looks like it is in use.
    LooksAlike,
    /// The browser has as many names as it may have, or its address has.
    TooMany,
    /// Too many names are in use.
    Full,
}

impl From<Denied> for NotAllowed {
    fn from(denied: Denied) -> Self {
        match denied {
            Denied::Taken => Self::Taken,
            Denied::LooksAlike => Self::LooksAlike,
            Denied::TooMany => Self::TooMany,
            Denied::Full => Self::Full,
        }
    }
}

impl Names {
    /// Names of a process that leaves nothing behind. Its end forgets which cookies have been logged out, so those of an earlier
    /// process are void, whatever key they were signed with.
    pub(crate) fn of_this_process(clock: Clock, most_of_address: usize) -> Self {
        let claims = Claims::new(bounds(most_of_address));
        Self::new(clock, Voided::new(clock.now(), VOID_PAGES), claims, None)
    }

    /// Names that are kept in a database with their owners and logouts. Those of an earlier process have just lost their connections.
    pub(crate) async fn kept_in(
        ledger: Arc<Ledger>,
        clock: Clock,
        most_of_address: usize,
    ) -> Result<Self, sqlx::Error> {
        let valid_from = ledger.valid_from().await?;
        let mut voided = Voided::new(valid_from, VOID_PAGES);
        voided.restore(ledger.logouts().await?);
        let clock = clock.no_earlier_than(valid_from);
        let bounds = bounds(most_of_address);
        let claims = Claims::restore(bounds, ledger.names().await?, clock.now());
        Ok(Self::new(clock, voided, claims, Some(ledger)))
    }

    fn new(clock: Clock, voided: Voided, claims: Claims, ledger: Option<Arc<Ledger>>) -> Self {
        let state = Mutex::new(State { claims, voided });
        Self { inner: Arc::new(Inner { clock, state, ledger, saving: Default::default() }) }
    }

    /// The moment from which a cookie that is issued now counts.
    pub(crate) fn now(&self) -> SystemTime {
        self.inner.clock.now()
    }

    /// Makes the name the visitor's own, anew if it is already. Where it is known from which address they come, that one has it, too.
    pub(crate) async fn claim(
        &self,
        visitor: &Visitor,
        address: Option<IpAddr>,
    ) -> Result<(), NotAllowed> {
        let now = self.now();
        let claimant = Claimant { browser: visitor.browser, address };
        let is_new = {
            let mut state = self.state();
            state.check_cookie(visitor)?;
            state.claims.claim(&visitor.user, claimant, now)?
        };
        if is_new {
            self.save().await;
        }
        Ok(())
    }

    /// Whether the cookie holds and the name is the visitor's own, or neither it nor one that looks like it is anybody's.
    pub(crate) async fn check(&self, visitor: &Visitor) -> Result<(), NotAllowed> {
        let now = self.now();
        let state = self.state();
        state.check_cookie(visitor)?;
        Ok(state.claims.check(&visitor.user, visitor.browser, now)?)
    }

    /// The same, and whether there is a place for the name among those of the browser and of the address: what [`claim`](Self::claim) would say.
    pub(crate) async fn may_claim(
        &self,
        visitor: &Visitor,
        address: Option<IpAddr>,
    ) -> Result<(), NotAllowed> {
        self.check(visitor).await?;
        let claimant = Claimant { browser: visitor.browser, address };
        Ok(self.state().claims.is_within(&visitor.user, claimant)?)
    }

    /// Whether the name is the visitor's own: the one they come by, or another one of their browser's.
    pub(crate) fn is_own(&self, visitor: &Visitor, user: &UserName) -> bool {
        self.state().claims.owner(user) == Some(visitor.browser)
    }

    /// Whether the cookie holds, whoever has the name meanwhile.
    pub(crate) async fn is_logged_in(&self, visitor: &Visitor) -> bool {
        self.state().check_cookie(visitor).is_ok()
    }

    /// Voids every cookie of the visitor's browser, has the sessions of all its names ended, and gives the names up.
    ///
    /// To be run where no client can cancel it.
    ///
    /// # Errors
    /// There is no place to note it. Nothing has been done.
    pub(crate) async fn log_out(
        &self,
        visitor: &Visitor,
        end_sessions: impl Fn(&UserName),
    ) -> Result<(), Full> {
        // A session that is just being opened stands in the registry before its cookie is checked again: it is either ended
        // here or finds its cookie void. The names stay claimed meanwhile, so that nobody else's session is ended.
        for user in self.void(visitor.browser)? {
            end_sessions(&user);
        }
        self.state().claims.release(visitor.browser);
        self.save().await;
        Ok(())
    }

    /// Looks after the names for ever: those with sessions in this registry are in use.
    pub(crate) async fn look_after(self, registry: RoomRegistry) {
        let (mut look, mut save) = (interval(LOOK), interval(SAVE));
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        save.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = look.tick() => self.look(&registry),
                _ = save.tick() => {
                    self.state().voided.expire(self.now());
                    self.save().await;
                }
            }
        }
    }

    /// Lets go of the database.
    pub(crate) async fn close(&self) {
        if let Some(ledger) = &self.inner.ledger {
            self.save().await;
            ledger.close().await;
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.inner.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn void(&self, browser: BrowserId) -> Result<Vec<UserName>, Full> {
        let mut state = self.state();
        state.voided.insert(browser, self.now())?;
        Ok(state.claims.of(browser))
    }

    fn look(&self, registry: &RoomRegistry) {
        let now = self.now();
        self.state().claims.look(now, |user| registry.sessions_of(user) > 0);
    }

    fn has_unsaved(&self) -> bool {
        let state = self.state();
        state.voided.has_unsaved() || state.claims.has_unsaved()
    }

    /// Writes down what is to outlive the process. Until that succeeds it holds in this process all the same.
    async fn save(&self) {
        let Some(ledger) = &self.inner.ledger else { return };
        let mut last = self.inner.saving.lock().await;
        if !self.has_unsaved() {
            return;
        }
        if let Some(last) = *last {
            // The file has one writer at a time, and a flood of names is not to keep messages out.
            sleep_until(last + APART).await;
        }
        let (logouts, changes) = {
            let state = self.state();
            (state.voided.unsaved(), state.claims.unsaved())
        };
        if let Some(logouts) = logouts {
            match ledger.save(&logouts).await {
                Ok(()) => self.state().voided.saved(&logouts),
                Err(error) => {
                    tracing::error!(%error, "a logout cannot be saved for after a restart, and is tried again")
                }
            }
        }
        if !changes.is_empty() {
            match ledger.save_names(&changes).await {
                Ok(()) => self.state().claims.saved(&changes),
                Err(error) => {
                    tracing::error!(%error, "names cannot be saved for after a restart, and are tried again")
                }
            }
        }
        *last = Some(Instant::now());
    }
}

const fn bounds(of_address: usize) -> Bounds {
    Bounds { in_all: NAMES, of_browser: NAMES_OF_BROWSER, of_address }
}

impl State {
    fn check_cookie(&self, visitor: &Visitor) -> Result<(), NotAllowed> {
        if self.voided.contains(visitor) { Err(NotAllowed::LoggedOut) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use chatrooms::Identity;
    use tokio::time::sleep;

    use super::*;
    use crate::{claims::GRACE, numbering::Numbering};

    fn visitor(names: &Names, browser: u8, user: &str) -> Visitor {
        let user = UserName::new(user).unwrap();
        Visitor { browser: BrowserId([browser; 16]), user, issued: names.now() }
    }

    #[tokio::test]
    async fn a_logout_ends_all_names_of_the_browser_and_frees_them() {
        let names = Names::of_this_process(Clock::start(), usize::MAX);
        let (ada, countess) = (visitor(&names, 1, "ada"), visitor(&names, 1, "countess"));
        let eve = visitor(&names, 2, "ada");
        names.claim(&ada, None).await.unwrap();
        names.claim(&countess, None).await.unwrap();
        assert_eq!(names.claim(&eve, None).await, Err(NotAllowed::Taken));
        assert!(names.is_own(&ada, &countess.user) && !names.is_own(&eve, &ada.user));

        let ended = Mutex::new(Vec::new());
        names
            .log_out(&countess, |user| ended.lock().unwrap().push(user.to_string()))
            .await
            .unwrap();
        let mut ended = ended.into_inner().unwrap();
        ended.sort();
        assert_eq!(ended, ["ada", "countess"]);
        assert_eq!(names.claim(&ada, None).await, Err(NotAllowed::LoggedOut));
        assert_eq!(names.check(&countess).await, Err(NotAllowed::LoggedOut));
        assert!(!names.is_logged_in(&ada).await);
        assert_eq!(names.claim(&eve, None).await, Ok(()));
    }

    #[tokio::test]
    async fn while_sessions_are_being_ended_the_name_is_still_taken_and_the_cookie_void() {
        let names = Names::of_this_process(Clock::start(), usize::MAX);
        let (ada, eve) = (visitor(&names, 1, "ada"), visitor(&names, 2, "ada"));
        names.claim(&ada, None).await.unwrap();
        let now = names.now();
        let meanwhile = Mutex::new(None);
        names
            .log_out(&ada, |user| {
                let state = names.state();
                let taken = state.claims.check(user, eve.browser, now);
                *meanwhile.lock().unwrap() = Some((taken, state.voided.contains(&ada)));
            })
            .await
            .unwrap();
        assert_eq!(meanwhile.into_inner().unwrap(), Some((Err(Denied::Taken), true)));
    }

    #[tokio::test]
    async fn a_logout_never_ends_another_browsers_sessions() {
        let names = Names::of_this_process(Clock::start(), usize::MAX);
        let (ada, eve) = (visitor(&names, 1, "ada"), visitor(&names, 2, "ada"));
        names.claim(&eve, None).await.unwrap();
        names.log_out(&ada, |user| panic!("{user} is another's")).await.unwrap();
        assert_eq!(names.check(&eve).await, Ok(()));
    }

    #[tokio::test(start_paused = true)]
    async fn a_name_is_kept_as_long_as_it_has_sessions_and_a_minute_longer() {
        let (names, registry) =
            (Names::of_this_process(Clock::start(), usize::MAX), RoomRegistry::new());
        let looking = tokio::spawn(names.clone().look_after(registry.clone()));
        let (ada, eve) = (visitor(&names, 1, "ada"), visitor(&names, 2, "ada"));
        names.claim(&ada, None).await.unwrap();
        let session = registry.open_session(Identity::new(ada.user.clone())).unwrap();
        sleep(Duration::from_secs(3600)).await;
        assert_eq!(names.claim(&eve, None).await, Err(NotAllowed::Taken));
        drop(session);
        sleep(GRACE - LOOK).await;
        assert_eq!(names.claim(&eve, None).await, Err(NotAllowed::Taken));
        sleep(3 * LOOK).await;
        assert_eq!(names.claim(&eve, None).await, Ok(()));
        looking.abort();
    }

    #[tokio::test]
    async fn logouts_outlive_the_process_in_a_database() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("names.db");
        let opened = async || {
            let ledger = Ledger::open(&path).await.unwrap().into();
            Names::kept_in(ledger, Clock::start(), usize::MAX).await.unwrap()
        };
        std::fs::write(&path, "").unwrap();

        let names = opened().await;
        let (ada, eve) = (visitor(&names, 1, "ada"), visitor(&names, 2, "eve"));
        names.log_out(&ada, |_| {}).await.unwrap();
        names.close().await;

        let names = opened().await;
        assert_eq!(names.claim(&ada, None).await, Err(NotAllowed::LoggedOut));
        assert_eq!(
            names.claim(&eve, None).await,
            Ok(()),
            "a cookie that holds claims its name again"
        );
    }

    /// More than were remembered one by one once, whereupon everybody of their age was logged out with them.
    #[tokio::test]
    async fn a_hundred_thousand_logouts_revive_nobody_and_log_nobody_else_out() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("names.db");
        std::fs::write(&path, "").unwrap();
        let ledger = Arc::new(Ledger::open(&path).await.unwrap());
        let names = Names::kept_in(ledger, Clock::start(), usize::MAX).await.unwrap();
        let browsers = Numbering::start().unwrap();
        let user = UserName::new("ada").unwrap();
        let enter =
            || Visitor { browser: browsers.next(), user: user.clone(), issued: names.now() };
        let (ada, gone) = (enter(), enter());
        names.log_out(&gone, |_| {}).await.unwrap();
        for _ in 0..110_000 {
            names.void(enter().browser).unwrap();
        }
        names.close().await;
        let ledger = Arc::new(Ledger::open(&path).await.unwrap());
        let next = Names::kept_in(ledger, Clock::start(), usize::MAX).await.unwrap();
        for names in [names, next] {
            assert_eq!(names.check(&ada).await, Ok(()));
            assert_eq!(names.check(&gone).await, Err(NotAllowed::LoggedOut));
        }
        assert!(std::fs::metadata(&path).unwrap().len() < 256 * 1024);
    }

    #[tokio::test]
    async fn a_logout_that_cannot_be_noted_is_none() {
        let clock = Clock::start();
        let names =
            Names::new(clock, Voided::new(clock.now(), 0), Claims::new(bounds(usize::MAX)), None);
        let ada = visitor(&names, 1, "ada");
        names.claim(&ada, None).await.unwrap();
        assert_eq!(names.log_out(&ada, |user| panic!("{user} stays")).await, Err(Full));
        assert!(names.is_own(&ada, &ada.user) && names.is_logged_in(&ada).await);
    }

    #[tokio::test]
    async fn what_nothing_was_kept_of_is_void() {
        let clock = Clock::start();
        let earlier = Names::of_this_process(clock, usize::MAX);
        let ada = visitor(&earlier, 1, "ada");
        assert_eq!(earlier.check(&ada).await, Ok(()));
        let names = Names::of_this_process(
            clock.no_earlier_than(ada.issued + Duration::from_secs(1)),
            usize::MAX,
        );
        assert_eq!(names.check(&ada).await, Err(NotAllowed::LoggedOut));
    }
}
