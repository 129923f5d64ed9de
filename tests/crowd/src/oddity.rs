//! What people's machines do that nobody means: they stop reading, or fall silent.

use std::time::Duration;

use serde_json::json;
use tokio::time::{Instant, sleep, timeout};

use crate::{
    dice::Dice,
    episode::Shared,
    socket::{Ended, Socket},
};

/// Half of what may wait is there, and nothing is taken for 5 s: then a server lets go.
const DEAF: Duration = Duration::from_secs(8);
/// In shorter episodes nobody falls silent, because everybody would wait for them.
const LONG: Duration = Duration::from_secs(45);
/// What a deaf one asks for is more than may wait for it.
const QUESTIONS: usize = 400;
const HISTORY: usize = 200;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Oddity {
    /// It asks for much and reads nothing of it.
    Deaf,
    /// It answers nothing, as if it had lost its network.
    Silent,
}

impl Oddity {
    /// What a visit becomes that is about to begin, `left` before everybody rests.
    pub(crate) fn befalls(dice: &mut Dice, is_new: bool, left: Duration) -> Option<Self> {
        if is_new && left > LONG && dice.in_a_hundred(2) {
            return Some(Self::Silent);
        }
        dice.in_a_hundred(2).then_some(Self::Deaf)
    }

    pub(crate) async fn visit(
        self,
        shared: &Shared,
        cookie: &str,
        dice: &mut Dice,
    ) -> Result<(), Ended> {
        let (stage, is_deaf) = (&shared.stage, self == Self::Deaf);
        let mut socket = Socket::open(shared, cookie, is_deaf).await?;
        let room = stage.room(0);
        let id = socket.ask(json!({"type": "join", "room": room})).await?;
        if socket.answer(id).await?.kind == "error" {
            socket.reset();
            return Ok(());
        }
        let ended = match self {
            Self::Deaf => {
                stage.counts.add("deaf");
                let history = json!({"type": "history", "room": room, "limit": HISTORY});
                let asking = async {
                    for _ in 0..QUESTIONS {
                        socket.say(&history).await?;
                    }
                    Ok(())
                };
                let until = Instant::now() + DEAF;
                // A server that has let go takes nothing, and one that has enough to do takes no more.
                match timeout(DEAF, asking).await {
                    Ok(Err(ended)) => ended,
                    _ => {
                        sleep(until.saturating_duration_since(Instant::now())).await;
                        if dice.in_a_hundred(50) {
                            socket.reset();
                            return Ok(());
                        }
                        socket.close().await
                    }
                }
            }
            Self::Silent => {
                stage.counts.add("silent");
                sleep(stage.plan.silent).await;
                socket.rest().await
            }
        };
        match (self, ended.why.as_str()) {
            // It answers the close of one that is well.
            (Self::Deaf, "1000") => Ok(()),
            // The bye does not reach everybody.
            (Self::Deaf, "slow_consumer" | "lost") => {
                stage.counts.add("deaf ones let go");
                Ok(())
            }
            (Self::Silent, "heartbeat_timeout" | "lost") => {
                stage.counts.add("silent ones let go");
                Ok(())
            }
            _ => Err(ended),
        }
    }
}
