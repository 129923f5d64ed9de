//! The watch over the frames of a client.

use std::time::{Duration, Instant};

use crate::{
    Options,
    frames::{Abuse, Watch},
};

const CONTROL_FRAMES: usize = 2;
const FRAGMENTS: usize = 3;

/// However the bytes of a connection are cut, the watch finds in them what is there by RFC 6455. The first byte says how they are cut.
///
/// # Panics
/// Where this does not hold.
pub fn frames(bytes: &[u8]) {
    let Some((&cut, bytes)) = bytes.split_first() else { return };
    let began = Instant::now();
    let expected = judged(bytes);
    for cut in [bytes.len().max(1), usize::from(cut).max(1), 1] {
        let mut options = Options::default();
        (options.control_frames, options.fragments) = (CONTROL_FRAMES, FRAGMENTS);
        let mut watch = Watch::new(&options);
        let seen = bytes.chunks(cut).try_for_each(|part| watch.see(part));
        // What is counted by the second is counted anew after one.
        if began.elapsed() < Duration::from_secs(1) {
            assert_eq!(seen, expected, "in parts of {cut} bytes");
        }
    }
}

/// What is to be found, by another way: frame by frame, with all bytes at hand.
fn judged(mut bytes: &[u8]) -> Result<(), Abuse> {
    let (mut control, mut fragments) = (0, 0);
    while let Some((first, length, rest)) = frame(bytes) {
        match (first & 0x0f, first & 0x80 != 0) {
            (8.., _) => control += 1,
            (_, true) => fragments = 0,
            (_, false) => fragments += 1,
        }
        if control > CONTROL_FRAMES {
            return Err(Abuse::ControlFrames);
        }
        if fragments > FRAGMENTS {
            return Err(Abuse::Fragments);
        }
        bytes = usize::try_from(length).ok().and_then(|length| rest.get(length..)).unwrap_or(&[]);
    }
    Ok(())
}

/// The first byte of a frame, the length of its payload, and what follows its header.
fn frame(bytes: &[u8]) -> Option<(u8, u64, &[u8])> {
    let ([first, second], rest) = bytes.split_first_chunk()?;
    let (length, rest) = match second & 0x7f {
        126 => {
            rest.split_first_chunk().map(|(long, rest)| (u16::from_be_bytes(*long).into(), rest))?
        }
        127 => rest.split_first_chunk().map(|(long, rest)| (u64::from_be_bytes(*long), rest))?,
        short => (u64::from(short), rest),
    };
    let rest = if second & 0x80 == 0 { rest } else { rest.get(4..)? };
    Some((*first, length, rest))
}
