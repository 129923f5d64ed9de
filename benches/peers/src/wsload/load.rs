//! All connections, and what is counted of them.

use std::{
    collections::VecDeque,
    io,
    net::Ipv4Addr,
    time::{Duration, Instant},
};

use super::{
    Failure,
    connection::{Connection, State},
    histogram::Histogram,
    options::{Mode, Options},
    profile::{self, Profile, Step},
    sender::Sender,
    track::Track,
};
use crate::{
    frame, open_files,
    poll::{self, Event, EventFlags, Poll},
};

/// Files beside connections.
const OTHER_FILES: u64 = 64;

/// The load, as one thread sees it.
pub(super) struct Load {
    began: Instant,
    poll: Poll,
    events: Vec<Event>,
    buffer: Vec<u8>,
    pub(super) options: Options,
    pub(super) profile: Profile,
    pub(super) connections: Vec<Connection>,
    pub(super) senders: Vec<Sender>,
    /// What each connection has of each sender of its room.
    pub(super) tracks: Vec<Track>,
    /// Slots whose connection has ended, for churn.
    pub(super) free: VecDeque<usize>,
    /// Joins (and, in churn, leaves) under way.
    pub(super) pending: usize,
    next_source: u32,
    /// Where a marker stood in the last frame that had one: it usually stands there again.
    pub(super) hint: usize,
    pub(super) is_sending: bool,
    pub(super) is_measuring: bool,
    pub(super) counts: Counts,
    pub(super) latency: Histogram,
    pub(super) joining: Histogram,
    /// What first went wrong.
    pub(super) trouble: Option<String>,
    /// What the server said last before it went wrong.
    pub(super) last_words: String,
}

/// What has happened so often.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counts {
    pub(super) joined: u64,
    pub(super) failed: u64,
    /// Open connections that the server ended.
    pub(super) gone: u64,
    /// Messages sent and copies received while measuring.
    pub(super) sent: u64,
    pub(super) deliveries: u64,
    /// All copies that came for the first time.
    pub(super) unique: u64,
    pub(super) duplicated: u64,
    pub(super) out_of_order: u64,
    /// Copies in a room that they do not belong to.
    pub(super) misrouted: u64,
    /// Senders that waited in vain for their own copy.
    pub(super) stalls: u64,
    pub(super) reads: u64,
    pub(super) bytes: u64,
    pub(super) frames: u64,
    pub(super) other_frames: u64,
}

impl Load {
    pub(super) fn new(options: &Options, profile: Profile) -> Result<Self, Failure> {
        let is_churn = options.mode == Mode::Churn;
        let count = if is_churn {
            options.inflight + options.staying
        } else {
            options.room_size() * options.rooms
        };
        let allowed = open_files::raise();
        if allowed < count as u64 + OTHER_FILES {
            let needed = count as u64 + OTHER_FILES;
            return Err(format!("{needed} open files are needed, {allowed} allowed").into());
        }
        let room = |key| if is_churn { 0 } else { key / options.room_size() };
        Ok(Self {
            began: Instant::now(),
            poll: Poll::new()?,
            events: Vec::new(),
            buffer: vec![0; 256 * 1024],
            options: options.clone(),
            profile,
            connections: (0..count).map(|key| Connection::new(room(key), key)).collect(),
            senders: Vec::new(),
            tracks: Vec::new(),
            free: VecDeque::new(),
            pending: 0,
            next_source: 0,
            hint: 0,
            is_sending: false,
            is_measuring: false,
            counts: Counts::default(),
            latency: Histogram::default(),
            joining: Histogram::default(),
            trouble: None,
            last_words: String::new(),
        })
    }

