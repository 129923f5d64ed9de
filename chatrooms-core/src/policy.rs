//! The host's say in what happens in rooms.

use std::{fmt, pin::pin};

use async_trait::async_trait;

use crate::{
    Draft, Epoch, Error, Identity, RoomEnd, RoomName, RoomRules,
    shared::Shared,
    sync::{guarded, in_time, millis},
};

/// The host's rules. Every hook allows by default, so that a policy says only what it cares about.
///
/// Hooks run outside of every lock and outside of the room: what they decide on may have changed when they answer, and membership is
/// checked again afterwards. A hook that takes longer than [`Config::policy_timeout`](crate::Config::policy_timeout) or panics
/// is answered with [`Error::Internal`] and harms that one request.
///
/// ```
/// use chatrooms_core::{Draft, Error, Identity, RoomName, RoomPolicy, async_trait};
///
/// #[derive(Debug)]
/// struct Polite;
///
/// #[async_trait]
/// impl RoomPolicy for Polite {
///     async fn before_publish(&self, _: &Identity, _: &RoomName, draft: Draft) -> Result<Draft, Error> {
///         if draft.body.contains("darn") {
///             return Err(Error::Refused { code: "x-impolite".into(), message: "mind your words".into() });
///         }
///         Ok(draft)
///     }
/// }
/// ```
#[async_trait]
pub trait RoomPolicy: fmt::Debug + Send + Sync + 'static {
    /// May this user be in this room? Also asked before somebody without a socket reads it or posts to it.
    ///
    /// # Errors
    /// [`Error::Forbidden`], or [`Error::Refused`] with a code of the host's own.
    async fn may_join(&self, _who: &Identity, _room: &RoomName) -> Result<(), Error> {
        Ok(())
    }

    /// May a life of this room begin, and by which rules? They come as the configuration has them. Also asked for the rooms that an earlier
    /// process has left behind, for [`RoomRules::linger`]: one that is refused is purged. Over a cluster each node asks for itself, before it takes part in the room; whatever this hook asked the registry about that same
    /// room would wait for this hook.
    ///
    /// # Errors
    /// Whatever everybody is answered who waits for the room: [`Error::Forbidden`], [`Error::NotFound`], or [`Error::Refused`] with a code of the
    /// host's own.
    async fn open_room(&self, _room: &RoomName, rules: RoomRules) -> Result<RoomRules, Error> {
        Ok(rules)
    }

    /// The first one is in a room, whose life has begun with them. Nobody waits for this.
    async fn room_opened(&self, _by: &Identity, _room: &RoomName, _epoch: Epoch) {}

    /// A life of a room is over; the next one may have begun already. It comes after [`room_opened`](Self::room_opened) of the same life, and nobody
    /// waits for this but a shutdown, for as long as it has time.
    async fn room_closed(&self, _room: &RoomName, _epoch: Epoch, _reason: RoomEnd) {}

    /// May this message pass, and as what? What it is made into is held to the same bounds as what it was.
    ///
    /// # Errors
    /// [`Error::Forbidden`], or [`Error::Refused`] with a code of the host's own.
    async fn before_publish(
        &self,
        _who: &Identity,
        _room: &RoomName,
        draft: Draft,
    ) -> Result<Draft, Error> {
        Ok(draft)
    }

    /// May this user take back what somebody else wrote? Authors always may take back their own. By default nobody else may.
    ///
    /// # Errors
    /// [`Error::Forbidden`], or [`Error::Refused`] with a code of the host's own.
    async fn may_redact(&self, _who: &Identity, _room: &RoomName, _seq: u64) -> Result<(), Error> {
        Err(Error::Forbidden)
    }
}

/// Asks a hook, whatever the hook does.
pub(crate) async fn ask<T>(
    shared: &Shared,
    hook: &'static str,
    asked: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    let (limit, metrics) = (shared.config.policy_timeout, &shared.metrics);
    let stopwatch = metrics.policy.start();
    let answer = in_time(limit, pin!(guarded(asked))).await;
    metrics.policy.record(hook, stopwatch);
    match answer {
        Some(Some(Err(Error::Refused { code, message }))) if !is_a_hosts(&code) => {
            Err(Error::Refused { code: "forbidden".into(), message })
        }
        Some(Some(answer)) => answer,
        Some(None) => {
            metrics.policy_failures.count("panicked");
            tracing::error!(
                name: "policy_panicked",
                target: "chatrooms_core",
                hook,
                "the policy panicked"
            );
            Err(Error::Internal)
        }
        None => {
            metrics.policy_failures.count("timed_out");
            tracing::error!(
                name: "policy_timed_out",
                target: "chatrooms_core",
                hook,
                limit_ms = millis(limit),
                "the policy did not answer in time"
            );
            Err(Error::Internal)
        }
    }
}

/// Whether a policy may give this code: the other ones promise what only the rooms can keep.
fn is_a_hosts(code: &str) -> bool {
    code.starts_with("x-") || code == "bad_request"
}
