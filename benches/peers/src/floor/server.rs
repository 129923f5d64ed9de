//! The one thread of the floor.

use std::{
    collections::HashMap,
    io::{self, ErrorKind, Read},
    net::TcpListener,
    os::fd::AsRawFd,
};

use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use super::client::{Client, Seat};
use crate::{
    frame::{self, Header},
    poll::{self, Event, EventFlags, Poll},
};

/// The listener's key; clients have their socket's number.
const LISTENER: usize = usize::MAX;

/// Everything the floor knows.
#[derive(Debug)]
pub(super) struct Server {
    poll: Poll,
    listener: TcpListener,
    is_batching: bool,
    /// By the number of their socket.
    clients: Vec<Option<Client>>,
    rooms: Vec<Room>,
    by_path: HashMap<Vec<u8>, usize>,
    /// Rooms with something to write at the end of the round.
    waiting: Vec<usize>,
    /// Clients that are let go at the end of the round.
    ending: Vec<usize>,
}

#[derive(Debug, Default)]
struct Room {
    members: Vec<usize>,
    batch: Vec<u8>,
}

impl Server {
    pub(super) fn new(listener: TcpListener, is_batching: bool) -> io::Result<Self> {
        let poll = Poll::new()?;
        poll.add(&listener, LISTENER, EventFlags::IN)?;
        let (clients, rooms, by_path) = (Vec::new(), Vec::new(), HashMap::new());
        let (waiting, ending) = (Vec::new(), Vec::new());
        Ok(Self { poll, listener, is_batching, clients, rooms, by_path, waiting, ending })
    }

    pub(super) fn run(mut self) -> io::Result<()> {
        let mut events = Vec::new();
        let mut buffer = vec![0; 256 * 1024];
        loop {
            self.poll.wait(&mut events, None)?;
            for event in &events {
                self.take(event, &mut buffer)?;
            }
            while let Some(room) = self.waiting.pop() {
                self.write_batch(room);
            }
            while let Some(client) = self.ending.pop() {
                self.remove(client);
            }
        }
    }

    fn take(&mut self, event: &Event, buffer: &mut [u8]) -> io::Result<()> {
        let (key, flags) = (poll::key(event), event.flags);
        if key == LISTENER {
            return self.accept();
        }
        if flags.contains(EventFlags::OUT) {
            self.with(key, Client::write_unsent);
        }
        if flags.intersects(EventFlags::IN | EventFlags::HUP | EventFlags::ERR) {
            self.read(key, buffer);
        }
        Ok(())
    }

    fn accept(&mut self) -> io::Result<()> {
        while let Ok((socket, _)) = self.listener.accept() {
            socket.set_nonblocking(true)?;
            socket.set_nodelay(true)?;
            let key = usize::try_from(socket.as_raw_fd()).map_err(io::Error::other)?;
            if self.clients.len() <= key {
                self.clients.resize_with(key + 1, || None);
            }
            self.poll.add(&socket, key, EventFlags::IN)?;
            self.clients[key] = Some(Client::new(socket));
        }
        Ok(())
    }

    fn read(&mut self, key: usize, buffer: &mut [u8]) {
        let Some(client) = self.clients.get_mut(key).and_then(Option::as_mut) else { return };
        let length = match client.socket.read(buffer) {
            Ok(0) => return self.ending.push(key),
            Ok(length) => length,
            Err(error) if error.kind() == ErrorKind::WouldBlock => return,
            Err(_) => return self.ending.push(key),
        };
        let mut unread = std::mem::take(&mut client.unread);
        if unread.is_empty() {
            let used = self.parse(key, &mut buffer[..length]);
            unread.extend_from_slice(&buffer[used..length]);
        } else {
            unread.extend_from_slice(&buffer[..length]);
            let used = self.parse(key, &mut unread);
            unread.drain(..used);
        }
        if let Some(client) = &mut self.clients[key] {
            client.unread = unread;
        }
    }

