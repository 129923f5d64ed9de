//! The rules of the house: what becomes of a message before anybody sees it.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use chatrooms::{
    Draft, Error, Identity, RoomName, RoomPolicy, RoomRegistry, RoomRules, StoreError, async_trait,
};

use crate::{guests::is_moderator, orders::Order, words};

/// How long everybody waits after a message in a quiet room.
const QUIET: Duration = Duration::from_secs(30);

#[derive(Clone, Debug, Default)]
pub(crate) struct House {
    /// Where orders are carried out. It is there as soon as there are rooms; they and their policy hold each other for as long as the process lives.
    registry: Arc<OnceLock<RoomRegistry>>,
}

impl House {
    /// Rooms with these rules.
    pub(crate) async fn open() -> Result<RoomRegistry, StoreError> {
        let house = Self::default();
        let registry = RoomRegistry::builder().policy(house.clone()).start().await?;
        Ok(house.registry.get_or_init(|| registry).clone())
    }

    /// Carries out what a moderator says, and gives back what everybody is told of it.
    async fn obey(&self, who: &Identity, room: &RoomName, line: &str) -> Result<String, Error> {
        if !is_moderator(who) {
            return Err(Error::Forbidden);
        }
        let order = Order::parse(line).ok_or_else(|| refusal("x-unknown-order", Order::HELP))?;
        order.carry_out(self.registry.get().ok_or(Error::Internal)?, room).await
    }
}

#[async_trait]
impl RoomPolicy for House {
    async fn before_publish(
        &self,
        who: &Identity,
        room: &RoomName,
        mut draft: Draft,
    ) -> Result<Draft, Error> {
        // Nobody looks through data for words, and the page shows none.
        draft.data = None;
        if let Some(line) = draft.body.strip_prefix('/') {
            draft.body = self.obey(who, room, line).await?.into();
        } else if words::has_link(&draft.body) && !is_moderator(who) {
            return Err(refusal("x-no-links", "no links here, please"));
        } else {
            draft.body = words::softened(&draft.body).into();
        }
        Ok(draft)
    }

    async fn may_redact(&self, who: &Identity, _: &RoomName, _: u64) -> Result<(), Error> {
        if is_moderator(who) { Ok(()) } else { Err(Error::Forbidden) }
    }

    async fn open_room(&self, room: &RoomName, mut rules: RoomRules) -> Result<RoomRules, Error> {
        if room.as_str().starts_with("quiet ") {
            rules.slow_mode = QUIET;
        }
        Ok(rules)
    }
}

fn refusal(code: &'static str, message: &'static str) -> Error {
    Error::Refused { code: code.into(), message: message.into() }
}
