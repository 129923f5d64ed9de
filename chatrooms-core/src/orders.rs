//! What this node has to say to the others about users, and what they say to it.

use std::time::Duration;

use tokio::{
    sync::{mpsc, oneshot},
    time::sleep,
};

use crate::{
    Cluster, Order, OrderId,
    shared::Shared,
    sync::{AbortOnDropHandle, Arc, Handle, guarded, lock},
};

/// What may wait to be said while the cluster is away.
const WAITING: usize = 10_000;
const FIRST_RETRY: Duration = Duration::from_millis(50);
const LAST_RETRY: Duration = Duration::from_secs(1);

/// Where orders wait to be said to the other nodes, each with whoever wants to know what it is called.
pub(crate) type Orders = mpsc::Sender<(Order, oneshot::Sender<OrderId>)>;

impl Shared {
    /// Says something to the other nodes, where there are any, however often that has to be tried. What comes back tells when it was said, or that it never will be.
    pub(crate) fn order(
        &self,
        order: impl FnOnce() -> Order,
    ) -> Option<oneshot::Receiver<OrderId>> {
        let orders = lock(&self.orders).clone()?;
        let (saying, said) = oneshot::channel();
        if orders.try_send((order(), saying)).is_err() {
            tracing::error!(
                name: "order_lost",
                target: "chatrooms_core",
                "other nodes could not be told of a logout or a notice: too much waits for the cluster"
            );
        }
        Some(said)
    }

    /// Does what another node has ordered.
    fn obey(self: &Arc<Self>, id: OrderId, order: Order) {
        match order {
            Order::EndSessions { user, reason } => {
                // What is left of it need not be done before the next one.
                Handle::current().spawn(self.log_out_for(id, &user, &reason));
            }
            Order::Notify { user, name, data } => _ = self.notify(&user, name, data),
        }
    }
}

/// Begins to say and to obey orders, where there is a cluster.
pub(crate) fn begin(shared: &Arc<Shared>) {
    let Some(cluster) = shared.cluster.clone() else { return };
    let (orders, waiting) = mpsc::channel(WAITING);
    *lock(&shared.orders) = Some(orders);
    let say = Handle::current().spawn(say(Arc::clone(&cluster), waiting));
    let by = Arc::downgrade(shared);
    let obey = Handle::current().spawn(async move {
        while let Some((id, order)) = cluster.ordered().await {
            let Some(shared) = by.upgrade() else { return };
            shared.obey(id, order);
        }
    });
    let tasks = [say, obey].map(AbortOnDropHandle::new);
    lock(&shared.mourning).extend(tasks);
}

async fn say(
    cluster: Arc<dyn Cluster>,
    mut waiting: mpsc::Receiver<(Order, oneshot::Sender<OrderId>)>,
) {
    while let Some((order, saying)) = waiting.recv().await {
        let mut retry = FIRST_RETRY;
        // What makes the cluster panic would do so again.
        while let Some(said) = guarded(async { cluster.order(&order).await }).await {
            if let Ok(id) = said {
                // Most do not want to know.
                let _ = saying.send(id);
                break;
            }
            sleep(retry).await;
            retry = (retry * 2).min(LAST_RETRY);
        }
    }
}