    /// Returns how many bytes have been used up.
    fn parse(&mut self, key: usize, bytes: &mut [u8]) -> usize {
        let mut at = 0;
        if self.clients[key].as_ref().is_some_and(|client| client.seat.is_none()) {
            let Some(end) = memchr::memmem::find(bytes, b"\r\n\r\n") else { return 0 };
            if self.shake_hands(key, &bytes[..end]).is_none() {
                self.ending.push(key);
                return bytes.len();
            }
            at = end + 4;
        }
        while let Some(header) = Header::of_whole_frame(&bytes[at..]) {
            let payload = &mut bytes[at + header.start..at + header.end];
            header.mask.into_iter().for_each(|mask| frame::mask(payload, mask));
            self.handle(key, header.opcode, payload);
            at += header.end;
        }
        at
    }

    fn shake_hands(&mut self, key: usize, head: &[u8]) -> Option<()> {
        let path = head.split(|&byte| byte == b' ').nth(1)?.split(|&byte| byte == b'?').next()?;
        let head = String::from_utf8_lossy(head);
        let headers = head.lines().filter_map(|line| line.split_once(':'));
        let mut keys = headers.filter(|(name, _)| name.eq_ignore_ascii_case("sec-websocket-key"));
        let accept = derive_accept_key(keys.next()?.1.trim().as_bytes());
        let room = *self.by_path.entry(path.to_vec()).or_insert(self.rooms.len());
        if room == self.rooms.len() {
            self.rooms.push(Room::default());
        }
        let members = &mut self.rooms[room].members;
        self.clients[key].as_mut()?.seat = Some(Seat { room, place: members.len() });
        members.push(key);
        let answer =
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade";
        let answer = format!("{answer}\r\nSec-WebSocket-Accept: {accept}\r\n\r\n");
        let mut answer = answer.into_bytes();
        push_frame(&mut answer, frame::TEXT, b"J");
        self.with(key, |client| client.write(&answer));
        Some(())
    }

    fn handle(&mut self, key: usize, opcode: u8, payload: &[u8]) {
        let seat = self.clients[key].as_ref().and_then(|client| client.seat);
        let Some(Seat { room, .. }) = seat else { return };
        match opcode {
            frame::TEXT | frame::BINARY => {
                let batch = &mut self.rooms[room].batch;
                if batch.is_empty() && self.is_batching {
                    self.waiting.push(room);
                }
                push_frame(batch, opcode, payload);
                if !self.is_batching {
                    self.write_batch(room);
                }
            }
            frame::PING => {
                let mut pong = Vec::new();
                push_frame(&mut pong, frame::PONG, payload);
                self.with(key, |client| client.write(&pong));
            }
            frame::CLOSE => {
                self.with(key, |client| client.write(&[0x88, 0]));
                self.ending.push(key);
            }
            _ => {}
        }
    }

    fn write_batch(&mut self, room: usize) {
        let Room { members, mut batch } = std::mem::take(&mut self.rooms[room]);
        for &member in &members {
            self.with(member, |client| client.write(&batch));
        }
        batch.clear();
        self.rooms[room] = Room { members, batch };
    }

    /// Writes to a client; one that fails is let go, one with unsent bytes is told when it can go on.
    fn with(&mut self, key: usize, write: impl FnOnce(&mut Client) -> io::Result<()>) {
        let Some(client) = self.clients.get_mut(key).and_then(Option::as_mut) else { return };
        if write(client).is_err() {
            return self.ending.push(key);
        }
        let waits = !client.unsent.is_empty();
        if waits != client.is_awaited {
            client.is_awaited = waits;
            let out = if waits { EventFlags::OUT } else { EventFlags::empty() };
            if self.poll.change(&client.socket, key, EventFlags::IN | out).is_err() {
                self.ending.push(key);
            }
        }
    }

    fn remove(&mut self, key: usize) {
        let Some(Seat { room, place }) = self.clients[key].take().and_then(|client| client.seat)
        else {
            return;
        };
        let members = &mut self.rooms[room].members;
        members.swap_remove(place);
        if let Some(client) = members.get(place).and_then(|&moved| self.clients[moved].as_mut()) {
            client.seat = Some(Seat { room, place });
        }
    }
}

fn push_frame(out: &mut Vec<u8>, opcode: u8, payload: &[u8]) {
    frame::push_header(out, opcode, payload.len());
    out.extend_from_slice(payload);
}
