//! What can happen to a poll.

use std::borrow::Cow;

use chatrooms::AppEvent;
use serde::{Deserialize, Serialize};

/// On the wire it is the data of a message: `{"poll":{"vote":{"poll":3,"option":0}}}`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Poll {
    /// Somebody asks. The number of this message is the poll's from now on.
    Ask { question: String, options: Vec<String> },
    /// Somebody votes. Their last vote counts.
    Vote { poll: u64, option: usize },
    /// Who asked has enough votes.
    Close { poll: u64 },
    /// How it has ended: so many votes for each option. Only the host says so.
    Result { poll: u64, votes: Vec<usize> },
}

impl AppEvent for Poll {
    const NAME: &'static str = "poll";

    fn body(&self) -> Cow<'_, str> {
        match self {
            Self::Ask { question, options } => format!("{question} {}", options.join(" / ")).into(),
            Self::Vote { option, .. } => format!("votes for option {option}").into(),
            Self::Close { .. } => "closes the poll".into(),
            Self::Result { votes, .. } => format!("the votes are {votes:?}").into(),
        }
    }
}
