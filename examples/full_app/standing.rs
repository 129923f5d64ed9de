//! How this node stands with the others, for the operator's numbers.

use std::time::Duration;

use chatrooms::redis::RedisCluster;
use metrics::{describe_gauge, gauge};
use tokio::time::interval;
use tokio_util::task::AbortOnDropHandle;

/// How often it is looked at.
const LOOK: Duration = Duration::from_secs(1);

/// Shows it from here on, until this is dropped.
pub(crate) fn watch(cluster: RedisCluster) -> AbortOnDropHandle<()> {
    describe_gauge!(
        "full_app_cluster_node",
        "1 beside the name by which the other nodes know this one, 0 beside one that it had until it was declared dead."
    );
    describe_gauge!(
        "full_app_cluster_lease_age_seconds",
        "How long ago the other nodes last heard that this one lives: where it is a lease, this one writes nothing."
    );
    AbortOnDropHandle::new(tokio::spawn(async move {
        let (mut turns, mut known) = (interval(LOOK), cluster.node());
        loop {
            turns.tick().await;
            let name = cluster.node();
            if name != known {
                gauge!("full_app_cluster_node", "node" => std::mem::replace(&mut known, name.clone())).set(0.0);
            }
            gauge!("full_app_cluster_node", "node" => name).set(1.0);
            gauge!("full_app_cluster_lease_age_seconds").set(cluster.silence().as_secs_f64());
        }
    }))
}
