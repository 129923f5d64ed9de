//! A member that sends.

use super::{
    marker::{LENGTH, Marker, START},
    profile,
};

/// One sender.
#[derive(Debug)]
pub(super) struct Sender {
    /// Whose connection it is.
    pub(super) connection: usize,
    /// How many it has sent.
    pub(super) sent: u32,
    /// How many of them have not come back to it.
    pub(super) under_way: u32,
    /// When the last one did.
    pub(super) heard: u64,
    text: Vec<u8>,
    /// Where the marker stands in the text.
    marker: usize,
}

impl Sender {
    /// A sender of `payload` bytes in the profile's message, unless that loses them.
    pub(super) fn new(
        message: &str,
        room: usize,
        connection: usize,
        payload: usize,
    ) -> Option<Self> {
        let mut marked = vec![b'x'; payload];
        Marker { sender: 0, number: 0, at: 0 }.write(&mut marked);
        let marked = String::from_utf8(marked).ok()?;
        let text = profile::filled(message, room, connection).replace("{payload}", &marked);
        let marker = memchr::memmem::find(text.as_bytes(), START)?;
        let text = text.into_bytes();
        Some(Self { connection, sent: 0, under_way: 0, heard: 0, text, marker })
    }

    /// The next message, as the sender with this number.
    pub(super) fn next(&mut self, sender: usize, at: u64) -> &[u8] {
        self.sent += 1;
        self.under_way += 1;
        let marker = Marker { sender, number: self.sent, at };
        marker.write(&mut self.text[self.marker..self.marker + LENGTH]);
        &self.text
    }
}
