//! A WebSocket whose frames the test builds byte by byte: for what no decent client library would send.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::in_time;

pub(crate) mod opcode {
    pub(crate) const CONTINUATION: u8 = 0x0;
    pub(crate) const TEXT: u8 = 0x1;
    pub(crate) const CLOSE: u8 = 0x8;
    pub(crate) const PING: u8 = 0x9;
    pub(crate) const PONG: u8 = 0xA;
}

const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

/// One frame, either direction; the fields are public so that a test can break each of them.
#[derive(Clone, Debug)]
pub(crate) struct Frame {
    pub(crate) fin: bool,
    pub(crate) reserved: u8,
    pub(crate) opcode: u8,
    pub(crate) masked: bool,
    pub(crate) payload: Vec<u8>,
}

impl Frame {
    pub(crate) fn new(opcode: u8, payload: impl Into<Vec<u8>>) -> Self {
        Self { fin: true, reserved: 0, opcode, masked: true, payload: payload.into() }
    }

    pub(crate) fn text(payload: &str) -> Self {
        Self::new(opcode::TEXT, payload)
    }

    pub(crate) fn unfinished(mut self) -> Self {
        self.fin = false;
        self
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut bytes = vec![(u8::from(self.fin) << 7) | (self.reserved << 4) | self.opcode];
        let mask_bit = u8::from(self.masked) << 7;
        match self.payload.len() {
            length @ 0..126 => bytes.push(mask_bit | length as u8),
            length @ 126..65536 => {
                bytes.push(mask_bit | 126);
                bytes.extend((length as u16).to_be_bytes());
            }
            length => {
                bytes.push(mask_bit | 127);
                bytes.extend((length as u64).to_be_bytes());
            }
        }
        if self.masked {
            bytes.extend(MASK);
        }
        let mask = |(index, byte): (usize, &u8)| byte ^ MASK[index % 4];
        match self.masked {
            true => bytes.extend(self.payload.iter().enumerate().map(mask)),
            false => bytes.extend(&self.payload),
        }
        bytes
    }

    /// The code of a close frame.
    pub(crate) fn close_code(&self) -> Option<u16> {
        let code = self.payload.first_chunk().copied().map(u16::from_be_bytes);
        code.filter(|_| self.opcode == opcode::CLOSE)
    }
}

pub(crate) struct RawSocket {
    stream: TcpStream,
    received: Vec<u8>,
}

impl RawSocket {
    pub(crate) fn new(stream: TcpStream, received: Vec<u8>) -> Self {
        Self { stream, received }
    }

    pub(crate) async fn write(&mut self, frame: &Frame) {
        self.write_bytes(&frame.bytes()).await;
    }

    pub(crate) async fn write_bytes(&mut self, bytes: &[u8]) {
        let written = self.try_write_bytes(bytes).await;
        assert!(written, "the server closed before it should have");
    }

    /// Writes unless the server has already gone.
    pub(crate) async fn try_write_bytes(&mut self, bytes: &[u8]) -> bool {
        in_time("the server to take bytes", self.stream.write_all(bytes)).await.is_ok()
    }

    /// The next frame, `None` after the last.
    pub(crate) async fn read(&mut self) -> Option<Frame> {
        in_time("a frame", self.read_unbounded()).await
    }

    /// The next text frame's payload; control frames are passed over.
    pub(crate) async fn text(&mut self) -> String {
        loop {
            let frame = self.read().await.expect("a text frame, not the end");
            if frame.opcode == opcode::TEXT {
                return String::from_utf8(frame.payload).expect("text is UTF-8");
            }
            assert_ne!(frame.opcode, opcode::CLOSE, "a text frame, not a close: {frame:?}");
        }
    }

    /// Reads to the end: all texts on the way, and the close code if a close frame came.
    pub(crate) async fn rest(mut self) -> (Vec<String>, Option<u16>) {
        let (mut texts, mut code) = (Vec::new(), None);
        while let Some(frame) = self.read().await {
            match frame.opcode {
                opcode::TEXT => texts.push(String::from_utf8(frame.payload).expect("UTF-8")),
                opcode::CLOSE => {
                    code = frame.close_code();
                    self.try_write_bytes(&frame.masked().bytes()).await;
                }
                _ => {}
            }
        }
        (texts, code)
    }

    /// Ends the connection with RST instead of FIN.
    pub(crate) fn reset(self) {
        self.stream.set_zero_linger().expect("a socket that can be reset");
    }

    async fn read_unbounded(&mut self) -> Option<Frame> {
        loop {
            if let Some((frame, length)) = parse(&self.received) {
                self.received.drain(..length);
                return Some(frame);
            }
            match self.stream.read_buf(&mut self.received).await {
                Ok(count) if count > 0 => {}
                _ => return None,
            }
        }
    }
}

impl Frame {
    fn masked(mut self) -> Self {
        self.masked = true;
        self
    }
}

/// The first frame of what has been received, and its length on the wire.
fn parse(bytes: &[u8]) -> Option<(Frame, usize)> {
    let (&first, &second) = (bytes.first()?, bytes.get(1)?);
    assert_eq!(second & 0x80, 0, "a server never masks");
    let (length, start) = match second & 0x7f {
        126 => (usize::from(u16::from_be_bytes(*bytes.get(2..)?.first_chunk()?)), 4),
        127 => (u64::from_be_bytes(*bytes.get(2..)?.first_chunk()?) as usize, 10),
        length => (usize::from(length), 2),
    };
    let payload = bytes.get(start..start + length)?.to_vec();
    let frame = Frame {
        fin: first & 0x80 != 0,
        reserved: (first >> 4) & 0x7,
        opcode: first & 0xf,
        masked: false,
        payload,
    };
    Some((frame, start + length))
}
