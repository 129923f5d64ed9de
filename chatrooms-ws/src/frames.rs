//! Watches the frames of a client before anything is done with them: what the WebSocket layer above answers by itself or keeps to itself.

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use tokio::time::{Instant, Sleep, sleep_until};
use tokio_tungstenite::tungstenite::Error as WsError;

use crate::{Options, socket::after};

/// What no client needs to do, and many a hostile one does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Abuse {
    /// Too many pings and pongs in a second.
    ControlFrames,
    /// Too many fragments of one message.
    Fragments,
    /// A message that is not finished in time.
    MessageTime,
}

impl Abuse {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::ControlFrames => "control_frames",
            Self::Fragments => "fragments",
            Self::MessageTime => "message_time",
        }
    }
}

impl fmt::Display for Abuse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl std::error::Error for Abuse {}

/// For what nothing more is read, where it is for this.
pub(crate) fn abuse(error: &WsError) -> Option<Abuse> {
    let WsError::Io(error) = error else { return None };
    error.get_ref()?.downcast_ref().copied()
}

pub(crate) fn is_abuse(error: &WsError) -> bool {
    abuse(error).is_some()
}

/// Follows the headers of frames through the bytes of a connection. It looks at nothing else, and judges nothing that the layer above
/// judges: for that one the bytes are only bytes once more.
#[derive(Debug)]
pub(crate) struct Watch {
    limits: Limits,
    header: Vec<u8>,
    payload: u64,
    /// The fragments of the message that is not complete yet, and when it began.
    message: Option<(usize, Instant)>,
    /// Runs out when that has taken too long. Boxed because hardly any message comes in fragments.
    timer: Option<Pin<Box<Sleep>>>,
    /// The control frames since then.
    control: (usize, Instant),
}

#[derive(Debug)]
struct Limits {
    control_frames: usize,
    fragments: usize,
    message_time: Duration,
}

impl Watch {
    pub(crate) fn new(options: &Options) -> Self {
        let limits = Limits {
            control_frames: options.control_frames,
            fragments: options.fragments,
            message_time: options.message_time,
        };
        let control = (0, Instant::now());
        let header = Vec::with_capacity(14);
        Self { limits, header, payload: 0, message: None, timer: None, control }
    }

    /// Waits, where nothing comes any more, until a message that has begun has taken too long.
    pub(crate) fn poll_late(&mut self, cx: &mut Context<'_>) -> Poll<Abuse> {
        let Some((_, began)) = self.message else { return Poll::Pending };
        let late = after(began, self.limits.message_time);
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(late)));
        timer.as_mut().poll(cx).map(|()| Abuse::MessageTime)
    }

    /// Sees further bytes.
    pub(crate) fn see(&mut self, mut bytes: &[u8]) -> Result<(), Abuse> {
        while !bytes.is_empty() {
            let skipped = bytes.len().min(usize::try_from(self.payload).unwrap_or(usize::MAX));
            self.payload -= skipped as u64;
            bytes = &bytes[skipped..];
            while self.payload == 0
                && let Some((byte, rest)) = bytes.split_first()
            {
                self.header.push(*byte);
                bytes = rest;
                if let Some(payload) = payload(&self.header) {
                    let first = self.header[0];
                    self.header.clear();
                    self.payload = payload;
                    self.frame(first)?;
                }
            }
        }
        Ok(())
    }

    fn frame(&mut self, first: u8) -> Result<(), Abuse> {
        let (is_final, opcode) = (first & 0x80 != 0, first & 0x0f);
        let now = Instant::now();
        if opcode >= 8 {
            let (count, since) = &mut self.control;
            if now - *since >= Duration::from_secs(1) {
                (*count, *since) = (0, now);
            }
            *count += 1;
            if *count > self.limits.control_frames {
                return Err(Abuse::ControlFrames);
            }
        } else if is_final {
            (self.message, self.timer) = (None, None);
        } else {
            self.message.get_or_insert((0, now)).0 += 1;
        }
        match self.message {
            Some((fragments, _)) if fragments > self.limits.fragments => Err(Abuse::Fragments),
            Some((_, began)) if now - began > self.limits.message_time => Err(Abuse::MessageTime),
            _ => Ok(()),
        }
    }
}

