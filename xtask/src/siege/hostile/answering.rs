//! Is told to go, and does not answer.

use std::time::Duration;

use super::{super::wire::User, attack::Attack};

/// For the answer to a close, and for what is still on its way.
const CLOSE_TIME: Duration = Duration::from_secs(5 + 1);

pub(super) const NEVER_A_CLOSE: Attack = Attack {
    name: "never answering the close",
    answer: "4501, then cut off within 6 s",
    takes: Duration::from_secs(8),
    round: |attacker| {
        let user = User::enter(attacker.target(), &format!("{} stubborn", attacker.user.name))?;
        let socket = user.open()?;
        user.ask(&user.request("POST", "/logout"))?.is(303)?;
        socket.hangs_up(4501, CLOSE_TIME)
    },
};
