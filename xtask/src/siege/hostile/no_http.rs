//! What is no HTTP.

use super::{
    super::wire::{Link, SLACK},
    attack::{Attack, SHORT},
};

pub(super) const GARBAGE: Attack = Attack {
    name: "what is no HTTP: TLS, line noise, NULs",
    answer: "400",
    takes: SHORT,
    round: |attacker| {
        let noise: [&[u8]; 4] = [
            b"\x16\x03\x01\x00\xf4\x01\x00\x00\xf0\x03\x03\r\n\r\n",
            b"\0\0\0\0\r\n\r\n",
            b"GET\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        ];
        for bytes in noise {
            let mut link = Link::new(attacker.target())?;
            link.write(bytes)?;
            link.answer(SHORT + SLACK)?.is(400)?;
        }
        Ok(())
    },
};
