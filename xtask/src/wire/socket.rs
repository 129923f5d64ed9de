//! A WebSocket.

use std::{
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;

use super::{CLOSE, FIN, Link, PING, PONG, SLACK, TEXT, Wrong, frame, frame::Received, text};

/// An open socket. It answers no ping and no close by itself.
#[derive(Debug)]
pub(crate) struct Socket {
    link: Link,
}

/// How a socket ended.
#[derive(Debug)]
struct End {
    /// The reason in `bye`.
    bye: Option<String>,
    close: Option<u16>,
}

impl Socket {
    /// Opens one on a connection that has been upgraded.
    pub(super) fn open(link: Link) -> Result<Self, Wrong> {
        let mut socket = Self { link };
        match socket.next()? {
            hello if hello["type"] == "hello" => Ok(socket),
            other => Err(Wrong(format!("{other} instead of hello"))),
        }
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<(), Wrong> {
        self.link.write(bytes)
    }

    /// See [`Link::write_as_far_as_possible`].
    pub(crate) fn write_as_far_as_possible(&mut self, bytes: &[u8]) {
        self.link.write_as_far_as_possible(bytes);
    }

    pub(crate) fn say(&mut self, frame: &Value) -> Result<(), Wrong> {
        self.write(&text(&frame.to_string()))
    }

    /// The next thing that is told; it has to come soon.
    pub(crate) fn next(&mut self) -> Result<Value, Wrong> {
        while let Some(frame) = self.link.take_soon(Received::take)? {
            match frame.opcode {
                TEXT => match parsed(&frame)? {
                    // What the application tells by itself, whenever it has something to tell.
                    notice if notice["type"] == "notice" => {}
                    told => return Ok(told),
                },
                CLOSE => return Err(Wrong(format!("closed with {:?}", frame.close_code()))),
                _ => {}
            }
        }
        Err(Wrong("the connection has ended".to_owned()))
    }

    /// Reads on to the server's next ping, which has to come in so much time, and answers it; what is told meanwhile is returned.
    pub(crate) fn answers_a_ping(&mut self, within: Duration) -> Result<Vec<Value>, Wrong> {
        let by = Instant::now() + within + SLACK;
        let mut told = Vec::new();
        loop {
            let left = by.saturating_duration_since(Instant::now());
            let received = self.link.take(Received::take, left)?;
            let received = received.ok_or_else(|| Wrong("no ping, but the end".to_owned()))?;
            match received.opcode {
                TEXT => told.push(parsed(&received)?),
                PING => {
                    self.write(&frame(FIN | PONG, &received.payload))?;
                    return Ok(told);
                }
                _ => return Err(Wrong(format!("{received:?} instead of a ping"))),
            }
        }
    }

    /// Asks for something, with an `id`, and waits for the answer, which has to be of this type.
    pub(crate) fn ask(&mut self, kind: &str, request: &Value) -> Result<Value, Wrong> {
        self.say(request)?;
        let frame = self.answer(request)?;
        if frame["type"] == kind { Ok(frame) } else { Err(Wrong(format!("{frame} for {kind}"))) }
    }

    /// The same, as often as it is told that it was too soon: for what stands before that which is tried.
    pub(crate) fn gets(&mut self, kind: &str, request: &Value) -> Result<Value, Wrong> {
        loop {
            self.say(request)?;
            let frame = self.answer(request)?;
            match (frame["code"].as_str(), frame["retry_after_ms"].as_u64()) {
                (Some("rate_limited"), Some(time)) => thread::sleep(Duration::from_millis(time)),
                _ if frame["type"] == kind => return Ok(frame),
                _ => return Err(Wrong(format!("{frame} for {kind}"))),
            }
        }
    }

    fn answer(&mut self, request: &Value) -> Result<Value, Wrong> {
        loop {
            let frame = self.next()?;
            if frame["id"] == request["id"] {
                return Ok(frame);
            }
        }
    }

    /// The server has to end it within this time: by `bye` with this code, where there is one, and with this close code.
    pub(crate) fn must_close(
        self,
        bye: Option<&str>,
        close: u16,
        within: Duration,
    ) -> Result<(), Wrong> {
        let end = self.end(within)?;
        if end.bye.as_deref() == bye && end.close == Some(close) {
            return Ok(());
        }
        Err(Wrong(format!("bye {:?}, close {:?} instead of {bye:?}, {close}", end.bye, end.close)))
    }

    /// Closes as an honest client does.
    pub(crate) fn close(mut self) -> Result<(), Wrong> {
        self.write(&frame(FIN | CLOSE, &1000_u16.to_be_bytes()))?;
        self.must_close(None, 1000, SLACK)
    }

    /// See [`Link::reset`].
    pub(crate) fn reset(self) -> Result<(), Wrong> {
        self.link.reset()
    }

    /// Waits for the server's close, does not answer it, and has the connection end in so much time.
    pub(crate) fn hangs_up(mut self, close: u16, within: Duration) -> Result<(), Wrong> {
        while let Some(frame) = self.link.take_soon(Received::take)? {
            if frame.opcode == CLOSE {
                let code = frame.close_code();
                return if code == Some(close) {
                    self.link.ends(within)
                } else {
                    Err(Wrong(format!("closed with {code:?} instead of {close}")))
                };
            }
        }
        Err(Wrong("no close, but the end".to_owned()))
    }

    /// Reads to the end, and answers the close.
    fn end(mut self, within: Duration) -> Result<End, Wrong> {
        let by = Instant::now() + within + SLACK;
        let mut end = End { bye: None, close: None };
        loop {
            let left = by.saturating_duration_since(Instant::now());
            let Some(received) = self.link.take(Received::take, left)? else { return Ok(end) };
            match received.opcode {
                TEXT => {
                    let told = parsed(&received)?;
                    if told["type"] == "bye" {
                        end.bye = told["code"].as_str().map(str::to_owned);
                    }
                }
                CLOSE => {
                    end.close = received.close_code();
                    self.link.write_as_far_as_possible(&frame(FIN | CLOSE, &received.payload));
                }
                _ => {}
            }
        }
    }
}

fn parsed(frame: &Received) -> Result<Value, Wrong> {
    serde_json::from_slice(&frame.payload).map_err(|error| Wrong(format!("no JSON: {error}")))
}
