//! Violations of WebSocket itself.

use super::{
    super::wire::{CLOSE, CONTINUATION, FIN, PING, SLACK, TEXT, frame},
    attack::{Attack, SHORT},
};

pub(super) const OF_FRAMING: Attack = Attack {
    name: "frames that RFC 6455 forbids",
    answer: "1002",
    takes: SHORT,
    round: |attacker| {
        let unmasked = [vec![FIN | TEXT, 2], b"{}".to_vec()].concat();
        let within = [frame(TEXT, b"{"), frame(FIN | TEXT, b"}")].concat();
        for bytes in [
            unmasked,
            within,
            frame(FIN | 0x40 | TEXT, b"{}"),
            frame(FIN | 0x10 | TEXT, b"{}"),
            frame(FIN | 3, b"{}"),
            frame(FIN | 11, b""),
            frame(FIN | CONTINUATION, b"}"),
            frame(PING, b"in pieces"),
            frame(FIN | PING, &[b'x'; 126]),
            frame(FIN | CLOSE, b"x"),
        ] {
            let mut socket = attacker.user.open()?;
            socket.write_as_far_as_possible(&bytes);
            socket.must_close(None, 1002, SLACK)?;
        }
        Ok(())
    },
};

pub(super) const OF_UTF8: Attack = Attack {
    name: "text that is no UTF-8",
    answer: "1007",
    takes: SHORT,
    round: |attacker| {
        for text in [&b"\xff\xfe"[..], b"{\"type\":\"\xc3\x28\"}", b"\xed\xa0\x80"] {
            let mut socket = attacker.user.open()?;
            socket.write(&frame(FIN | TEXT, text))?;
            socket.must_close(None, 1007, SLACK)?;
        }
        Ok(())
    },
};
