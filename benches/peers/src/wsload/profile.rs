//! How to talk to a server: a JSON file.
//!
//! - `path`: of the request, with `{room}` (r and 5 digits) and `{user}` (u and 7 digits); `headers`: lines to add
//! - `steps`: in turn `{"send": TEXT}` or `{"expect": TEXT}` (any frame that contains it); joined when all are done
//! - `message`: the text of a message; `{payload}` must come back to every member, in any frame, anywhere in it; also `{room}`, `{user}`
//! - `replies`: `{"contains": TEXT, "send": TEXT}`, for pings above WebSocket

use std::{fs, path::Path};

use serde::Deserialize;

use super::Failure;

/// What a profile's file says.
#[derive(Debug, Deserialize)]
pub(super) struct Profile {
    pub(super) path: String,
    #[serde(default)]
    pub(super) headers: Vec<String>,
    pub(super) steps: Vec<Step>,
    pub(super) message: String,
    #[serde(default)]
    pub(super) replies: Vec<Reply>,
}

/// On the way into a room.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Step {
    Send(String),
    Expect(String),
}

/// What is answered to a frame that contains something.
#[derive(Debug, Deserialize)]
pub(super) struct Reply {
    pub(super) contains: String,
    pub(super) send: String,
}

impl Profile {
    pub(super) fn read(path: &Path) -> Result<Self, Failure> {
        let told = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
        let text = fs::read_to_string(path).map_err(|error| told(&error))?;
        Ok(serde_json::from_str(&text).map_err(|error| told(&error))?)
    }
}

/// A template with its room and user put in.
pub(super) fn filled(template: &str, room: usize, user: usize) -> String {
    template.replace("{room}", &format!("r{room:05}")).replace("{user}", &format!("u{user:07}"))
}
