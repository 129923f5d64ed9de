//! One connection.

use std::{
    io::{ErrorKind, Read as _, Write as _},
    net::TcpStream,
    time::{Duration, Instant},
};

use super::{Answer, Request, Target, Wrong};

/// How long an answer may take that is due at once: this side runs at the lowest priority, beside others of its kind.
const PATIENCE: Duration = Duration::from_secs(20);
/// The same, over a documented time: what is late by so much is late on this side.
pub(crate) const SLACK: Duration = Duration::from_secs(5);

/// A connection, and what has come and was not looked at yet.
#[derive(Debug)]
pub(crate) struct Link {
    stream: TcpStream,
    pub(super) received: Vec<u8>,
}

impl Link {
    pub(crate) fn new(target: Target) -> Result<Self, Wrong> {
        let stream = TcpStream::connect_timeout(&target.0, PATIENCE)?;
        stream.set_nodelay(true)?;
        stream.set_write_timeout(Some(PATIENCE))?;
        Ok(Self { stream, received: Vec::new() })
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<(), Wrong> {
        Ok(self.stream.write_all(bytes)?)
    }

    /// The same, where the server may have had enough of it already: what it says of it is read later.
    pub(crate) fn write_as_far_as_possible(&mut self, bytes: &[u8]) {
        let _ = self.stream.write_all(bytes);
    }

    /// Sends a request and waits for its answer.
    pub(crate) fn ask(&mut self, request: &Request) -> Result<Answer, Wrong> {
        self.write_as_far_as_possible(&request.bytes());
        self.answer_soon()
    }

    /// The next answer, which has to come in so much time.
    pub(crate) fn answer(&mut self, within: Duration) -> Result<Answer, Wrong> {
        self.take(Answer::take, within)?.ok_or_else(|| Wrong("no answer, but the end".to_owned()))
    }

    /// The same, of an answer that is due at once.
    pub(crate) fn answer_soon(&mut self) -> Result<Answer, Wrong> {
        self.answer(PATIENCE)
    }

    /// How many whole answers can still be read before the server has ended it.
    pub(crate) fn answers_until_the_end(mut self) -> Result<usize, Wrong> {
        let mut count = 0;
        while self.take(Answer::take, PATIENCE)?.is_some() {
            count += 1;
        }
        Ok(count)
    }

    /// The server has to end it in so much time, without a word.
    pub(crate) fn ends(mut self, within: Duration) -> Result<(), Wrong> {
        let by = Instant::now() + within + SLACK;
        if self.more(by)? {
            let said = String::from_utf8_lossy(&self.received).into_owned();
            return Err(Wrong(format!("{said:?} instead of the end")));
        }
        Ok(())
    }

    /// Ends it by RST, because something that has come is not read. What comes has to have been asked for.
    pub(crate) fn reset(self) -> Result<(), Wrong> {
        self.stream.set_read_timeout(Some(PATIENCE))?;
        self.stream.peek(&mut [0])?;
        Ok(())
    }

    /// What can be taken from what comes; `None` once the server has ended the connection.
    pub(super) fn take<T>(
        &mut self,
        take: impl Fn(&mut Vec<u8>) -> Option<T>,
        within: Duration,
    ) -> Result<Option<T>, Wrong> {
        let by = Instant::now() + within;
        loop {
            if let Some(taken) = take(&mut self.received) {
                return Ok(Some(taken));
            }
            if !self.more(by)? {
                return Ok(None);
            }
        }
    }

    /// The next thing that comes at once where the server is well.
    pub(super) fn take_soon<T>(
        &mut self,
        take: impl Fn(&mut Vec<u8>) -> Option<T>,
    ) -> Result<Option<T>, Wrong> {
        self.take(take, PATIENCE)
    }

    /// Waits for further bytes; false once the server has ended the connection, be it by RST.
    fn more(&mut self, by: Instant) -> Result<bool, Wrong> {
        let began = Instant::now();
        let time = by.saturating_duration_since(began).max(Duration::from_millis(1));
        self.stream.set_read_timeout(Some(time))?;
        let mut bytes = [0; 16 * 1024];
        match self.stream.read(&mut bytes) {
            Ok(count) => {
                self.received.extend_from_slice(&bytes[..count]);
                Ok(count > 0)
            }
            Err(error) if error.kind() == ErrorKind::ConnectionReset => Ok(false),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                Err(Wrong(format!("nothing for {:.0?}", began.elapsed())))
            }
            Err(error) => Err(error.into()),
        }
    }
}
