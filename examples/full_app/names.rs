//! Who may go by which name: claims and logouts, and what of them outlives this process.

use std::{
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};

use chatrooms::{RoomRegistry, UserName};
use futures_util::{StreamExt as _, future::join_all, stream};
use tokio::time::{MissedTickBehavior, interval};

use crate::{
    claims::{Bounds, Changes, Claimant, Claims, Denied},
    clock::Clock,
    directory::{Away, Directory, RENEW},
    keeping::{Keeping, NotKept},
    ledger::Ledger,
    visitor::Visitor,
    voided::{Full, Unsaved, Voided},
};

/// The most names in use at a time, and the most of them that are one browser's.
const NAMES: usize = 100_000;
const NAMES_OF_BROWSER: usize = 8;
/// The most pages of logouts: 32 MiB, and as many entries as there are numbers on them before there can be so many, 268 million.
const VOID_PAGES: usize = 65_536;
/// How often connections are looked at. A name is free again at most that much later than it could be.
const LOOK: Duration = Duration::from_secs(1);
/// How often names and logouts that have lapsed are forgotten in the database too, where nothing else is written.
const SAVE: Duration = Duration::from_secs(10);

/// How many names are said to be in use at a time, of those that are.
const RENEWED: usize = 64;

/// Cloning is cheap, and every clone knows the same.
///
/// On a node of a cluster it is the [directory](Directory) of all nodes that counts, and what stands here is this node's part of it: the names that are used here, which it
/// keeps from lapsing, and counts.
#[derive(Clone)]
pub(crate) struct Names {
    inner: Arc<Inner>,
}

struct Inner {
    clock: Clock,
    /// Held for one question or one change, never over an await. Both stand under one lock, so that a browser that has logged out
    /// claims nothing any more.
    state: Mutex<State>,
    /// How what changes is written down, where it is.
    keeping: Option<Keeping>,
    /// What counts, where there are other nodes.
    directory: Option<Directory>,
}

struct State {
    claims: Claims,
    voided: Voided,
    /// How often something has changed that somebody wants to be sure of.
    changes: u64,
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
    /// It cannot be written down right now. The name is nobody's.
    NotKept,
}

/// Why a logout is none, or not known to be one for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoLogout {
    /// There is no place to note it.
    Full,
    /// It holds in this process, and cannot be written down right now.
    NotKept,
}

impl From<Full> for NoLogout {
    fn from(Full: Full) -> Self {
        Self::Full
    }
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

impl From<Away> for NotAllowed {
    fn from(Away: Away) -> Self {
        Self::NotKept
    }
}

impl Names {
    /// Names of a process that leaves nothing behind. Its end forgets which cookies have been logged out, so those of an earlier
    /// process are void, whatever key they were signed with.
    pub(crate) fn of_this_process(clock: Clock, most_of_address: usize) -> Self {
        let claims = Claims::new(bounds(most_of_address));
        Self::new(clock, Voided::new(clock.now(), VOID_PAGES), claims, None, None)
    }

    /// Names that are those of all nodes of a cluster. Cookies are good on each of them, and after its end on the others.
    pub(crate) fn of_a_cluster(clock: Clock, most_of_address: usize, directory: Directory) -> Self {
        let claims = Claims::new(bounds(most_of_address));
        let voided = Voided::new(SystemTime::UNIX_EPOCH, VOID_PAGES);
        Self::new(clock, voided, claims, None, Some(directory))
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
        let names = Self::new(clock, voided, claims, Some(Keeping::default()), None);
        if let Some(keeping) = &names.inner.keeping {
            keeping.start(names.clone().keep(ledger));
        }
        Ok(names)
    }

    fn new(
        clock: Clock,
        voided: Voided,
        claims: Claims,
        keeping: Option<Keeping>,
        directory: Option<Directory>,
    ) -> Self {
        let state = Mutex::new(State { claims, voided, changes: 0 });
        Self { inner: Arc::new(Inner { clock, state, keeping, directory }) }
    }

