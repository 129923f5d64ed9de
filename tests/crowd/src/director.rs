//! Who ends an episode: comes when everybody rests, says the last word, and goes last.

use std::{sync::Arc, time::Duration};

use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::{
    episode::{ROOMS, Shared, Stage},
    socket::{Ended, Frame, Socket},
};

/// What everybody waits for who rests.
pub(crate) const LAST_WORD: &str = "(that was all)";
/// Those who have vanished are missed within this time, the silent ones included, also by a machine that sleeps in between.
const MISSED: Duration = Duration::from_secs(120);
const POLL: Duration = Duration::from_millis(100);

#[derive(Debug)]
pub(crate) struct Director {
    shared: Arc<Shared>,
    socket: Socket,
    /// The lives that it is in.
    epochs: Vec<Option<String>>,
}

impl Director {
    pub(crate) async fn enter(shared: &Arc<Shared>) -> Result<Self, String> {
        let Stage { plan, house, .. } = &shared.stage;
        let socket = Socket::open(shared, plan.director(*house), false).await;
        let socket = socket.map_err(told)?;
        let mut director = Self { shared: Arc::clone(shared), socket, epochs: Vec::new() };
        director.epochs = director.join().await?;
        Ok(director)
    }

    /// Joins all rooms; the lives that it is in then.
    async fn join(&mut self) -> Result<Vec<Option<String>>, String> {
        let mut epochs = Vec::new();
        for place in 0..ROOMS {
            let room = self.shared.stage.room(place);
            epochs.push(self.granted(json!({"type": "join", "room": room})).await?.epoch);
        }
        Ok(epochs)
    }

    /// Waits until there are so many connections in each room beside its own.
    pub(crate) async fn finds(&mut self, expected: &[usize; ROOMS]) -> Result<(), String> {
        let by = Instant::now() + MISSED;
        loop {
            let found = self.connections().await?;
            if found == *expected {
                return Ok(());
            }
            if Instant::now() > by {
                return Err(format!("{found:?} connections in its rooms instead of {expected:?}"));
            }
            sleep(POLL).await;
        }
    }

    async fn connections(&mut self) -> Result<[usize; ROOMS], String> {
        let mut found = [0; ROOMS];
        for (place, found) in found.iter_mut().enumerate() {
            let room = self.shared.stage.room(place);
            let answer = self.granted(json!({"type": "members", "room": room})).await?;
            let all: usize = answer.members.iter().map(|member| member.connections).sum();
            *found = all.saturating_sub(1);
        }
        Ok(found)
    }

    pub(crate) async fn has_the_last_word(&mut self) -> Result<(), String> {
        for place in 0..ROOMS {
            let room = self.shared.stage.room(place);
            let send = json!({"type": "send", "room": room, "body": LAST_WORD, "nonce": "last"});
            self.granted(send).await?;
        }
        Ok(())
    }

    /// Is the last one to go, and finds other rooms by the same names.
    pub(crate) async fn sees_the_rooms_end(mut self) -> Result<(), String> {
        for place in 0..ROOMS {
            let room = self.shared.stage.room(place);
            self.granted(json!({"type": "leave", "room": room})).await?;
        }
        let before = std::mem::take(&mut self.epochs);
        let after = self.join().await?;
        if before.iter().any(|epoch| after.contains(epoch)) {
            return Err(format!("a life goes on without anybody: {before:?}, {after:?}"));
        }
        for place in 0..ROOMS {
            let room = self.shared.stage.room(place);
            self.granted(json!({"type": "leave", "room": room})).await?;
        }
        match self.socket.close().await.why.as_str() {
            "1000" => Ok(()),
            other => Err(format!("the director's socket ended by {other}")),
        }
    }

    /// Asks again as long as the store is in trouble.
    async fn granted(&mut self, request: Value) -> Result<Frame, String> {
        let by = Instant::now() + MISSED;
        loop {
            let id = self.socket.ask(request.clone()).await.map_err(told)?;
            let answer = self.socket.answer(id).await.map_err(told)?;
            match answer.code.as_deref() {
                None => return Ok(answer),
                Some("store_unavailable" | "outcome_unknown" | "rate_limited" | "busy")
                    if Instant::now() < by =>
                {
                    sleep(POLL).await;
                }
                Some(code) => return Err(format!("the director: {request}: {code}")),
            }
        }
    }
}

fn told(ended: Ended) -> String {
    format!("the director: {}", ended.why)
}
