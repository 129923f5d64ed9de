//! When a turn is waited for before a write, so that there are fewer and larger ones.

use std::{future::poll_fn, mem};

use chatrooms_core::{CloseReason, Outbox, Outgoing};
use tokio::task::yield_now;

use crate::shortcut::{Doze, Woken};

/// How many bytes are taken out of the outbox for one flush. More would only take memory: a socket's send buffer holds about as much.
pub(crate) const BATCH: usize = 64 * 1024;

/// So many turns are waited for in vain before that ends.
const PATIENCE: u8 = 8;

/// Takes what waits in an outbox, after everybody has run who is about to add to it. That is done for as long as it pays: what always comes by itself
/// would only be delayed.
#[derive(Debug)]
pub(crate) struct Gathering {
    patience: u8,
    /// So many frames were taken since it was asked whether that is much.
    told: usize,
}

impl Gathering {
    pub(crate) const fn new() -> Self {
        Self { patience: PATIENCE, told: 0 }
    }

    /// Waits until something is there and takes it. Where what comes is not waited for anyway, `doze` may have it written otherwise, until it says why that is over; nothing is
    /// taken where a write has begun that has to be ended.
    ///
    /// # Errors
    /// As [`Outbox::take`].
    ///
    /// # Cancel safety
    /// Nothing is taken unless it completes.
    pub(crate) async fn take(
        &mut self,
        outbox: &Outbox,
        doze: &impl Doze,
    ) -> Result<Vec<Outgoing>, CloseReason> {
        if self.patience == 0
            && doze.may_sleep(mem::take(&mut self.told))
            && poll_fn(|context| doze.poll_asleep(context)).await == Woken::Begun
        {
            return Ok(Vec::new());
        }
        let waiting = outbox.filled().await;
        if self.patience > 0 {
            yield_now().await;
        }
        let mut items = Vec::new();
        outbox.take(&mut items, BATCH).await?;
        let taken: usize = items.iter().map(Outgoing::frames).sum();
        // Where no turn was waited for, whatever is there beside the first has come together with it.
        let more_came = taken > if self.patience > 0 { waiting } else { 1 };
        self.told += taken;
        self.patience = if more_came { PATIENCE } else { self.patience.saturating_sub(1) };
        Ok(items)
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use chatrooms_core::{Identity, Join, Post, RoomName, RoomRegistry, UserName};
    use futures_util::FutureExt as _;

    use super::*;
    use crate::shortcut::Lightly;

    fn say(outbox: &Outbox, count: usize) {
        (0..count).for_each(|_| outbox.answer(Bytes::from_static(b"x")));
    }

    #[tokio::test]
    async fn what_is_added_in_the_same_turn_is_taken_with_the_rest() {
        let registry = RoomRegistry::new();
        let session = registry.open_session(Identity::new(UserName::new("ada").unwrap())).unwrap();
        let outbox = session.outbox();
        let mut gathering = Gathering::new();
        say(outbox, 1);
        let (taken, ()) = tokio::join!(gathering.take(outbox, &Lightly), async { say(outbox, 2) });
        assert_eq!(taken.unwrap().len(), 3);
    }

    #[tokio::test]
    async fn what_comes_by_itself_is_delayed_no_more_until_things_come_together_again() {
        let registry = RoomRegistry::new();
        let session = registry.open_session(Identity::new(UserName::new("ada").unwrap())).unwrap();
        let outbox = session.outbox();
        let mut gathering = Gathering::new();
        for _ in 0..PATIENCE {
            say(outbox, 1);
            assert!(
                gathering.take(outbox, &Lightly).now_or_never().is_none(),
                "it waits for a turn"
            );
            assert_eq!(gathering.take(outbox, &Lightly).await.unwrap().len(), 1);
        }
        for count in [1, 1, 2] {
            say(outbox, count);
            assert_eq!(
                gathering.take(outbox, &Lightly).now_or_never().unwrap().unwrap().len(),
                count
            );
        }
        say(outbox, 1);
        assert!(gathering.take(outbox, &Lightly).now_or_never().is_none(), "it waits again");
    }

    #[tokio::test]
    async fn what_comes_in_one_bundle_has_come_together() {
        let registry = RoomRegistry::new();
        let session = registry.open_session(Identity::new(UserName::new("ada").unwrap())).unwrap();
        let tea = RoomName::new("tea").unwrap();
        session.join(&tea, Join::default()).await.unwrap();
        let outbox = session.outbox();
        let mut gathering = Gathering { patience: 0, told: 0 };
        assert_eq!(gathering.take(outbox, &Lightly).now_or_never().unwrap().unwrap().len(), 1);
        let cork = session.cork();
        for body in ["one", "two"] {
            drop(session.send(&tea, Post::new(body)).await.unwrap());
        }
        drop(cork);
        assert_eq!(gathering.take(outbox, &Lightly).now_or_never().unwrap().unwrap().len(), 1);
        say(outbox, 1);
        assert!(gathering.take(outbox, &Lightly).now_or_never().is_none(), "it waits again");
    }
}
