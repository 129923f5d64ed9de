//! A node that is asked about a room of other nodes takes part in it for the moment: by that everything that a host asks and does goes the same way, wherever the people are.

use std::{ops::Deref, pin::pin};

use tokio::time::timeout;

use crate::{
    ClusterError, Error, RoomName,
    room::{Arrival, NoEntry, Room},
    shared::Shared,
    sync::{Arc, guarded, in_time},
};

/// A room for somebody who asks about it. One of a cluster is kept here for as long as this is held, also where all of its people are elsewhere.
#[derive(Debug)]
pub(crate) struct Here<'a> {
    room: Arc<Room>,
    _kept: Option<Arrival<'a>>,
    /// Whether it was looked at in the cluster just now.
    is_up_to_date: bool,
}

impl Here<'_> {
    /// As [`Room::catch_up`].
    pub(crate) async fn catch_up(&self, shared: &Shared) {
        if !self.is_up_to_date {
            self.room.catch_up(shared).await;
        }
    }
}

impl Deref for Here<'_> {
    type Target = Arc<Room>;

    fn deref(&self) -> &Arc<Room> {
        &self.room
    }
}

impl Shared {
    /// The room of that name, whether somebody is in it or it lingers.
    pub(crate) async fn here(self: &Arc<Self>, name: &RoomName) -> Result<Here<'_>, Error> {
        if self.cluster.is_some() {
            return Box::pin(self.follow(name)).await;
        }
        let room = self.find(name).ok_or(Error::NotFound)?;
        Ok(Here { room, _kept: None, is_up_to_date: true })
    }

    async fn follow(self: &Arc<Self>, name: &RoomName) -> Result<Here<'_>, Error> {
        loop {
            // A shutdown waits for those that are there, and for no more of them.
            if self.is_stopping() && self.find(name).is_none() {
                return Err(Error::ShuttingDown);
            }
            let arrival = self.arrive(name, None)?;
            // Where somebody of this node is, what happens there is heard here.
            let is_heard = arrival.room.live(|live| live.is_nobodys_here()) == Some(false);
            if !is_heard {
                let unavailable = Err(NoEntry::Refused(Error::StoreUnavailable));
                match in_time(self.patience(), pin!(arrival.follow())).await.unwrap_or(unavailable)
                {
                    Ok(()) => {}
                    Err(NoEntry::Over) => continue,
                    Err(NoEntry::Refused(error)) => return Err(error),
                }
            }
            let room = Arc::clone(&arrival.room);
            return Ok(Here { room, _kept: Some(arrival), is_up_to_date: !is_heard });
        }
    }

    /// Asks the cluster something, for so long as it may take.
    pub(crate) async fn asked<T>(
        &self,
        room: Option<&RoomName>,
        asking: impl Future<Output = Result<T, ClusterError>> + Send,
    ) -> Result<T, Error> {
        match timeout(self.config.store_timeout, guarded(asking)).await {
            Ok(Some(Ok(answer))) => Ok(answer),
            // One that panics is one that is away.
            Ok(_) => Err(Error::StoreUnavailable),
            Err(_) => {
                self.store_timed_out("read", room);
                Err(Error::StoreUnavailable)
            }
        }
    }
}
