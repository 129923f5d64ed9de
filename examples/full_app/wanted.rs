//! The room that somebody was sent a link to, remembered while they choose a name.

use axum::http::{HeaderMap, HeaderValue};
use chatrooms::RoomName;
use cookie::{Cookie, time::Duration};
use percent_encoding::percent_decode_str;

use crate::{cookie_form::CookieForm, room::segment};

const NAME: &str = "chatrooms_room";
const WHILE: Duration = Duration::minutes(5);

/// The header that remembers it.
pub(crate) fn remember(form: CookieForm, room: &RoomName) -> HeaderValue {
    let mut cookie = Cookie::new(NAME, segment(room));
    cookie.set_max_age(WHILE);
    form.set(cookie)
}

/// The header that forgets it.
pub(crate) fn forget(form: CookieForm) -> HeaderValue {
    form.remove(NAME)
}

/// The room, where a good one was remembered.
pub(crate) fn room(form: CookieForm, headers: &HeaderMap) -> Option<RoomName> {
    form.all(headers, NAME).find_map(|cookie| {
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
        for (form, other) in
            [(CookieForm::Plain, CookieForm::Host), (CookieForm::Host, CookieForm::Plain)]
        {
            for name in ["lounge", "late; night=shift, \u{1f600}/\""] {
                let wanted = RoomName::new(name).unwrap();
                let set = remember(form, &wanted);
                let pair = set.to_str().unwrap().split(';').next().unwrap().to_owned();
                let headers =
                    HeaderMap::from_iter([(header::COOKIE, HeaderValue::try_from(pair).unwrap())]);
                assert_eq!(room(form, &headers), Some(wanted));
                assert_eq!(room(other, &headers), None);
            }
            assert_eq!(room(form, &HeaderMap::new()), None);
        }
    }
}
