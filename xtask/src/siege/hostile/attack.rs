//! What all kinds of hostile clients have in common, and the list of them.

use std::time::Duration;

use super::{
    super::wire::{Target, User, Wrong},
    answering, control_frames, cookies, deaf, fields, fragments, half_open, hoarding, lengths,
    logouts, looking, malformed, messages, methods, names, no_http, no_websocket, origins,
    oversized, requests, rooms, sessions, silent, slow_body, slow_frame, strangers, torn, unread,
    violations,
};

/// One kind of hostile client.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Attack {
    pub(in super::super) name: &'static str,
    /// What is documented for it.
    pub(in super::super) answer: &'static str,
    /// No round is begun so shortly before the end.
    pub(in super::super) takes: Duration,
    /// Does it once, and holds what comes of it against what is documented.
    pub(super) round: fn(&Attacker) -> Result<(), Wrong>,
}

/// Who does it.
#[derive(Debug)]
pub(super) struct Attacker {
    pub(super) user: User,
    /// Where nobody else is.
    pub(super) room: String,
    /// From 1 on.
    pub(super) round: u64,
}

impl Attacker {
    pub(super) const fn target(&self) -> Target {
        self.user.target
    }
}

/// What is answered at once is done in this time, however busy it is.
pub(super) const SHORT: Duration = Duration::from_secs(2);

/// All there are.
pub(in super::super) const ALL: [Attack; 47] = [
    cookies::FORGED,
    cookies::TRUNCATED,
    cookies::OF_OTHERS,
    cookies::LOGGED_OUT,
    logouts::FLOOD,
    strangers::WITHOUT_COOKIE,
    origins::FOREIGN_PAGES,
    origins::FOREIGN_FORMS,
    methods::WRONG,
    names::UNSEEN_CHARACTERS,
    names::TAKEN,
    names::LOOKING_ALIKE,
    names::OF_ROOMS,
    hoarding::OF_ONE_BROWSER,
    hoarding::OF_MANY_BROWSERS,
    fields::FORGED,
    oversized::BODIES,
    oversized::HEADS,
    looking::ROOMS,
    silent::FROM_THE_START,
    silent::AFTER_HALF_A_HEAD,
    silent::AFTER_AN_ANSWER,
    slow_body::FORM,
    slow_body::POST,
    unread::ANSWERS,
    no_http::GARBAGE,
    no_websocket::HANDSHAKES,
    malformed::FLOOD,
    malformed::ODD_FRAMES,
    control_frames::FLOOD,
    fragments::EMPTY,
    fragments::TINY,
    fragments::NEVER_FINISHED,
    lengths::GIANT,
    violations::OF_FRAMING,
    violations::OF_UTF8,
    messages::FLOOD,
    requests::FLOOD,
    requests::PAGES_FOR_ALL_SOCKETS,
    rooms::MANY,
    sessions::MANY,
    deaf::NEVER_READS,
    deaf::SEVERAL,
    torn::RESET_IN_A_FRAME,
    half_open::SILENT_PEER,
    slow_frame::BYTE_BY_BYTE,
    answering::NEVER_A_CLOSE,
];
