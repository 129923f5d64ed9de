//! Why a cluster could not be joined.

use std::{error::Error, sync::Arc};

/// Why a node could not join the cluster.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// The address is not one of Redis: `redis://`, `rediss://` or `unix://`.
    #[error("this is no address of a Redis")]
    Address(#[source] Arc<dyn Error + Send + Sync>),
    /// An address that asks for TLS, in a build without the feature `tls`.
    #[error("this address asks for TLS, which needs the feature `tls`")]
    NoTls,
    /// A setting makes no sense.
    #[error("{0}")]
    Setting(&'static str),
    /// Redis does not answer, or refuses.
    #[error("redis is unavailable")]
    Unavailable(#[source] Arc<dyn Error + Send + Sync>),
}