/// The length of the payload that a header announces; `None` while the header is not complete.
fn payload(header: &[u8]) -> Option<u64> {
    let second = header.get(1)?;
    let mask = if second & 0x80 == 0 { 0 } else { 4 };
    let (length_bytes, short) = match second & 0x7f {
        126 => (2, 0),
        127 => (8, 0),
        short => (0, u64::from(short)),
    };
    if header.len() < 2 + length_bytes + mask {
        return None;
    }
    let long = header[2..2 + length_bytes].iter();
    Some(long.fold(short, |length, byte| length << 8 | u64::from(*byte)))
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use futures_util::FutureExt as _;

    use super::*;

    const PING: [u8; 6] = [0x89, 0x80, 1, 2, 3, 4];
    const START: [u8; 7] = [0x01, 0x81, 1, 2, 3, 4, b'x'];
    const MORE: [u8; 6] = [0x00, 0x80, 1, 2, 3, 4];
    const END: [u8; 6] = [0x80, 0x80, 1, 2, 3, 4];

    fn watch() -> Watch {
        Watch::new(&Options::default())
    }

    #[tokio::test(start_paused = true)]
    async fn frames_are_found_however_the_bytes_are_cut() {
        let mut bytes = Vec::new();
        for length in [0_usize, 1, 125, 126, 300, 65_535, 65_536, 70_000] {
            let mut header = vec![0x81];
            match length {
                0..126 => header.push(0x80 | u8::try_from(length).unwrap()),
                126..65_536 => {
                    header.push(0x80 | 126);
                    header.extend(u16::try_from(length).unwrap().to_be_bytes());
                }
                _ => {
                    header.push(0x80 | 127);
                    header.extend((length as u64).to_be_bytes());
                }
            }
            bytes.extend(header);
            // Every byte would be a ping, where it was taken for a header.
            bytes.extend([0x89; 4]);
            bytes.extend(std::iter::repeat_n(0x89, length));
        }
        for cut in [1, 2, 3, 7, 1000, bytes.len()] {
            let mut watch = watch();
            for part in bytes.chunks(cut) {
                assert_eq!(watch.see(part), Ok(()), "{cut}");
            }
            assert_eq!((watch.control.0, watch.payload, watch.header.len()), (0, 0, 0), "{cut}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_message_that_is_begun_and_left_is_late_after_its_time_and_no_other_is() {
        let mut watch = watch();
        let time = Options::default().message_time;
        assert_eq!(watch.see(&START), Ok(()));
        assert!(poll_fn(|cx| watch.poll_late(cx)).now_or_never().is_none());
        assert_eq!(watch.see(&END), Ok(()));
        tokio::time::advance(time).await;
        assert!(poll_fn(|cx| watch.poll_late(cx)).now_or_never().is_none());
        assert_eq!(watch.see(&START), Ok(()));
        let began = Instant::now();
        assert_eq!(poll_fn(|cx| watch.poll_late(cx)).await, Abuse::MessageTime);
        assert_eq!(began.elapsed(), time);
    }

    #[tokio::test(start_paused = true)]
    async fn twenty_control_frames_a_second_are_enough() {
        let mut watch = watch();
        for _ in 0..3 {
            assert_eq!(watch.see(&PING.repeat(20)), Ok(()));
            tokio::time::advance(Duration::from_secs(1)).await;
        }
        assert_eq!(watch.see(&PING.repeat(21)), Err(Abuse::ControlFrames));
    }

    #[tokio::test(start_paused = true)]
    async fn a_message_has_64_fragments_at_most_empty_ones_included() {
        let mut watch = watch();
        for _ in 0..3 {
            assert_eq!(watch.see(&START), Ok(()));
            assert_eq!(watch.see(&MORE.repeat(63)), Ok(()));
            assert_eq!(watch.see(&END), Ok(()));
        }
        assert_eq!(watch.see(&START), Ok(()));
        assert_eq!(watch.see(&MORE.repeat(64)), Err(Abuse::Fragments));
    }

    #[tokio::test(start_paused = true)]
    async fn a_message_is_complete_within_10_seconds() {
        let mut watch = watch();
        assert_eq!(watch.see(&START), Ok(()));
        tokio::time::advance(Duration::from_secs(9)).await;
        assert_eq!(watch.see(&PING), Ok(()));
        tokio::time::advance(Duration::from_secs(2)).await;
        assert_eq!(watch.see(&PING), Err(Abuse::MessageTime));
    }
}
