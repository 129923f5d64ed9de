//! What can be said on the command line.

use std::{ffi::OsString, path::PathBuf, str::FromStr};

use clap::{Parser, builder::RangedU64ValueParser};

use crate::site::Site;

/// A complete chat application on the chatrooms library: open it in two browser windows and chat.
#[derive(Parser)]
#[command(name = "full_app", version)]
pub(crate) struct Options {
    /// Where to listen; port 0 takes any that is free. The address is printed once it is known
    #[arg(long, value_name = "HOST:PORT", default_value = "0.0.0.0:5000")]
    pub(crate) addr: String,

    /// What people open, where a proxy in front ends TLS: https://HOST. Then cookies travel by TLS only, and no page of another origin may
    /// connect. Without it, plain http works by whatever name the machine has
    #[arg(long, value_name = "URL")]
    pub(crate) public_url: Option<Site>,

    /// Where messages are kept: `memory`, `sqlite::memory:` or `sqlite:PATH`. In memory, cookies end with the process, too
    #[arg(long, default_value = "sqlite:chatrooms.db")]
    pub(crate) store: StoreChoice,

    /// How long a room outlives the last lost connection, so that a restart does not empty it
    #[arg(long, value_name = "SECONDS", default_value_t = 0, value_parser = RangedU64ValueParser::<u64>::new().range(..=604_800))]
    pub(crate) linger: u64,

    /// Where to serve numbers for Prometheus, at `/metrics` and to whoever can connect: for 127.0.0.1 or a private address. Without it they are not counted
    #[arg(long, value_name = "HOST:PORT")]
    pub(crate) metrics: Option<String>,

    /// What cookies are signed with, at least 32 bytes. Without it: a random key, kept in the SQLite file if there is one
    #[arg(long, env = "CHATROOMS_SECRET", hide_env_values = true)]
    pub(crate) secret: Option<OsString>,
}

/// Where messages are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum StoreChoice {
    Memory,
    SqliteInMemory,
    Sqlite(PathBuf),
}

impl FromStr for StoreChoice {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once(':') {
            None if text == "memory" => Ok(Self::Memory),
            Some(("sqlite", ":memory:")) => Ok(Self::SqliteInMemory),
            // Who writes a URL means what follows its slashes.
            Some(("sqlite", path)) if !path.trim_start_matches("//").is_empty() => {
                Ok(Self::Sqlite(path.strip_prefix("//").unwrap_or(path).into()))
            }
            _ => Err("expected memory, sqlite::memory: or sqlite:PATH"),
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_options_are_consistent() {
        Options::command().debug_assert();
    }

    #[test]
    fn a_store_is_chosen_by_what_it_is_and_where() {
        use StoreChoice::{Memory, Sqlite, SqliteInMemory};
        for (text, choice) in [
            ("memory", Memory),
            ("sqlite::memory:", SqliteInMemory),
            ("sqlite:chat.db", Sqlite("chat.db".into())),
            ("sqlite:/srv/a:b.db", Sqlite("/srv/a:b.db".into())),
            ("sqlite://chat.db", Sqlite("chat.db".into())),
            ("sqlite:///srv/chat.db", Sqlite("/srv/chat.db".into())),
        ] {
            assert_eq!(text.parse(), Ok(choice), "{text}");
        }
        for bad in ["", "sqlite", "sqlite:", "sqlite://", "redis:x", "memory:", "Memory", "chat.db"]
        {
            assert!(bad.parse::<StoreChoice>().is_err(), "{bad}");
        }
    }
}
