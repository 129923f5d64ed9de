//! How messages are read from the store for those who ask for older ones.

use tokio::time::timeout;

use crate::{Budget, Error, Life, Page, StoreError, UserName, cost, room::Room, shared::Shared};

impl Room {
    /// The messages before `before` (exclusive), or the newest, as far as they have been delivered: what is not told yet will be.
    pub(crate) async fn history(
        &self,
        before: Option<u64>,
        limit: usize,
        shared: &Shared,
    ) -> Result<Page, Error> {
        let (life, head) = self.ask(|live| (live.life.clone(), live.head))?;
        let config = &shared.config;
        let budget =
            Budget { messages: limit.min(config.history).max(1), bytes: config.whole_reply() };
        let before = before.map_or(head + 1, |before| before.min(head + 1));
        let reading = async { shared.store.read_before(&life, Some(before), budget).await };
        let page = read(shared, &life, reading).await?;
        Ok(fitting(page, config.whole_reply()))
    }

    /// The same on behalf of a user, when it is their turn.
    pub(crate) async fn history_for(
        &self,
        user: &UserName,
        before: Option<u64>,
        limit: usize,
        shared: &Shared,
    ) -> Result<Page, Error> {
        let read = self.history(before, limit, shared);
        shared.turns.take(user, shared.config.store_timeout, read).await?
    }
}

/// As many of the newest messages as the answer has room for.
fn fitting(mut page: Page, bytes: usize) -> Page {
    let mut left = bytes;
    let fits = page.messages.iter().rev().take_while(|message| {
        let cost = cost::message(message);
        let fits = cost <= left;
        left = left.saturating_sub(cost);
        fits
    });
    let too_many = page.messages.len() - fits.count();
    if too_many > 0 {
        page.messages.drain(..too_many);
        page.more = true;
    }
    page
}

/// Reads from the store, for so long as it may take.
pub(crate) async fn read(
    shared: &Shared,
    life: &Life,
    reading: impl Future<Output = Result<Page, StoreError>>,
) -> Result<Page, Error> {
    match timeout(shared.config.store_timeout, reading).await {
        Ok(Ok(page)) => Ok(page),
        Ok(Err(StoreError::Closed)) => Err(Error::NotFound),
        Ok(Err(_)) => Err(Error::StoreUnavailable),
        Err(_) => {
            shared.store_timed_out("read", Some(&life.room));
            Err(Error::StoreUnavailable)
        }
    }
}
