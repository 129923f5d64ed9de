//! Which events clients may send.

use std::sync::{Arc, OnceLock};

use chatrooms::{
    AppEvent as _, Draft, Error, Identity, RoomName, RoomPolicy, RoomRegistry, StoreError,
    UserName, async_trait,
};

use crate::{poll::Poll, tally::Tallies};

#[derive(Clone, Debug)]
pub(crate) struct Rules {
    tallies: Tallies,
    /// Where polls are looked up. It is there as soon as there are rooms.
    registry: Arc<OnceLock<RoomRegistry>>,
}

/// A poll as it was asked.
struct Asked {
    by: Option<UserName>,
    options: Vec<String>,
}

impl Rules {
    /// Rooms with these rules.
    pub(crate) async fn open(tallies: Tallies) -> Result<RoomRegistry, StoreError> {
        let rules = Self { tallies, registry: Arc::default() };
        let registry = RoomRegistry::builder().policy(rules.clone()).start().await?;
        Ok(rules.registry.get_or_init(|| registry).clone())
    }

    /// The text beside an event, for clients that know no polls; or why the event may not be.
    async fn judge(&self, who: &Identity, room: &RoomName, event: &Poll) -> Result<String, Error> {
        match event {
            Poll::Ask { question, options } => {
                let is_sound = (2..=6).contains(&options.len());
                if is_sound && options.iter().chain([question]).all(|text| !text.trim().is_empty())
                {
                    return Ok(event.body().into_owned());
                }
                Err(refusal("x-no-poll", "a poll is a question and two to six options"))
            }
            Poll::Vote { poll, option } => {
                let asked = self.asked(room, *poll).await?;
                let option = asked.options.get(*option);
                let option = option.ok_or_else(|| refusal("x-no-such-option", "no such option"))?;
                // What comes in time and is stored too late is not counted: the order of the messages has the last word.
                if self.tallies.has_ended(room, *poll) {
                    return Err(refusal("x-poll-closed", "this poll is closed"));
                }
                Ok(format!("votes for {option}"))
            }
            Poll::Close { poll } => {
                let is_asker = self.asked(room, *poll).await?.by.as_ref() == Some(who.user());
                if is_asker { Ok(event.body().into_owned()) } else { Err(Error::Forbidden) }
            }
            Poll::Result { .. } => Err(Error::Forbidden),
        }
    }

    /// Read from the room itself, because a tally may not have heard yet of what a quick client votes on.
    async fn asked(&self, room: &RoomName, poll: u64) -> Result<Asked, Error> {
        let registry = self.registry.get().ok_or(Error::Internal)?;
        let page = registry.history(room, Some(poll.saturating_add(1)), 1).await?;
        let message = page.messages.into_iter().find(|message| message.seq == poll);
        let event = message.as_ref().map(|message| message.decode()).transpose()?.flatten();
        match (message, event) {
            (Some(message), Some(Poll::Ask { options, .. })) => {
                Ok(Asked { by: message.draft.user.clone(), options })
            }
            _ => Err(refusal("x-no-such-poll", "no such poll")),
        }
    }
}

#[async_trait]
impl RoomPolicy for Rules {
    async fn before_publish(
        &self,
        who: &Identity,
        room: &RoomName,
        mut draft: Draft,
    ) -> Result<Draft, Error> {
        // What calls itself a poll and is none is answered by `bad_request`.
        if let Some(event) = draft.decode::<Poll>()? {
            draft.body = self.judge(who, room, &event).await?.into();
        }
        Ok(draft)
    }
}

fn refusal(code: &'static str, message: &'static str) -> Error {
    Error::Refused { code: code.into(), message: message.into() }
}
