//! What a message is known by: `~M`, the sender in 5, the number in 8 and the time in 16 hexadecimal digits, `~`.

/// How long a marker is.
pub(super) const LENGTH: usize = 2 + 5 + 8 + 16 + 1;

/// The first bytes.
pub(super) const START: &[u8] = b"~M";

/// Who sent what when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Marker {
    pub(super) sender: usize,
    pub(super) number: u32,
    /// Nanoseconds since the load began.
    pub(super) at: u64,
}

impl Marker {
    /// Reads one that begins where `bytes` does.
    #[inline]
    pub(super) fn read(bytes: &[u8]) -> Self {
        Self {
            sender: digits(&bytes[2..7]) as usize,
            number: digits(&bytes[7..15]) as u32,
            at: digits(&bytes[15..31]),
        }
    }

    /// Writes it to where `bytes` begins.
    pub(super) fn write(self, bytes: &mut [u8]) {
        bytes[..2].copy_from_slice(START);
        write_digits(self.sender as u64, &mut bytes[2..7]);
        write_digits(self.number.into(), &mut bytes[7..15]);
        write_digits(self.at, &mut bytes[15..31]);
        bytes[31] = b'~';
    }
}

#[inline]
fn digits(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |sum, &byte| sum << 4 | u64::from((byte & 15) + 9 * (byte >> 6)))
}

fn write_digits(number: u64, bytes: &mut [u8]) {
    for (place, byte) in bytes.iter_mut().rev().enumerate() {
        *byte = b"0123456789abcdef"[(number >> (4 * place) & 15) as usize];
    }
}

#[cfg(test)]
mod tests {
    use super::{LENGTH, Marker};

    #[test]
    fn a_marker_is_read_as_it_was_written() {
        let marker = Marker { sender: 0xabcde, number: u32::MAX, at: 0x0123_4567_89ab_cdef };
        let mut bytes = [b'x'; LENGTH];
        marker.write(&mut bytes);
        assert_eq!(Marker::read(&bytes), marker);
    }
}
