//! What comes back: frames, and the markers in them.

use std::{io::Read, time::Duration};

use super::{
    connection::{State, is_nothing},
    load::Load,
    marker::{LENGTH, Marker, START},
    profile::Step,
    track::Copy,
};
use crate::frame::{self, Header};

impl Load {
    pub(super) fn read(&mut self, key: usize, buffer: &mut [u8]) {
        let Some(mut socket) = self.connections[key].socket.as_ref() else { return };
        let read = socket.read(buffer);
        self.counts.reads += 1;
        let length = match read {
            Err(error) if is_nothing(&error) => return,
            Err(error) => return self.lost(key, &error.to_string(), false),
            Ok(0) => return self.lost(key, "the server ended a connection", self.is_churn()),
            Ok(length) => length,
        };
        self.counts.bytes += length as u64;
        let now = self.now();
        let mut unread = std::mem::take(&mut self.connections[key].unread);
        if unread.is_empty() {
            let used = self.consume(key, &buffer[..length], now);
            unread.extend_from_slice(&buffer[used..length]);
        } else {
            unread.extend_from_slice(&buffer[..length]);
            let used = self.consume(key, &unread, now);
            unread.drain(..used);
        }
        self.connections[key].unread = unread;
    }

    fn lost(&mut self, key: usize, how: &str, at_once: bool) {
        if self.connections[key].state == State::Open {
            self.note(|| how.to_owned());
        }
        self.end(key, at_once);
    }

    /// Returns how many bytes have been used up.
    fn consume(&mut self, key: usize, bytes: &[u8], now: u64) -> usize {
        let mut at = 0;
        while at < bytes.len() {
            let rest = &bytes[at..];
            match self.connections[key].state {
                State::Free => return bytes.len(),
                State::Shaking => {
                    let Some(end) = memchr::memmem::find(rest, b"\r\n\r\n") else { break };
                    self.take_answer(key, &rest[..end]);
                    at += end + 4;
                }
                _ => {
                    let Some(header) = Header::of_whole_frame(rest) else { break };
                    self.take_frame(key, header.opcode, &rest[header.start..header.end], now);
                    at += header.end;
                }
            }
        }
        at
    }

    fn take_answer(&mut self, key: usize, head: &[u8]) {
        if head.starts_with(b"HTTP/1.1 101") {
            self.connections[key].state = State::Joining;
            self.advance(key);
        } else {
            self.last_words = String::from_utf8_lossy(&head[..head.len().min(200)]).into_owned();
            self.end(key, true);
        }
    }

    fn take_frame(&mut self, key: usize, opcode: u8, payload: &[u8], now: u64) {
        self.counts.frames += 1;
        match (opcode, self.connections[key].state) {
            (frame::PONG, _) => {}
            (frame::PING, _) => self.send_frame(key, frame::PONG, payload),
            (frame::CLOSE, state) => {
                if state != State::Leaving {
                    let reason = String::from_utf8_lossy(payload.get(2..).unwrap_or_default());
                    self.note(|| format!("the server closed: {:?} {reason}", payload.get(..2)));
                    self.send_frame(key, frame::CLOSE, payload);
                }
                self.end(key, self.is_churn());
            }
            (_, State::Open) => self.take_text(key, payload, now),
            (_, State::Joining) => self.take_step(key, payload),
            _ => {}
        }
    }

    fn take_step(&mut self, key: usize, payload: &[u8]) {
        if self.reply(key, payload) {
            return;
        }
        let step = self.profile.steps.get(self.connections[key].step);
        let Some(Step::Expect(expected)) = step else { return };
        if memchr::memmem::find(payload, expected.as_bytes()).is_some() {
            self.connections[key].step += 1;
            self.advance(key);
        } else if self.trouble.is_none() {
            let start = &payload[..payload.len().min(120)];
            self.last_words = String::from_utf8_lossy(start).into_owned();
        }
    }

    fn reply(&mut self, key: usize, payload: &[u8]) -> bool {
        let is_meant =
            |contains: &str| memchr::memmem::find(payload, contains.as_bytes()).is_some();
        let reply = self.profile.replies.iter().find(|reply| is_meant(&reply.contains));
        let Some(text) = reply.map(|reply| reply.send.clone()) else { return false };
        self.send_frame(key, frame::TEXT, text.as_bytes());
        true
    }

    /// Finds the markers in a frame: servers may join messages.
    #[inline]
    fn take_text(&mut self, key: usize, payload: &[u8], now: u64) {
        let (mut from, mut is_found) = (0, false);
        let expected = payload.get(self.hint..self.hint + LENGTH);
        if let Some(marker) = expected.filter(|marker| marker.starts_with(START)) {
            is_found = true;
            self.take_copy(key, Marker::read(marker), now);
            from = self.hint + self.options.payload;
        }
        while let Some(rest) = payload.get(from..).filter(|rest| rest.len() >= LENGTH) {
            let Some(found) = memchr::memchr(START[0], &rest[..=rest.len() - LENGTH]) else {
                break;
            };
            if rest[found + 1] != START[1] {
                from += found + 1;
                continue;
            }
            if !is_found {
                self.hint = from + found;
            }
            is_found = true;
            self.take_copy(key, Marker::read(&rest[found..]), now);
            from += found + self.options.payload;
        }
        if !is_found {
            self.counts.other_frames += 1;
            self.reply(key, payload);
        }
    }

    #[inline]
    fn take_copy(&mut self, key: usize, marker: Marker, now: u64) {
        let per_room = self.options.senders_per_room();
        let is_known = marker.sender < self.senders.len();
        if !is_known || marker.sender / per_room != self.connections[key].room {
            self.counts.misrouted += 1;
            return;
        }
        if self.is_measuring {
            self.counts.deliveries += 1;
            self.latency.add(Duration::from_nanos(now.saturating_sub(marker.at)));
        }
        let copy = self.tracks[key * per_room + marker.sender % per_room].take(marker.number);
        match copy {
            Copy::InOrder => {}
            Copy::Late => self.counts.out_of_order += 1,
            Copy::Repeated => {
                self.counts.duplicated += 1;
                return;
            }
        }
        self.counts.unique += 1;
        if self.senders[marker.sender].connection == key {
            self.came_back(marker.sender, now);
        }
    }

    /// A sender has its own copy: in the closed loop it goes on.
    fn came_back(&mut self, sender: usize, now: u64) {
        let state = &mut self.senders[sender];
        state.under_way = state.under_way.saturating_sub(1);
        state.heard = now;
        let is_free = state.under_way < self.options.window;
        if self.options.rate == 0.0 && self.is_sending && is_free {
            self.send_message(sender, self.now());
        }
    }
}
