//! How the sockets of an endpoint behave.

use std::time::Duration;

use chatrooms_core::Config;

use crate::{ClientAddress, Origins};

/// Times and bounds of sockets, and which routes there are. What rooms bound is in [`Config`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Options {
    /// Which pages may open sockets and post messages. Default [`Origins::SameHost`].
    pub origins: Origins,
    /// How it is known from which address a client comes. Default: it is not.
    pub client_address: ClientAddress,
    /// The most sessions from one address, those included that are just being opened; of IPv6, from one network of 64 bits. Default 256.
    pub sessions_per_address: usize,
    /// The requests over HTTP of one user per second, handshakes and posts included, in the long run. [`u32::MAX`] is no limit. Default 50.
    pub http_per_second: u32,
    /// As many may come at once after a silence, such as when all of a user's sessions come back. Default 200.
    pub http_burst: u32,
    /// The same from one address, whoever asks and whatever is answered; of IPv6, from one network of 64 bits. Counted before anything else is done for a request.
    /// [`u32::MAX`] is no limit. Default 500.
    pub http_per_second_per_address: u32,
    /// As many may come at once after a silence. Default 2,000.
    pub http_burst_per_address: u32,
    /// How often the server pings. A client of which nothing is heard for so long and [`grace`](Self::grace) is let go. Default 25 s.
    pub heartbeat: Duration,
    /// How long a client may take to answer a ping. Default 10 s.
    pub grace: Duration,
    /// How long one write may take. Default 30 s.
    pub write_timeout: Duration,
    /// How long a client may take to answer the end of a session, and what waits for it to be written. Default 5 s.
    pub close_timeout: Duration,
    /// The most bytes of a frame and of a message in it. Never below 6 × [`Config::body_bytes`] + 6 × [`Config::data_bytes`] + 4 KiB, so that a text full
    /// of escapes meets `too_large` first. Default 64 KiB.
    pub frame_bytes: usize,
    /// The requests of one session that may be under way; further frames wait in the socket. Default 64.
    pub requests: usize,
    /// So many malformed frames within [`malformed_window`](Self::malformed_window) are let pass; one more ends the session. Default 32.
    pub malformed: usize,
    /// Default 10 s.
    pub malformed_window: Duration,
    /// So many requests beyond [`Config::requests_per_second`] are refused within [`malformed_window`](Self::malformed_window); one more ends the session, whose client
    /// does not heed the refusals. Default 2,000.
    pub hasty: usize,
    /// The most pings and pongs of a client per second; one more ends the session. Default 20.
    pub control_frames: usize,
    /// The most fragments of a message before its last one; one more ends the session. Default 64.
    pub fragments: usize,
    /// How long a fragmented message may be under way. Default 10 s.
    pub message_time: Duration,
    /// The most bytes of the body of a posted message. Default 64 KiB.
    pub post_bytes: usize,
    /// How long the body of a posted message may take to arrive. Default 10 s.
    pub post_time: Duration,
    /// How long the authenticator may take. Default 5 s.
    pub authenticator_time: Duration,
    /// How long a socket may stay open before the authenticator is asked again whether its credentials still hold. Each socket asks after a random time
    /// between half of this and all of it, so that those who came together do not ask together. A very long time means never; less than
    /// 100 ms is 100 ms. Default 60 s.
    pub recheck: Duration,
    /// Whether `session` is answered. Default true.
    pub serve_session: bool,
    /// Whether the list of rooms is answered. Default true.
    pub serve_rooms: bool,
    /// Whether a room and its messages are answered. Default true.
    pub serve_room: bool,
    /// Whether messages can be posted without a socket. Default true.
    pub serve_post: bool,
    /// Whether the client module is served. Default true.
    pub serve_client: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            origins: Origins::default(),
            client_address: ClientAddress::default(),
            sessions_per_address: 256,
            http_per_second: 50,
            http_burst: 200,
            http_per_second_per_address: 500,
            http_burst_per_address: 2000,
            heartbeat: Duration::from_secs(25),
            grace: Duration::from_secs(10),
            write_timeout: Duration::from_secs(30),
            close_timeout: Duration::from_secs(5),
            frame_bytes: 64 * 1024,
            requests: 64,
            malformed: 32,
            malformed_window: Duration::from_secs(10),
            hasty: 2000,
            control_frames: 20,
            fragments: 64,
            message_time: Duration::from_secs(10),
            post_bytes: 64 * 1024,
            post_time: Duration::from_secs(10),
            authenticator_time: Duration::from_secs(5),
            recheck: Duration::from_secs(60),
            serve_session: true,
            serve_rooms: true,
            serve_room: true,
            serve_post: true,
            serve_client: true,
        }
    }
}

impl Options {
    /// Never less than a room's messages need, and never a host that is asked without end.
    pub(crate) fn fit(&mut self, config: &Config) {
        let text = config.body_bytes.saturating_add(config.data_bytes);
        let least = text.saturating_mul(6).saturating_add(4096);
        self.frame_bytes = self.frame_bytes.max(least);
        self.post_bytes = self.post_bytes.max(least);
        self.recheck = self.recheck.max(Duration::from_millis(100));
        self.heartbeat = self.heartbeat.max(Duration::from_millis(100));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_always_holds_the_largest_message_in_escapes() {
        let mut config = Config::default();
        (config.body_bytes, config.data_bytes) = (100_000, 50_000);
        let mut options = Options::default();
        options.fit(&config);
        assert_eq!((options.frame_bytes, options.post_bytes), (904_096, 904_096));
        config.body_bytes = usize::MAX;
        options.fit(&config);
        assert_eq!(options.frame_bytes, usize::MAX);
    }

    #[test]
    fn the_defaults_are_those_of_the_protocol() {
        let mut options = Options::default();
        options.fit(&Config::default());
        assert_eq!((options.frame_bytes, options.malformed), (65_536, 32));
        assert_eq!((options.heartbeat.as_secs(), options.grace.as_secs()), (25, 10));
    }
}
