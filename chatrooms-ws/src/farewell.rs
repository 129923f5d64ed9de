//! How a session's end is put to its client.

use std::time::Duration;

use bytes::Bytes;
use chatrooms_core::CloseReason;

use crate::{
    framing::encode,
    response::{Frame, millis},
};

/// How a session's end is put to its client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Farewell {
    pub(crate) close: u16,
    code: &'static str,
    reason: &'static str,
    reconnect: bool,
    after: Duration,
}

impl Farewell {
    /// `None` where there is nobody to say it to.
    pub(crate) fn new(reason: &CloseReason) -> Option<Self> {
        let (close, code, reason, after) = match reason {
            CloseReason::Gone => return None,
            CloseReason::ShuttingDown { after } => {
                (1001, "shutting_down", "the server is shutting down", *after)
            }
            CloseReason::SlowConsumer => {
                (4000, "slow_consumer", "too much was waiting for you", SOON)
            }
            CloseReason::HeartbeatTimeout => {
                (4001, "heartbeat_timeout", "nothing was heard of you", Duration::ZERO)
            }
            CloseReason::Moved => (4002, "moved", "this session is being moved", Duration::ZERO),
            CloseReason::Unauthorized => {
                (4500, "unauthorized", "your credentials have ended", Duration::ZERO)
            }
            CloseReason::LoggedOut => (4501, "logged_out", "you have logged out", Duration::ZERO),
            CloseReason::Kicked => (4502, "kicked", "you have been removed", Duration::ZERO),
            CloseReason::Banned => (4503, "banned", "you have been banned", Duration::ZERO),
            CloseReason::Abuse => (4504, "abuse", "the protocol was abused", Duration::ZERO),
            _ => (1011, "internal", "something went wrong", SOON),
        };
        Some(Self { close, code, reason, reconnect: close < 4500, after })
    }

    pub(crate) fn frame(&self) -> Bytes {
        let Self { code, reason, reconnect, after, .. } = *self;
        encode(&Frame::Bye { code, reason, reconnect, after_ms: millis(after) })
    }

    pub(crate) const fn name(&self) -> &'static str {
        self.code
    }
}

const SOON: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::framing::text;

    #[test]
    fn every_end_has_its_code_and_says_whether_to_come_back() {
        let after = Duration::from_millis(1234);
        for (reason, close, code, reconnect) in [
            (CloseReason::ShuttingDown { after }, 1001, "shutting_down", true),
            (CloseReason::Internal, 1011, "internal", true),
            (CloseReason::SlowConsumer, 4000, "slow_consumer", true),
            (CloseReason::HeartbeatTimeout, 4001, "heartbeat_timeout", true),
            (CloseReason::Moved, 4002, "moved", true),
            (CloseReason::Unauthorized, 4500, "unauthorized", false),
            (CloseReason::LoggedOut, 4501, "logged_out", false),
            (CloseReason::Kicked, 4502, "kicked", false),
            (CloseReason::Banned, 4503, "banned", false),
            (CloseReason::Abuse, 4504, "abuse", false),
        ] {
            let farewell = Farewell::new(&reason).unwrap();
            let bye: serde_json::Value = serde_json::from_slice(&text(&farewell.frame())).unwrap();
            assert_eq!((farewell.close, bye["code"].as_str()), (close, Some(code)));
            assert_eq!(bye["reconnect"], reconnect, "{code}");
            assert_eq!(bye["after_ms"] == 1234, close == 1001, "{code}");
        }
        assert_eq!(Farewell::new(&CloseReason::Gone), None);
    }
}
