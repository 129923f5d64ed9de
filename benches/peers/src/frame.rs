//! WebSocket frames (RFC 6455), as far as text in one piece needs them.

pub(crate) const TEXT: u8 = 1;
pub(crate) const BINARY: u8 = 2;
pub(crate) const CLOSE: u8 = 8;
pub(crate) const PING: u8 = 9;
pub(crate) const PONG: u8 = 10;

/// A client has to mask; with what, nobody minds here.
const MASK: [u8; 4] = [0x5a, 0xc3, 0x17, 0x8e];

/// What stands before a payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) opcode: u8,
    /// Where the payload begins.
    pub(crate) start: usize,
    /// Where it ends.
    pub(crate) end: usize,
    pub(crate) mask: Option<[u8; 4]>,
}

impl Header {
    /// The header at the beginning of `bytes`, once the whole frame is there.
    #[inline]
    pub(crate) fn of_whole_frame(bytes: &[u8]) -> Option<Self> {
        let &[first, second, ..] = bytes else { return None };
        let (mut start, length) = match second & 0x7f {
            126 => (4, u16::from_be_bytes(bytes.get(2..4)?.try_into().ok()?).into()),
            127 => {
                let length = u64::from_be_bytes(bytes.get(2..10)?.try_into().ok()?);
                (10, usize::try_from(length).ok()?)
            }
            short => (2, usize::from(short)),
        };
        let mut mask = None;
        if second & 0x80 != 0 {
            mask = Some(bytes.get(start..start + 4)?.try_into().ok()?);
            start += 4;
        }
        let end = start.checked_add(length)?;
        (end <= bytes.len()).then_some(Self { opcode: first & 0x0f, start, end, mask })
    }
}

/// A server's frame: its payload is put behind.
pub(crate) fn push_header(out: &mut Vec<u8>, opcode: u8, length: usize) {
    push_start(out, opcode, 0, length);
}

/// A client's whole frame.
pub(crate) fn push_masked(out: &mut Vec<u8>, opcode: u8, payload: &[u8]) {
    push_start(out, opcode, 0x80, payload.len());
    out.extend_from_slice(&MASK);
    out.extend(payload.iter().enumerate().map(|(at, byte)| byte ^ MASK[at & 3]));
}

fn push_start(out: &mut Vec<u8>, opcode: u8, masked: u8, length: usize) {
    out.push(0x80 | opcode);
    if length < 126 {
        out.push(masked | length as u8);
    } else if let Ok(length) = u16::try_from(length) {
        out.push(masked | 126);
        out.extend_from_slice(&length.to_be_bytes());
    } else {
        out.push(masked | 127);
        out.extend_from_slice(&(length as u64).to_be_bytes());
    }
}

/// Applies a mask, or takes it off again.
pub(crate) fn mask(payload: &mut [u8], mask: [u8; 4]) {
    payload.iter_mut().enumerate().for_each(|(at, byte)| *byte ^= mask[at & 3]);
}

#[cfg(test)]
mod tests {
    use super::{Header, MASK, TEXT, mask, push_header, push_masked};

    #[test]
    fn a_frame_is_read_as_it_was_written_whatever_its_length() {
        for length in [0, 1, 125, 126, 65_535, 65_536] {
            let payload = vec![b'x'; length];
            let mut frame = Vec::new();
            push_masked(&mut frame, TEXT, &payload);
            let header = Header::of_whole_frame(&frame).expect("a whole frame");
            assert_eq!((header.opcode, header.mask, header.end), (TEXT, Some(MASK), frame.len()));
            mask(&mut frame[header.start..], MASK);
            assert_eq!(&frame[header.start..header.end], payload);

            let mut frame = Vec::new();
            push_header(&mut frame, TEXT, length);
            frame.extend(payload);
            let header = Header::of_whole_frame(&frame).expect("a whole frame");
            assert_eq!((header.mask, header.end - header.start), (None, length));
        }
    }

    #[test]
    fn a_frame_that_is_not_whole_is_none() {
        let mut frame = Vec::new();
        push_masked(&mut frame, TEXT, &[b'x'; 300]);
        assert!((0..frame.len()).all(|end| Header::of_whole_frame(&frame[..end]).is_none()));
    }
}
