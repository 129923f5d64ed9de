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
/// A ping after 25 s, and 10 s for its answer: then a server lets go.
const SILENT: Duration = Duration::from_secs(45);
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
        if is_new && left > SILENT && dice.in_a_hundred(2) {
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
        let mut socket = Socket::open(stage.plan.address, cookie, &shared.run, is_deaf).await?;
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
                sleep(SILENT).await;
                let ended = socket.rest().await;
                if !matches!(ended.why.as_str(), "heartbeat_timeout" | "lost") {
                    return Err(ended);
                }
                ended
            }
        };
        match ended.why.as_str() {
            "slow_consumer" => stage.counts.add("deaf ones let go"),
            "heartbeat_timeout" => stage.counts.add("silent ones let go"),
            // A bye may not have reached it, and one that has had little to read goes as it likes.
            "lost" | "1000" => {}
            _ => return Err(ended),
        }
        Ok(())
    }
}
