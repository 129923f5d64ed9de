//! WebSocket frames (RFC 6455), as right or as wrong as they are to be.

pub(crate) const FIN: u8 = 0x80;
pub(crate) const CONTINUATION: u8 = 0;
pub(crate) const TEXT: u8 = 1;
pub(crate) const CLOSE: u8 = 8;
pub(crate) const PING: u8 = 9;
pub(crate) const PONG: u8 = 10;

/// A client has to mask; nobody minds that this changes nothing.
const MASK: [u8; 4] = [0; 4];

/// A client's frame with this first byte: whether it is the last of a message, reserved bits and what it is.
pub(crate) fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![first];
    match payload.len() {
        short @ ..126 => bytes.push(0x80 | short as u8),
        long @ ..0x1_0000 => {
            bytes.push(0x80 | 126);
            bytes.extend((long as u16).to_be_bytes());
        }
        long => {
            bytes.push(0x80 | 127);
            bytes.extend((long as u64).to_be_bytes());
        }
    }
    bytes.extend(MASK);
    bytes.extend(payload);
    bytes
}

/// A whole message.
pub(crate) fn text(payload: &str) -> Vec<u8> {
    frame(FIN | TEXT, payload.as_bytes())
}

/// A server's frame.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Received {
    pub(super) opcode: u8,
    pub(super) payload: Vec<u8>,
}

impl Received {
    /// Takes the first frame away from what has come, once it is whole.
    pub(super) fn take(bytes: &mut Vec<u8>) -> Option<Self> {
        let (&first, &second) = (bytes.first()?, bytes.get(1)?);
        let (start, length) = match second & 0x7f {
            126 => (4, u64::from(u16::from_be_bytes(*bytes.get(2..)?.first_chunk()?))),
            127 => (10, u64::from_be_bytes(*bytes.get(2..)?.first_chunk()?)),
            short => (2, u64::from(short)),
        };
        let end = start + usize::try_from(length).ok()?;
        let payload = bytes.get(start..end)?.to_vec();
        bytes.drain(..end);
        Some(Self { opcode: first & 0x0f, payload })
    }

    /// What a close frame says.
    pub(super) fn close_code(&self) -> Option<u16> {
        self.payload.first_chunk().copied().map(u16::from_be_bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_taken_one_by_one_and_only_whole() {
        let mut bytes = vec![FIN | TEXT, 2, b'h', b'i', FIN | CLOSE, 2, 0x0f];
        let hi = Received::take(&mut bytes);
        assert_eq!(hi, Some(Received { opcode: TEXT, payload: b"hi".to_vec() }));
        assert_eq!(Received::take(&mut bytes), None);
        bytes.push(0xa0);
        let close = Received::take(&mut bytes).expect("it is whole now");
        assert_eq!((close.close_code(), bytes.len()), (Some(4000), 0));
        let mut long = [vec![FIN | TEXT, 126, 0, 200], vec![b'x'; 200]].concat();
        assert_eq!(Received::take(&mut long).map(|frame| frame.payload.len()), Some(200));
    }

    #[test]
    fn a_clients_frame_is_masked_and_says_its_length() {
        assert_eq!(frame(FIN | PING, b"x"), [0x89, 0x81, 0, 0, 0, 0, b'x']);
        let long = frame(FIN | TEXT, &[b'x'; 300]);
        assert_eq!((&long[..4], long.len()), (&[0x81, 0xfe, 1, 44][..], 308));
    }
}