    /// Nanoseconds since the load began.
    #[inline]
    pub(super) fn now(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    pub(super) fn is_churn(&self) -> bool {
        self.options.mode == Mode::Churn
    }

    /// Whether a connection stays while others churn: the last ones do.
    pub(super) fn stays(&self, key: usize) -> bool {
        key >= self.connections.len() - self.options.staying
    }

    /// Remembers what first went wrong.
    pub(super) fn note(&mut self, trouble: impl FnOnce() -> String) {
        if self.trouble.is_none() {
            self.trouble = Some(trouble());
        }
    }

    pub(super) fn connect(&mut self, key: usize) {
        // Churn leaves ports waiting, hence more addresses.
        let sources = if self.is_churn() { 40 } else { 4 };
        let source = Ipv4Addr::from_bits(0x7f00_0002 + self.next_source % sources);
        self.next_source += 1;
        let now = self.now();
        let begun = self.connections[key].begin(self.options.addr, source, now);
        let wanted = EventFlags::IN | EventFlags::OUT | EventFlags::RDHUP;
        self.pending += 1;
        if let Err(error) = begun.and_then(|socket| self.poll.add(socket, key, wanted)) {
            self.pending -= 1;
            self.counts.failed += 1;
            self.note(|| format!("connect: {error}"));
            self.connections[key].end(true);
            self.free.push_back(key);
        }
    }

    pub(super) fn send(&mut self, key: usize, bytes: &[u8]) {
        self.connections[key].send(bytes);
        self.await_room(key);
    }

    pub(super) fn send_frame(&mut self, key: usize, opcode: u8, payload: &[u8]) {
        let mut frame = Vec::with_capacity(payload.len() + 14);
        frame::push_masked(&mut frame, opcode, payload);
        self.send(key, &frame);
    }

    /// Asks epoll for room to write where something waits for it.
    fn await_room(&mut self, key: usize) {
        let connection = &mut self.connections[key];
        let waits = !connection.unsent.is_empty();
        let Some(socket) = connection.socket.as_ref().filter(|_| waits != connection.is_awaited)
        else {
            return;
        };
        connection.is_awaited = waits;
        let out = if waits { EventFlags::OUT } else { EventFlags::empty() };
        // It fails for no socket that is in it.
        let _ = self.poll.change(socket, key, EventFlags::IN | EventFlags::RDHUP | out);
    }

    /// Sends a sender's next message, said to have been due then.
    pub(super) fn send_message(&mut self, sender: usize, due: u64) {
        let mut frame = Vec::with_capacity(self.options.payload * 2);
        let text = self.senders[sender].next(sender, due);
        frame::push_masked(&mut frame, frame::TEXT, text);
        self.counts.sent += u64::from(self.is_measuring);
        self.send(self.senders[sender].connection, &frame);
    }

    /// Goes on with the profile's steps, up to the next that waits for something.
    pub(super) fn advance(&mut self, key: usize) {
        loop {
            let connection = &mut self.connections[key];
            match self.profile.steps.get(connection.step) {
                None => return self.joined(key),
                Some(Step::Expect(_)) => return,
                Some(Step::Send(text)) => {
                    let text = profile::filled(text, connection.room, connection.user);
                    connection.step += 1;
                    self.send_frame(key, frame::TEXT, text.as_bytes());
                }
            }
        }
    }

    fn joined(&mut self, key: usize) {
        self.counts.joined += 1;
        let took = self.now() - self.connections[key].began;
        self.joining.add(Duration::from_nanos(took));
        if self.is_churn() && !self.stays(key) {
            self.connections[key].state = State::Leaving;
            self.send_frame(key, frame::CLOSE, &1000_u16.to_be_bytes());
        } else {
            self.connections[key].state = State::Open;
            self.pending -= 1;
        }
    }

    /// Ends a connection and counts what that means.
    pub(super) fn end(&mut self, key: usize, at_once: bool) {
        let step = self.connections[key].step;
        match self.connections[key].end(at_once) {
            State::Free => {}
            State::Open => self.counts.gone += 1,
            State::Leaving => self.pending -= 1,
            state => {
                self.counts.failed += 1;
                self.pending -= 1;
                let words = std::mem::take(&mut self.last_words);
                self.note(|| format!("lost while {state:?}, at step {step}, after: {words}"));
            }
        }
        self.free.push_back(key);
    }

    /// Takes what happens, until something did or the time is over. Returns whether something did.
    pub(super) fn poll(&mut self, timeout: Duration) -> io::Result<bool> {
        let mut events = std::mem::take(&mut self.events);
        let mut buffer = std::mem::take(&mut self.buffer);
        self.poll.wait(&mut events, Some(timeout))?;
        for event in &events {
            self.take(event, &mut buffer);
        }
        let is_busy = !events.is_empty();
        (self.events, self.buffer) = (events, buffer);
        Ok(is_busy)
    }

    /// Takes what happens, for so long.
    pub(super) fn poll_for(&mut self, time: Duration) -> io::Result<()> {
        let began = Instant::now();
        while began.elapsed() < time {
            self.poll(Duration::from_millis(50))?;
        }
        Ok(())
    }

    fn take(&mut self, event: &Event, buffer: &mut [u8]) {
        let (key, flags) = (poll::key(event), event.flags);
        let failing = EventFlags::ERR | EventFlags::HUP;
        match self.connections[key].state {
            State::Free => {}
            State::Connecting => {
                if flags.intersects(EventFlags::OUT | failing) {
                    self.shake_hands(key);
                }
            }
            _ => {
                if flags.contains(EventFlags::OUT) {
                    self.connections[key].send_unsent();
                    self.await_room(key);
                }
                if flags.intersects(EventFlags::IN | EventFlags::RDHUP | failing) {
                    self.read(key, buffer);
                }
            }
        }
    }

    fn shake_hands(&mut self, key: usize) {
        let connection = &mut self.connections[key];
        let error =
            connection.socket.as_ref().and_then(|socket| socket.take_error().ok().flatten());
        if let Some(error) = error {
            self.last_words = format!("connect: {error}");
            return self.end(key, false);
        }
        connection.state = State::Shaking;
        let path = profile::filled(&self.profile.path, connection.room, connection.user);
        let host = self.options.addr;
        let mut request =
            format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nOrigin: http://{host}\r\n");
        request += "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n";
        request += "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
        for header in &self.profile.headers {
            request += &format!("{header}\r\n");
        }
        self.send(key, (request + "\r\n").as_bytes());
    }
}
