//! Why somebody could not come in, so that whoever reads it knows what to change.

use std::{error::Error, fmt, io};

use tokio_tungstenite::tungstenite::{self, error::ProtocolError, http::StatusCode};

/// What went wrong.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The URL is none, or not for this.
    Url(String),
    /// This process may not open so many files.
    Files {
        needed: usize,
        allowed: Option<usize>,
    },
    /// Nobody listens, or the network fails.
    Network {
        to: String,
        error: io::Error,
    },
    /// The server answers the handshake otherwise.
    Refused(StatusCode, String),
    /// What answers is not a chatrooms server.
    Foreign(String),
    /// The room does not let in.
    Room {
        code: String,
        message: String,
    },
    /// It was a chatrooms server, and went away.
    Lost(String),
    Other(String),
}

/// Codes by which a room or a server says that it has no place.
const LIMITS: [&str; 6] =
    ["room_full", "too_many_rooms", "too_many_sessions", "server_full", "busy", "rate_limited"];

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Url(problem) => write!(f, "the URL: {problem}"),
            Self::Files { needed, allowed: Some(allowed) } => {
                write!(
                    f,
                    "{needed} open files are needed, {allowed} are allowed: ulimit -n {needed}"
                )
            }
            Self::Files { needed, .. } => {
                write!(
                    f,
                    "too few open files are allowed here or at the server: ulimit -n {needed}"
                )
            }
            Self::Network { to, error } if error.kind() == io::ErrorKind::ConnectionRefused => {
                write!(f, "nobody listens at {to}")
            }
            Self::Network { to, error } => write!(f, "{to}: {error}"),
            Self::Refused(status, body) => {
                write!(f, "the server answers {status}{}{}", hint(*status), quoted(body))
            }
            Self::Foreign(what) => write!(f, "not a chatrooms server: {what}"),
            Self::Room { code, message } => {
                write!(f, "the room does not let in: {code}, {message}")
            }
            Self::Lost(how) => write!(f, "the connection was lost: {how}"),
            Self::Other(problem) => f.write_str(problem),
        }
    }
}

impl Error for Failure {}

impl Failure {
    /// Whether somebody has said that there may be no more, which is what a load finds out.
    pub(crate) fn is_limit(&self) -> bool {
        match self {
            Self::Refused(status, _) => {
                matches!(*status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE)
            }
            Self::Room { code, .. } => LIMITS.contains(&code.as_str()),
            _ => false,
        }
    }

    /// A short name to count by.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Refused(status, _) => status.as_u16().to_string(),
            Self::Room { code, .. } => code.clone(),
            Self::Network { error, .. } => format!("network: {error}"),
            other => other.to_string(),
        }
    }
}

impl From<tungstenite::Error> for Failure {
    fn from(error: tungstenite::Error) -> Self {
        match error {
            tungstenite::Error::Http(response) => {
                let body = response.body().as_deref().unwrap_or_default();
                Self::Refused(response.status(), String::from_utf8_lossy(body).trim().to_owned())
            }
            tungstenite::Error::Io(error) => Self::Lost(error.to_string()),
            tungstenite::Error::Protocol(
                error @ (ProtocolError::HandshakeIncomplete
                | ProtocolError::ResetWithoutClosingHandshake
                | ProtocolError::SendAfterClosing),
            ) => Self::Lost(error.to_string()),
            error @ (tungstenite::Error::ConnectionClosed | tungstenite::Error::AlreadyClosed) => {
                Self::Lost(error.to_string())
            }
            other => Self::Foreign(other.to_string()),
        }
    }
}

fn hint(status: StatusCode) -> &'static str {
    match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
            " (who these users are: see --user, --query, --header, --cookie and --cookies)"
        }
        StatusCode::NOT_FOUND => " (the URL is where the router is mounted, with /ws at its end)",
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
            " (it has a limit: see its Config and Options)"
        }
        _ => "",
    }
}

fn quoted(body: &str) -> String {
    if body.is_empty() {
        String::new()
    } else {
        format!(": {}", &body[..body.floor_char_boundary(200)])
    }
}
