//! Frames of text as they go into a socket (RFC 6455, 5.2): final, not masked. What is told to many is framed once.

use bytes::Bytes;
use serde::Serialize;

const FINAL_TEXT: u8 = 0x81;
/// The most bytes of a frame's header.
const HEADER: usize = 10;
/// Most frames fit, so that nothing is moved while they are written.
const USUAL: usize = 256;

/// Writes a frame of JSON. What this crate writes can always be written; a frame without a byte stands for what cannot happen.
pub(crate) fn encode<T: Serialize>(value: &T) -> Bytes {
    let mut frame = Vec::with_capacity(HEADER + USUAL);
    frame.resize(HEADER, 0);
    if serde_json::to_writer(&mut frame, value).is_err() {
        return Bytes::new();
    }
    let start = put_header(&mut frame);
    let mut frame = Bytes::from(frame);
    frame.split_off(start)
}

/// Puts the header right before the text, which begins after the place for the longest one; returns where the frame begins.
fn put_header(frame: &mut [u8]) -> usize {
    let length = frame.len() - HEADER;
    let mut put = |header: &[u8]| {
        let start = HEADER - header.len();
        frame[start..HEADER].copy_from_slice(header);
        start
    };
    match (u8::try_from(length), u16::try_from(length)) {
        (Ok(length), _) if length < 126 => put(&[FINAL_TEXT, length]),
        (_, Ok(length)) => {
            let [a, b] = length.to_be_bytes();
            put(&[FINAL_TEXT, 126, a, b])
        }
        _ => {
            let [a, b, c, d, e, f, g, h] = (length as u64).to_be_bytes();
            put(&[FINAL_TEXT, 127, a, b, c, d, e, f, g, h])
        }
    }
}

/// The text of a frame, for a socket that frames by itself.
pub(crate) fn text(frame: &Bytes) -> Bytes {
    let header = match frame.get(1) {
        None => 0,
        Some(126) => 4,
        Some(127) => 10,
        Some(_) => 2,
    };
    frame.slice(header..)
}

#[cfg(test)]
mod tests {
    use tokio_tungstenite::tungstenite::protocol::frame::{
        Frame,
        coding::{Data, OpCode},
    };

    use super::*;

    #[test]
    fn a_frame_is_what_the_websocket_layer_would_make_of_it() {
        for length in [2, 125, 126, 65_535, 65_536, 70_000] {
            let body = "x".repeat(length - 2);
            let mut theirs = Vec::new();
            let json = Bytes::from(format!("\"{body}\""));
            Frame::message(json, OpCode::Data(Data::Text), true).format(&mut theirs).unwrap();
            assert!(encode(&body) == theirs, "{length} bytes");
        }
    }

    #[test]
    fn every_length_has_the_shortest_header_that_can_say_it() {
        let lengths = [
            (2, &[2][..]),
            (125, &[125]),
            (126, &[126, 0, 126]),
            (65_535, &[126, 0xff, 0xff]),
            (65_536, &[127, 0, 0, 0, 0, 0, 1, 0, 0]),
        ];
        for (length, said) in lengths {
            let body = "x".repeat(length - 2);
            let frame = encode(&body);
            assert_eq!(frame[0], FINAL_TEXT);
            assert_eq!(&frame[1..=said.len()], said, "{length}");
            assert_eq!(frame.len(), 1 + said.len() + length);
            assert_eq!(text(&frame), format!("\"{body}\""));
        }
        assert!(text(&Bytes::new()).is_empty());
    }
}