    /// The moment from which a cookie that is issued now counts.
    pub(crate) fn now(&self) -> SystemTime {
        self.inner.clock.now()
    }

    /// Makes the name the visitor's own, anew if it is already. Where it is known from which address they come, that one has it, too.
    ///
    /// A name that nobody knows of after a restart would be somebody else's then, so that it is given out once it is written down.
    pub(crate) async fn claim(
        &self,
        visitor: &Visitor,
        address: Option<IpAddr>,
    ) -> Result<(), NotAllowed> {
        let (user, now) = (&visitor.user, self.now());
        let claimant = Claimant { browser: visitor.browser, address };
        if let Some(directory) = &self.inner.directory {
            return self.claim_in(directory, visitor, claimant).await;
        }
        let change = {
            let mut state = self.state();
            state.check_cookie(visitor)?;
            state.claims.check(user, visitor.browser, now)?;
            // Nobody waits for what will hardly be written, and what is to be written does not grow for as long as that lasts.
            if self.is_in_trouble() && !state.claims.is_own(user, visitor.browser) {
                return Err(NotAllowed::NotKept);
            }
            if state.claims.claim(user, claimant, now)? {
                state.changes += 1;
            }
            state.claims.is_unsaved(user).then_some(state.changes)
        };
        let Some(change) = change else { return Ok(()) };
        self.kept(change).await.or_else(|NotKept| self.give_back(visitor))
    }

    /// The same where it counts what all nodes say.
    async fn claim_in(
        &self,
        directory: &Directory,
        visitor: &Visitor,
        claimant: Claimant,
    ) -> Result<(), NotAllowed> {
        let (user, browser) = (&visitor.user, visitor.browser);
        {
            let state = self.state();
            state.check_cookie(visitor)?;
            state.claims.is_within(user, claimant)?;
        }
        directory.claim(user, browser).await??;
        // In this order: a logout on another node voids first and gives up afterwards, so that either of the two sees the other.
        let claimed = if directory.is_void(browser).await? {
            Err(NotAllowed::LoggedOut)
        } else {
            self.claim_here(visitor, claimant)
        };
        if claimed.is_err() {
            directory.release(user, browser).await;
        }
        claimed
    }

    /// Takes up a name that the directory has given.
    fn claim_here(&self, visitor: &Visitor, claimant: Claimant) -> Result<(), NotAllowed> {
        let mut state = self.state();
        state.check_cookie(visitor)?;
        state.claims.give_way(&visitor.user, visitor.browser);
        state.claims.claim(&visitor.user, claimant, self.now())?;
        Ok(())
    }

