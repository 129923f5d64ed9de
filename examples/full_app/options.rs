//! What can be said on the command line.

use std::{ffi::OsString, net::IpAddr, path::PathBuf, str::FromStr, time::Duration};

use chatrooms::ws::{self, ClientAddress, IpNet};
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

    /// A Redis 7 or Valkey that several of these share, so that rooms and names are the same on all of them: redis://[USER:PASSWORD@]HOST[:PORT], or rediss://
    /// for TLS. Messages are kept there then, and not in a store. All need the same secret
    #[arg(
        long,
        value_name = "URL",
        requires = "secret",
        conflicts_with = "store",
        env = "CHATROOMS_CLUSTER",
        hide_env_values = true
    )]
    pub(crate) cluster: Option<String>,

    /// How long a node of the cluster has to be silent before the others see to the people whom it had
    #[arg(long, value_name = "SECONDS", requires = "cluster", default_value_t = 10, value_parser = RangedU64ValueParser::<u64>::new().range(1..=600))]
    pub(crate) lease: u64,

    /// How long a room outlives the last lost connection, so that a restart does not empty it
    #[arg(long, value_name = "SECONDS", default_value_t = 0, value_parser = RangedU64ValueParser::<u64>::new().range(..=604_800))]
    pub(crate) linger: u64,

    /// Where to serve numbers for Prometheus, at `/metrics` and to whoever can connect: for 127.0.0.1 or a private address. Without it they are not counted
    #[arg(long, value_name = "HOST:PORT")]
    pub(crate) metrics: Option<String>,

    /// The most connections of one address, or of one IPv6 network of 64 bits. Without it there is no such limit: one address may be a whole school
    #[arg(long, value_name = "COUNT")]
    pub(crate) sessions_per_address: Option<usize>,

    /// The most names that are in use by one address, where connections are counted by it
    #[arg(long, value_name = "COUNT", requires = "sessions_per_address", default_value_t = 256)]
    pub(crate) names_per_address: usize,

    /// A proxy in front of this, by address or network: its `X-Forwarded-For` tells where clients come from. Can be given several times
    #[arg(long, value_name = "NETWORK", requires = "sessions_per_address", value_parser = network)]
    pub(crate) trusted_proxy: Vec<IpNet>,

    /// How long a client may take over the head of a request, and say nothing before it or between two
    #[arg(long, value_name = "SECONDS", default_value_t = 5, value_parser = RangedU64ValueParser::<u64>::new().range(1..=3600))]
    pub(crate) head_seconds: u64,

    /// How often every client is asked whether it is still there; less than the time after which a proxy cuts off who is silent
    #[arg(long, value_name = "SECONDS", default_value_t = 25, value_parser = RangedU64ValueParser::<u64>::new().range(1..=3600))]
    pub(crate) heartbeat: u64,

    /// How long a client may take to answer that; who is silent for longer is gone
    #[arg(long, value_name = "SECONDS", default_value_t = 10, value_parser = RangedU64ValueParser::<u64>::new().range(1..=3600))]
    pub(crate) grace: u64,

    /// What cookies are signed with, at least 32 bytes, and the same on all nodes of a cluster. Without it: a random key, kept in the SQLite file if there is one
    #[arg(long, env = "CHATROOMS_SECRET", hide_env_values = true)]
    pub(crate) secret: Option<OsString>,
}

impl Options {
    /// How sockets behave.
    pub(crate) fn sockets(&self) -> ws::Options {
        let mut sockets = ws::Options::default();
        sockets.heartbeat = Duration::from_secs(self.heartbeat);
        sockets.grace = Duration::from_secs(self.grace);
        if let Some(count) = self.sessions_per_address {
            sockets.sessions_per_address = count;
            sockets.client_address = if self.trusted_proxy.is_empty() {
                ClientAddress::Peer
            } else {
                ClientAddress::x_forwarded_for(self.trusted_proxy.iter().copied())
            };
        }
        sockets
    }
}

/// A network, or an address as the network that it is by itself.
fn network(text: &str) -> Result<IpNet, &'static str> {
    let address = || text.parse::<IpAddr>().map(IpNet::from);
    text.parse().or_else(|_| address()).map_err(|_| "expected an address or ADDRESS/BITS")
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
    fn addresses_count_where_a_number_is_given_and_come_from_a_proxy_where_one_is_named() {
        let sockets = |arguments: &[&str]| {
            let options = Options::try_parse_from([&["full_app"], arguments].concat());
            options.map(|options| options.sockets()).ok()
        };
        assert_eq!(sockets(&[]).unwrap().client_address, ClientAddress::Unknown);
        let direct = sockets(&["--sessions-per-address", "5"]).unwrap();
        assert_eq!((direct.client_address, direct.sessions_per_address), (ClientAddress::Peer, 5));
        let behind = sockets(&[
            "--sessions-per-address=5",
            "--trusted-proxy=::1",
            "--trusted-proxy=10.0.0.0/8",
        ]);
        let nets = ["::1/128", "10.0.0.0/8"].map(|net| net.parse().unwrap());
        assert_eq!(behind.unwrap().client_address, ClientAddress::x_forwarded_for(nets));
        for wrong in [
            &["--trusted-proxy=::1"][..],
            &["--sessions-per-address=5", "--trusted-proxy=x"],
            &["--names-per-address=5"],
        ] {
            assert!(sockets(wrong).is_none(), "{wrong:?}");
        }
    }

    #[test]
    fn sockets_are_as_patient_as_the_library_unless_it_is_said() {
        let sockets = |arguments: &[&str]| {
            let options = Options::try_parse_from([&["full_app"], arguments].concat()).unwrap();
            let ws::Options { heartbeat, grace, .. } = options.sockets();
            (heartbeat, grace)
        };
        let usual = ws::Options::default();
        assert_eq!(sockets(&[]), (usual.heartbeat, usual.grace));
        let said = [3, 2].map(Duration::from_secs);
        assert_eq!(sockets(&["--heartbeat=3", "--grace=2"]), (said[0], said[1]));
    }

    #[test]
    fn a_node_of_a_cluster_has_a_secret_and_no_store_of_its_own() {
        let parsed = |arguments: &[&str]| {
            Options::try_parse_from([&["full_app"], arguments].concat()).is_ok()
        };
        let (cluster, secret) = ("--cluster=redis://127.0.0.1", "--secret=x");
        assert!(parsed(&[cluster, secret, "--lease=5"]));
        assert!(!parsed(&[cluster]), "cookies of one node are good on the others");
        assert!(!parsed(&[cluster, secret, "--store=memory"]));
        assert!(!parsed(&["--lease=5"]));
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
