//! The query of a request.

use std::borrow::Cow;

use http::{Request, request::Parts};
use percent_encoding::percent_decode;

use crate::{credentials, routes::count, upgrade::rooms};

/// Every reader of a query finds the same in it, which is what forms mean by it.
///
/// # Panics
/// Where this does not hold.
pub fn query(bytes: &[u8]) {
    let uri = [b"/ws?", bytes].concat();
    let Ok(request) = Request::get(uri).body(()) else { return };
    let (parts, ()) = request.into_parts();
    let pairs = pairs(&parts);
    let named = |name: &str| {
        let values = pairs.iter().filter(|(key, _)| key == name);
        values.map(|(_, value)| value.as_str()).collect::<Vec<_>>()
    };

    assert_eq!(rooms(&parts), named("room"));

    let token = credentials::query(&parts, "room");
    let is_one = |one: &str| named("room").iter().all(|other| *other == one);
    let expected = named("room").first().copied().filter(|one| is_one(one) && !one.is_empty());
    let expected = expected.filter(|one| !one.contains(char::REPLACEMENT_CHARACTER));
    assert_eq!(token.as_deref(), expected, "a credential is the only one of its name, and whole");

    let limit = named("limit").first().copied();
    let is_count =
        |text: &str| text.bytes().all(|b| b.is_ascii_digit()) && text.contains(|c| c != '0');
    match count(&parts, "limit") {
        Ok(None) => assert_eq!(limit, None),
        Ok(Some(count)) => {
            assert!(count >= 1 && limit.is_some_and(is_count), "{limit:?} is {count}");
        }
        Err(_) => assert!(limit.is_some_and(|limit| !is_count(limit)), "{limit:?} is a count"),
    }
}

/// The names and values, by another way.
fn pairs(parts: &Parts) -> Vec<(String, String)> {
    let query = parts.uri.query().unwrap_or_default();
    let pieces = query.split('&').filter(|piece| !piece.is_empty());
    pieces
        .map(|piece| piece.split_once('=').unwrap_or((piece, "")))
        .map(|(name, value)| (decoded(name).into_owned(), decoded(value).into_owned()))
        .collect()
}

fn decoded(text: &str) -> Cow<'_, str> {
    let spaced = text.replace('+', " ");
    Cow::Owned(percent_decode(spaced.as_bytes()).decode_utf8_lossy().into_owned())
}
