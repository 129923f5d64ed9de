//! The command line.

use std::{net::SocketAddrV4, path::PathBuf, time::Duration};

use clap::{Parser, ValueEnum};

use super::{Failure, marker};

/// Loads a WebSocket server that relays text, and counts what it does with it.
#[derive(Clone, Debug, Parser)]
#[command(name = "wsload")]
pub(super) struct Options {
    /// What to do.
    #[arg(long, value_enum, default_value_t = Mode::Fanout)]
    pub(super) mode: Mode,
    /// The server: 127.x.y.z:PORT
    #[arg(long)]
    pub(super) addr: SocketAddrV4,
    /// How to talk to it: a file of profiles/
    #[arg(long)]
    pub(super) profile: PathBuf,
    /// The server's process, whose CPU and memory are read.
    #[arg(long)]
    pub(super) pid: Option<u32>,
    /// How many connections, spread over the rooms.
    #[arg(long, default_value_t = 100)]
    pub(super) conns: usize,
    /// How many rooms.
    #[arg(long, default_value_t = 1)]
    pub(super) rooms: usize,
    /// How many of a room's members send.
    #[arg(long, default_value_t = 4)]
    pub(super) senders: usize,
    /// Messages that each sender has under way; the next one goes when its own copy is back.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=200))]
    pub(super) window: u32,
    /// Messages a second, whatever comes back; 0 is the closed loop of --window.
    #[arg(long, default_value_t = 0.0)]
    pub(super) rate: f64,
    /// Seconds to measure.
    #[arg(long, default_value = "5", value_parser = seconds)]
    pub(super) secs: Duration,
    /// Seconds before that.
    #[arg(long, default_value = "1", value_parser = seconds)]
    pub(super) warm: Duration,
    /// Seconds between the last join and the first message.
    #[arg(long, default_value = "0.5", value_parser = seconds)]
    pub(super) settle: Duration,
    /// Seconds at most to wait for what is under way at the end.
    #[arg(long, default_value = "3", value_parser = seconds)]
    pub(super) drain: Duration,
    /// Seconds at most for everybody to join.
    #[arg(long, default_value = "90", value_parser = seconds)]
    pub(super) connect_limit: Duration,
    /// Bytes of a message.
    #[arg(long, default_value_t = 100)]
    pub(super) payload: usize,
    /// Joins under way at once.
    #[arg(long, default_value_t = 50)]
    pub(super) inflight: usize,
    /// Members who join room 0 first and stay, while others churn there.
    #[arg(long, default_value_t = 0)]
    pub(super) staying: usize,
    /// Where to write the figures, as JSON.
    #[arg(long)]
    pub(super) out: Option<PathBuf>,
    /// What to call this run.
    #[arg(long, default_value = "")]
    pub(super) label: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Mode {
    /// Messages to everybody in a room.
    Fanout,
    /// Connect, join, leave, again.
    Churn,
    /// Connections that say nothing.
    Idle,
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "a number of seconds".to_owned())?;
    Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())
}

impl Options {
    pub(super) fn check(&self) -> Result<(), Failure> {
        if !self.addr.ip().is_loopback() {
            return Err("--addr: only this machine may be loaded".into());
        }
        if self.rooms == 0 || self.conns < self.rooms || self.inflight == 0 {
            return Err("at least one room, one connection in each and one join under way".into());
        }
        if self.payload < marker::LENGTH {
            return Err(format!("--payload: at least {} bytes", marker::LENGTH).into());
        }
        Ok(())
    }

    /// How many are in each room.
    pub(super) fn room_size(&self) -> usize {
        self.conns / self.rooms
    }

    pub(super) fn senders_per_room(&self) -> usize {
        self.senders.clamp(1, self.room_size())
    }
}
