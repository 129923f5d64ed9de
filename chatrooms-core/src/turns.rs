//! Whose turn it is to read from the store.

use std::time::Duration;

use tokio::{sync::Semaphore, time::timeout};

use crate::{
    Error, UserName,
    sync::{Arc, Map},
};

/// Has each user read so many pages at a time, over all of their sessions; the others wait for one of these to end.
///
/// A store answers those first who have asked first. Without this, whoever asks for a thousand pages has everybody else wait for a thousand.
pub(crate) struct Turns {
    at_a_time: usize,
    /// Only the users who read or wait. No guard of it is held over an await.
    users: Map<UserName, Arc<Semaphore>>,
}

/// What a refused user is told to wait.
const RETRY_AFTER: Duration = Duration::from_secs(1);

impl Turns {
    pub(crate) fn new(at_a_time: usize) -> Self {
        let at_a_time = at_a_time.clamp(1, Semaphore::MAX_PERMITS);
        Self { at_a_time, users: Map::default() }
    }

    /// Does it when it is this user's turn, for which they wait so long at most.
    ///
    /// # Errors
    /// [`Error::RateLimited`] where that was too short.
    pub(crate) async fn take<T>(
        &self,
        user: &UserName,
        patience: Duration,
        read: impl Future<Output = T>,
    ) -> Result<T, Error> {
        let place = self.stand_in_line(user);
        let Ok(_turn) = timeout(patience, place.line.acquire()).await else {
            return Err(Error::RateLimited { retry_after: RETRY_AFTER });
        };
        Ok(read.await)
    }

    fn stand_in_line<'a>(&'a self, user: &'a UserName) -> Place<'a> {
        let line = match self.users.get(user) {
            Some(line) => Arc::clone(&line),
            None => {
                let line = self.users.entry(user.clone());
                Arc::clone(&line.or_insert_with(|| Arc::new(Semaphore::new(self.at_a_time))))
            }
        };
        Place { turns: self, user, line }
    }
}

/// A user's place in their line, for as long as it is there; the last one takes the line away.
struct Place<'a> {
    turns: &'a Turns,
    user: &'a UserName,
    line: Arc<Semaphore>,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        // Only the map's own and this one are left, and nobody comes to it while the map is held.
        let is_last =
            |line: &Arc<Semaphore>| Arc::ptr_eq(line, &self.line) && Arc::strong_count(line) == 2;
        self.turns.users.remove_if(self.user, |_, line| is_last(line));
    }
}

#[cfg(test)]
mod tests {
    use std::{future::pending, pin::pin};

    use futures_util::FutureExt as _;

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(5);

    #[tokio::test(start_paused = true)]
    async fn a_user_who_asks_for_much_waits_for_themselves_and_nobody_else_does() {
        let turns = Turns::new(2);
        let [ada, bob] = ["ada", "bob"].map(|name| UserName::new(name).unwrap());
        let take = |user, read| turns.take(user, PATIENCE, read);
        let mut first = Box::pin(take(&ada, pending::<()>().boxed()));
        let mut second = Box::pin(take(&ada, pending().boxed()));
        assert!(
            first.as_mut().now_or_never().is_none() && second.as_mut().now_or_never().is_none()
        );
        let mut third = pin!(take(&ada, async {}.boxed()));
        assert!(third.as_mut().now_or_never().is_none());
        assert_eq!(take(&bob, async {}.boxed()).now_or_never(), Some(Ok(())));
        drop(first);
        assert_eq!(third.now_or_never(), Some(Ok(())));
        drop(second);
        assert!(turns.users.is_empty(), "who reads nothing is forgotten");
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_waits_too_long_is_told_to_ask_less_and_leaves_no_line_behind() {
        let turns = Turns::new(1);
        let ada = UserName::new("ada").unwrap();
        let mut first = Box::pin(turns.take(&ada, PATIENCE, pending::<()>()));
        assert!(first.as_mut().now_or_never().is_none());
        let late = turns.take(&ada, PATIENCE, async {}).await;
        assert_eq!(late, Err(Error::RateLimited { retry_after: RETRY_AFTER }));
        let mut gives_up = Box::pin(turns.take(&ada, PATIENCE, async {}));
        assert!(gives_up.as_mut().now_or_never().is_none());
        drop(first);
        drop(gives_up);
        assert!(turns.users.is_empty());
    }
}
