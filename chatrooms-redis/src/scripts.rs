//! The scripts, each of which is one step for everybody.

use redis::Script;

/// All scripts. Redis keeps them once it has seen them.
#[derive(Debug)]
pub(crate) struct Scripts {
    pub(crate) enter: Script,
    pub(crate) exit: Script,
    pub(crate) take_leave: Script,
    pub(crate) expire: Script,
    pub(crate) follow: Script,
    pub(crate) news: Script,
    pub(crate) append: Script,
    pub(crate) read: Script,
    pub(crate) redact: Script,
    pub(crate) trim: Script,
    pub(crate) impose: Script,
    pub(crate) remove: Script,
    pub(crate) close: Script,
    pub(crate) reap: Script,
    pub(crate) beat: Script,
    pub(crate) host: Script,
    pub(crate) bury: Script,
    pub(crate) order: Script,
    pub(crate) obey: Script,
    pub(crate) obeyed: Script,
    pub(crate) claim: Script,
    pub(crate) release: Script,
}

/// One that begins with what all of a room's have in common.
macro_rules! of_a_room {
    ($name:literal) => {
        Script::new(concat!(
            include_str!("scripts/room.lua"),
            include_str!(concat!("scripts/", $name, ".lua"))
        ))
    };
}

impl Scripts {
    pub(crate) fn new() -> Self {
        Self {
            enter: of_a_room!("enter"),
            exit: of_a_room!("exit"),
            take_leave: of_a_room!("take_leave"),
            expire: of_a_room!("expire"),
            follow: of_a_room!("follow"),
            news: of_a_room!("news"),
            append: of_a_room!("append"),
            read: of_a_room!("read"),
            redact: of_a_room!("redact"),
            trim: of_a_room!("trim"),
            impose: of_a_room!("impose"),
            remove: of_a_room!("remove"),
            close: of_a_room!("close"),
            reap: of_a_room!("reap"),
            beat: Script::new(include_str!("scripts/beat.lua")),
            host: Script::new(include_str!("scripts/host.lua")),
            bury: Script::new(include_str!("scripts/bury.lua")),
            order: Script::new(include_str!("scripts/order.lua")),
            obey: Script::new(include_str!("scripts/obey.lua")),
            obeyed: Script::new(include_str!("scripts/obeyed.lua")),
            claim: Script::new(include_str!("scripts/claim.lua")),
            release: Script::new(include_str!("scripts/release.lua")),
        }
    }
}