    /// Whether the cookie holds and the name is the visitor's own, or neither it nor one that looks like it is anybody's.
    pub(crate) async fn check(&self, visitor: &Visitor) -> Result<(), NotAllowed> {
        if let Some(directory) = &self.inner.directory {
            self.state().check_cookie(visitor)?;
            if directory.is_void(visitor.browser).await? {
                return Err(NotAllowed::LoggedOut);
            }
            return Ok(directory.check(&visitor.user, visitor.browser).await??);
        }
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
    pub(crate) async fn is_own(&self, visitor: &Visitor, user: &UserName) -> bool {
        if self.state().claims.is_own(user, visitor.browser) {
            return true;
        }
        match &self.inner.directory {
            Some(directory) => directory.is_own(user, visitor.browser).await == Ok(true),
            None => false,
        }
    }

    /// Whether the cookie holds, whoever has the name meanwhile. While the directory cannot be asked it does: whatever the visitor wants to do then asks again.
    pub(crate) async fn is_logged_in(&self, visitor: &Visitor) -> bool {
        if self.state().check_cookie(visitor).is_err() {
            return false;
        }
        match &self.inner.directory {
            Some(directory) => directory.is_void(visitor.browser).await != Ok(true),
            None => true,
        }
    }

    /// Voids every cookie of the visitor's browser, has the sessions of all its names ended, and gives the names up; done when that is written down.
    ///
    /// To be run where no client can cancel it.
    ///
    /// # Errors
    /// [`NoLogout::Full`]: nothing has been done. [`NoLogout::NotKept`]: all of it has been done, and is not known to hold after a restart; it is tried on, and asking again tells.
    pub(crate) async fn log_out<Ended: Future<Output = ()>>(
        &self,
        visitor: &Visitor,
        end_sessions: impl Fn(UserName) -> Ended,
    ) -> Result<(), NoLogout> {
        // A session that is just being opened stands in the registry before its cookie is checked again: it is either ended
        // here or finds its cookie void. The names stay claimed meanwhile, so that nobody else's session is ended.
        let (mut users, is_new) = self.void(visitor)?;
        let mut is_void_everywhere = Ok(());
        if let Some(directory) = &self.inner.directory {
            is_void_everywhere = directory.void(visitor.browser).await;
            // Which they may be using on other nodes alone. It is claimed and not only asked for: a node that has just refused this cookie may have given the name up by now, while another one has let it in before.
            let is_new = !users.contains(&visitor.user);
            if is_new && directory.claim(&visitor.user, visitor.browser).await == Ok(Ok(())) {
                users.push(visitor.user.clone());
            }
        }
        join_all(users.iter().cloned().map(end_sessions)).await;
        let change = {
            let mut state = self.state();
            state.claims.release(visitor.browser);
            state.changes += u64::from(is_new);
            state.changes
        };
        if let Some(directory) = &self.inner.directory {
            for user in &users {
                directory.release(user, visitor.browser).await;
            }
            return is_void_everywhere.map_err(|Away| NoLogout::NotKept);
        }
        self.kept(change).await.map_err(|NotKept| NoLogout::NotKept)
    }

    /// Looks after the names for ever: those with sessions in this registry are in use.
    pub(crate) async fn look_after(self, registry: RoomRegistry) {
        let mut turns = [LOOK, SAVE, RENEW].map(interval);
        turns.iter_mut().for_each(|turns| {
            turns.set_missed_tick_behavior(MissedTickBehavior::Delay);
        });
        let [mut look, mut save, mut renew] = turns;
        loop {
            tokio::select! {
                _ = look.tick() => self.look(&registry),
                _ = renew.tick() => self.renew().await,
                _ = save.tick() => {
                    self.state().voided.expire(self.now());
                    if let Some(keeping) = &self.inner.keeping {
                        keeping.wish();
                    }
                }
            }
        }
    }

    /// Lets go of the database, once everything is written down or cannot be.
    pub(crate) async fn close(&self) {
        if let Some(keeping) = &self.inner.keeping {
            keeping.end().await;
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.inner.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says which names the browser has, and whether its cookies were good before.
    fn void(&self, visitor: &Visitor) -> Result<(Vec<UserName>, bool), Full> {
        let mut state = self.state();
        let is_new = !state.voided.contains(visitor);
        if is_new {
            state.voided.insert(visitor.browser, self.now())?;
        }
        Ok((state.claims.of(visitor.browser), is_new))
    }

    /// Takes a name back that was not written down in time, so that it is free for whoever tries again.
    fn give_back(&self, visitor: &Visitor) -> Result<(), NotAllowed> {
        let mut state = self.state();
        if !state.claims.is_unsaved(&visitor.user) {
            // It was, just now.
            return Ok(());
        }
        state.claims.give_back(&visitor.user, visitor.browser);
        state.changes += 1;
        Err(NotAllowed::NotKept)
    }

    fn look(&self, registry: &RoomRegistry) {
        let now = self.now();
        self.state().claims.look(now, |user| registry.sessions_of(user) > 0);
    }

    /// Says which names are in use here. Whoever has lost theirs meanwhile, because nobody could be told for too long, finds out when their cookie is checked next.
    async fn renew(&self) {
        let Some(directory) = &self.inner.directory else { return };
        let in_use = self.state().claims.connected();
        let said = stream::iter(in_use).map(async |(user, browser)| {
            if let Ok(Err(_)) = directory.claim(&user, browser).await {
                self.state().claims.give_back(&user, browser);
            }
        });
        said.buffer_unordered(RENEWED).collect::<()>().await;
    }

    fn is_in_trouble(&self) -> bool {
        self.inner.keeping.as_ref().is_some_and(Keeping::is_in_trouble)
    }

    /// Waits until this change is written down, where anything is.
    async fn kept(&self, change: u64) -> Result<(), NotKept> {
        match &self.inner.keeping {
            Some(keeping) => keeping.kept(change).await,
            None => Ok(()),
        }
    }

    /// Writes down whatever changes, for as long as the process lives.
    async fn keep(self, ledger: Arc<Ledger>) {
        let Some(keeping) = &self.inner.keeping else { return };
        loop {
            let is_last = keeping.is_wished().await;
            let (change, logouts, names) = {
                let state = self.state();
                (state.changes, state.voided.unsaved(), state.claims.unsaved())
            };
            keeping.wrote(change, self.write(&ledger, logouts, &names).await).await;
            if is_last {
                break;
            }
        }
        ledger.close().await;
    }

    async fn write(
        &self,
        ledger: &Ledger,
        logouts: Option<Unsaved>,
        names: &Changes,
    ) -> Result<(), sqlx::Error> {
        if let Some(logouts) = logouts {
            ledger.save(&logouts).await?;
            self.state().voided.saved(&logouts);
        }
        if !names.is_empty() {
            ledger.save_names(names).await?;
            self.state().claims.saved(names);
        }
        Ok(())
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
    use futures_util::future::join_all;
    use sqlx::{
        ConnectOptions as _, Executor as _, SqliteConnection, sqlite::SqliteConnectOptions,
    };
    use tempfile::TempDir;
    use tokio::time::{Instant, sleep};

    use super::*;
    use crate::{claims::GRACE, keeping::PATIENCE, numbering::Numbering, visitor::BrowserId};

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
        assert!(names.is_own(&ada, &countess.user).await && !names.is_own(&eve, &ada.user).await);

        let ended = Mutex::new(Vec::new());
        names
            .log_out(&countess, async |user| ended.lock().unwrap().push(user.to_string()))
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
            .log_out(&ada, async |user| {
                let state = names.state();
                let taken = state.claims.check(&user, eve.browser, now);
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
        names.log_out(&ada, async |user| panic!("{user} is another's")).await.unwrap();
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
        names.log_out(&ada, async |_| {}).await.unwrap();
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
        names.log_out(&gone, async |_| {}).await.unwrap();
        for _ in 0..110_000 {
            names.void(&enter()).unwrap();
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

    /// A file with names in it, and what they are written with.
    async fn kept(folder: &TempDir) -> (Names, Arc<Ledger>) {
        let path = folder.path().join("names.db");
        std::fs::write(&path, "").unwrap();
        let ledger = Arc::new(Ledger::open(&path).await.unwrap());
        (Names::kept_in(ledger.clone(), Clock::start(), usize::MAX).await.unwrap(), ledger)
    }

    /// Another program keeps everybody from writing.
    async fn locked(folder: &TempDir) -> SqliteConnection {
        let options = SqliteConnectOptions::new().filename(folder.path().join("names.db"));
        let mut other = options.connect().await.unwrap();
        other.execute("BEGIN IMMEDIATE").await.unwrap();
        other
    }

    #[tokio::test]
    async fn while_the_file_is_locked_everybody_is_refused_in_time_and_nobody_waits_for_others() {
        let folder = tempfile::tempdir().unwrap();
        let (names, _ledger) = kept(&folder).await;
        let own = visitor(&names, 0, "here before");
        names.claim(&own, None).await.unwrap();
        let mut other = locked(&folder).await;
        let began = Instant::now();
        let guests: Vec<_> = (1..=20).map(|n| visitor(&names, n, &format!("guest {n}"))).collect();
        let refused = join_all(guests.iter().map(|guest| names.claim(guest, None))).await;
        assert_eq!(refused, [Err(NotAllowed::NotKept); 20]);
        let together = began.elapsed();
        assert!(together < 2 * PATIENCE, "{together:?} for all of them");
        let late = names.claim(&visitor(&names, 21, "late"), None).await;
        assert_eq!(late, Err(NotAllowed::NotKept));
        assert!(
            began.elapsed() - together < PATIENCE / 2,
            "what is known to be in vain is not tried"
        );
        assert_eq!(names.claim(&own, None).await, Ok(()), "nothing has to be written for that");
        let logout = names.log_out(&own, async |_| {}).await;
        assert_eq!(logout, Err(NoLogout::NotKept));
        assert!(!names.is_logged_in(&own).await, "it holds in this process");

        other.execute("ROLLBACK").await.unwrap();
        while names.log_out(&own, async |_| {}).await.is_err() {
            sleep(Duration::from_millis(10)).await;
        }
        let eve = visitor(&names, 22, "guest 1");
        assert_eq!(
            names.claim(&eve, None).await,
            Ok(()),
            "the names of those who were refused are free"
        );
        // As after a crash: nothing more is written.
        let ledger = Ledger::open(&folder.path().join("names.db")).await.unwrap().into();
        let next = Names::kept_in(ledger, Clock::start(), usize::MAX).await.unwrap();
        assert_eq!(next.check(&own).await, Err(NotAllowed::LoggedOut));
        let two = Visitor { user: guests[1].user.clone(), ..visitor(&next, 23, "any") };
        assert_eq!(next.check(&two).await, Ok(()), "nor are they taken after a restart");
        assert_eq!(next.check(&Visitor { user: eve.user, ..two }).await, Err(NotAllowed::Taken));
    }

    #[tokio::test]
    async fn on_a_full_disk_everybody_is_refused_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let (names, ledger) = kept(&folder).await;
        ledger.tell("PRAGMA max_page_count = 1").await;
        let mut refused = None;
        // It takes some to fill the pages that there are.
        for number in 0..200 {
            let user = format!("{number}{}", "\u{1f600}".repeat(60));
            let guest = visitor(&names, number, &user);
            let began = Instant::now();
            if names.claim(&guest, None).await.is_err() {
                assert!(began.elapsed() < PATIENCE / 2, "{:?}", began.elapsed());
                refused = Some(guest);
                break;
            }
        }
        let refused = refused.expect("there is an end to every disk");
        ledger.tell("PRAGMA max_page_count = 1000").await;
        while names.claim(&refused, None).await.is_err() {
            sleep(Duration::from_millis(10)).await;
        }
    }

    #[tokio::test]
    async fn the_end_does_not_wait_for_a_file_that_is_locked() {
        let folder = tempfile::tempdir().unwrap();
        let (names, _ledger) = kept(&folder).await;
        let _other = locked(&folder).await;
        let ada = visitor(&names, 1, "ada");
        assert_eq!(names.claim(&ada, None).await, Err(NotAllowed::NotKept));
        let began = Instant::now();
        names.close().await;
        assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
    }

    #[tokio::test]
    async fn a_logout_that_cannot_be_noted_is_none() {
        let clock = Clock::start();
        let names = Names::new(
            clock,
            Voided::new(clock.now(), 0),
            Claims::new(bounds(usize::MAX)),
            None,
            None,
        );
        let ada = visitor(&names, 1, "ada");
        names.claim(&ada, None).await.unwrap();
        assert_eq!(
            names.log_out(&ada, async |user| panic!("{user} stays")).await,
            Err(NoLogout::Full)
        );
        assert!(names.is_own(&ada, &ada.user).await && names.is_logged_in(&ada).await);
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
