//! What can be said on the command line.

use std::{net::IpAddr, path::PathBuf, time::Duration};

use clap::Parser;

use crate::{failure::Failure, marker};

const ENDING: &str = "\
It ends with 1 if a copy was lost, doubled or reordered, if a connection that should have stayed was lost, or if a connection or a visit was not let in, \
or a visit failed, otherwise than by a limit. What a limit refuses (429, 503, `room_full`, `too_many_rooms`, \
`too_many_sessions`, `server_full`, `busy`, `rate_limited`) is no error, nor is a message that was \
refused, never answered, or due and never sent: the last lines count them. It ends with 2 if there was nothing to measure, or an option is wrong.";

/// Loads a chatrooms server, and counts what reaches whom, and when.
#[derive(Clone, Debug, Parser)]
#[command(name = "load", after_help = ENDING)]
pub(crate) struct Options {
    /// The socket: ws://HOST:PORT and the mount's path with /ws at its end
    pub(crate) url: String,

    /// An address of this machine to connect from. Repeatable, then they take turns: one has ports for some 14,000 connections to a server
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) from: Vec<IpAddr>,

    /// Connections that stay, each a user, spread over the rooms
    #[arg(long, default_value_t = 100, value_name = "N", value_parser = at_least_one)]
    pub(crate) connections: usize,

    /// Rooms
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = at_least_one)]
    pub(crate) rooms: usize,

    /// What the rooms' names begin with
    #[arg(long, default_value = "load", value_name = "NAME")]
    pub(crate) room: String,

    /// How many in each room talk, as many as the largest has at most; for none, see --idle
    #[arg(long, default_value_t = 1, value_name = "N")]
    pub(crate) senders: usize,

    /// Closed loop: messages that each sender has under way; the next one goes when its own copy is back
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = at_least_one, conflicts_with = "rate")]
    pub(crate) window: usize,

    /// Open loop: messages a second by all senders together, whatever comes back. Latency counts from when a message was due; senders wake by whole milliseconds
    #[arg(long, value_name = "N", value_parser = positive)]
    pub(crate) rate: Option<f64>,

    /// Beside them, so many who connect, join, leave and come again
    #[arg(long, default_value_t = 0, value_name = "N")]
    pub(crate) churn: usize,

    /// Nobody talks
    #[arg(long, conflicts_with = "rate")]
    pub(crate) idle: bool,

    /// Seconds to measure
    #[arg(long, default_value = "10", value_name = "SECONDS", value_parser = some_seconds)]
    pub(crate) duration: Duration,

    /// Seconds of talk before that, whose latencies do not count; what is counted, and counted by the second, is of both
    #[arg(long, default_value = "1", value_name = "SECONDS", value_parser = seconds)]
    pub(crate) warm_up: Duration,

    /// Seconds at most to wait for what is under way at the end
    #[arg(long, default_value = "5", value_name = "SECONDS", value_parser = seconds)]
    pub(crate) drain: Duration,

    /// Bytes of a message
    #[arg(long, default_value_t = 100, value_name = "BYTES", value_parser = payload)]
    pub(crate) payload: usize,

    /// Connections that are being opened at once
    #[arg(long, default_value_t = 50, value_name = "N", value_parser = at_least_one)]
    pub(crate) opening: usize,

    /// What users are called; {number} is a number
    #[arg(long, default_value = "load-{number}", value_name = "NAME")]
    pub(crate) user: String,

    /// For the query, encoded as it has to be; {user} and {number} are put in. Repeatable; `--query ""` for none
    #[arg(long, default_value = "user={user}", value_name = "KEY=VALUE")]
    pub(crate) query: Vec<String>,

    /// A header; {user} and {number} are put in. Repeatable
    #[arg(long, value_name = "NAME: VALUE")]
    pub(crate) header: Vec<String>,

    /// Cookies; {user} and {number} are put in
    #[arg(long, value_name = "NAME=VALUE")]
    pub(crate) cookie: Option<String>,

    /// A file with a cookie for each, line by line from number 0 on, where logins make them; those after its end begin again at its start
    #[arg(long, value_name = "FILE", conflicts_with = "cookie")]
    pub(crate) cookies: Option<PathBuf>,

    /// Where to write the result as JSON; - is the standard output, then without the table
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<String>,
}

impl Options {
    /// Finds out before the run what could not be measured by it.
    pub(crate) fn check(&self) -> Result<(), Failure> {
        if self.senders == 0 && !self.idle {
            let problem = "--senders 0: nobody would talk; if that is meant, say --idle";
            return Err(Failure::Other(problem.to_owned()));
        }
        if self.rooms > self.connections {
            let (rooms, connections) = (self.rooms, self.connections);
            let problem =
                format!("--rooms {rooms}: {connections} connections are in as many rooms at most");
            return Err(Failure::Other(problem));
        }
        let (senders, most) = (self.senders, self.connections.div_ceil(self.rooms));
        if !self.idle && senders > most {
            let problem = format!("--senders {senders}: there are {most} in a room");
            return Err(Failure::Other(problem));
        }
        Ok(())
    }

    /// The room of a connection or a visitor with this number.
    pub(crate) fn room_of(&self, number: usize) -> String {
        format!("{}-{}", self.room, number % self.rooms)
    }

    /// Whether the connection with this number talks.
    pub(crate) fn is_sender(&self, number: usize) -> bool {
        !self.idle && number / self.rooms < self.senders
    }

    /// How many talk.
    pub(crate) fn all_senders(&self) -> usize {
        (0..self.connections).filter(|&number| self.is_sender(number)).count()
    }
}

fn at_least_one(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|&count| count > 0).ok_or_else(|| "a number from 1".to_owned())
}

fn positive(text: &str) -> Result<f64, String> {
    let rate = text.parse().ok().filter(|rate: &f64| rate.is_normal() && *rate > 0.0);
    rate.ok_or_else(|| "a number over 0".to_owned())
}

fn payload(text: &str) -> Result<usize, String> {
    let bytes = text.parse().ok().filter(|&bytes| bytes >= marker::LENGTH);
    bytes
        .ok_or_else(|| format!("at least {} bytes, for what a message is known by", marker::LENGTH))
}

fn some_seconds(text: &str) -> Result<Duration, String> {
    let time = seconds(text)?;
    if time.is_zero() { Err("a number over 0".to_owned()) } else { Ok(time) }
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "a number of seconds".to_owned())?;
    Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())
}
