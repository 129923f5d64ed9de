//! The room that somebody was sent a link to, remembered while they choose a name.

use axum::http::{HeaderMap, HeaderValue};
use chatrooms::RoomName;
use cookie::{Cookie, time::Duration};
use percent_encoding::percent_decode_str;

use crate::{
    cookie::{all, remove, set},
    room::segment,
};

const NAME: &str = "chatrooms_room";
const WHILE: Duration = Duration::minutes(5);

/// The header that remembers it.
pub(crate) fn remember(room: &RoomName) -> HeaderValue {
    let mut cookie = Cookie::new(NAME, segment(room));
    cookie.set_max_age(WHILE);
    set(cookie)
}

/// The header that forgets it.
pub(crate) fn forget() -> HeaderValue {
    remove(NAME)
}

/// The room, where a good one was remembered.
pub(crate) fn room(headers: &HeaderMap) -> Option<RoomName> {
    all(headers, NAME).find_map(|cookie| {
        let name = percent_decode_str(cookie.value()).decode_utf8().ok()?;
        RoomName::new(&name).ok()
    })
}

#[cfg(test)]
mod tests {
    use axum::http::header;

    use super::*;

    #[test]
    fn what_was_remembered_is_found() {
        for name in ["lounge", "late; night=shift, \u{1f600}/\""] {
            let wanted = RoomName::new(name).unwrap();
            let set = remember(&wanted);
            let pair = set.to_str().unwrap().split(';').next().unwrap().to_owned();
            let headers =
                HeaderMap::from_iter([(header::COOKIE, HeaderValue::try_from(pair).unwrap())]);
            assert_eq!(room(&headers), Some(wanted));
        }
        assert_eq!(room(&HeaderMap::new()), None);
    }
}
