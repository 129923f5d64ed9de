//! Where credentials stand in a request: four ways to carry a token, and what each of them costs.
//!
//! | where | who can send it there | what it costs |
//! | --- | --- | --- |
//! | [`cookie`] | browsers, by themselves | every page can make a browser send it: [`Origins`](crate::Origins) has to keep foreign pages out |
//! | [`bearer`] | programs, and a page's `fetch`; no page can for a WebSocket | nothing |
//! | [`subprotocol`] | pages and programs, for a WebSocket only | its characters are few; the page's scripts can read it |
//! | [`query`] | everybody | it ends up in the logs of every proxy and server on the way |
//!
//! They only find the text; whether it is good is for the host to say, best by looking it up by its hash, so that the time this takes tells nothing. A page opens a socket with a token of its own and asks the other routes with
//! a header, so that an [`Authenticator`](crate::Authenticator) for pages of other sites reads two of them:
//!
//! ```
//! use chatrooms_core::Identity;
//! use chatrooms_ws::{Refusal, credentials};
//! # fn look_up(token: &str) -> Option<Identity> { (token == "ABC").then(|| Identity::new("ada".parse().unwrap())) }
//!
//! fn by_token(request: &http::request::Parts) -> Result<Identity, Refusal> {
//!     let token = credentials::bearer(request).or_else(|| credentials::subprotocol(request, "token."));
//!     token.and_then(look_up).ok_or(Refusal::Unauthorized)
//! }
//! # let (request, _) = http::Request::get("/ws").header("authorization", "Bearer ABC").body(()).unwrap().into_parts();
//! # assert_eq!(by_token(&request).unwrap().user().as_str(), "ada");
//! ```
//!
//! # What is no credential
//!
//! All of them are strict, because two readers of one request, such as a proxy and the host, must not take different ones: what is
//! empty or malformed is none, and where several stand that differ, there is none. Several that are the same are that one.

use std::borrow::Cow;

use http::{header, request::Parts};

use crate::upgrade::{PROTOCOL, tokens};

/// The value of the cookie of that name, as it stands there.
///
/// Browsers send cookies by themselves, whatever page asks: leave [`Origins`](crate::Origins) at the same host, or list the pages that may,
/// and set the cookie `HttpOnly`, `Secure` and `SameSite=Lax` or stricter. A neighbouring site such as `evil.example.org` can set cookies for all of
/// `example.org`; one whose name begins with `__Host-` it cannot set.
///
/// A value that is not of visible ASCII characters is none, and other cookies may be as they like. Where two of this name differ, it is none:
/// a host that can tell which is its own, such as by a signature, goes through [`cookies`].
///
/// ```
/// # use chatrooms_ws::credentials;
/// # let request = http::Request::get("/ws").header("cookie", "theme=dark; __Host-session=ABC").body(()).unwrap();
/// # let (request, _) = request.into_parts();
/// // Cookie: theme=dark; __Host-session=ABC
/// assert_eq!(credentials::cookie(&request, "__Host-session"), Some("ABC"));
/// assert_eq!(credentials::cookie(&request, "session"), None);
/// ```
#[must_use]
pub fn cookie<'r>(request: &'r Parts, name: &str) -> Option<&'r str> {
    the_one(values(request, name)).flatten()
}

/// The values of all cookies of that name, in the order in which they stand there: browsers put those first that are for the longest path.
///
/// ```
/// # use chatrooms_ws::credentials;
/// # let request = http::Request::get("/ws").header("cookie", "session=old; session=new").body(()).unwrap();
/// # let (request, _) = request.into_parts();
/// # fn is_signed(value: &&str) -> bool { *value == "new" }
/// // Cookie: session=old; session=new
/// assert_eq!(credentials::cookies(&request, "session").find(is_signed), Some("new"));
/// ```
pub fn cookies<'r>(request: &'r Parts, name: &str) -> impl Iterator<Item = &'r str> {
    values(request, name).flatten()
}

/// `None` in the place of one that is malformed.
fn values<'r>(request: &'r Parts, name: &str) -> impl Iterator<Item = Option<&'r str>> {
    // Taken apart as bytes: a neighbour's cookie that is no text must not hide ours.
    let lists = request.headers.get_all(header::COOKIE).iter();
    let pairs = lists.flat_map(|list| list.as_bytes().split(|byte| *byte == b';'));
    pairs.filter_map(move |pair| {
        let value = pair.trim_ascii().strip_prefix(name.as_bytes())?.strip_prefix(b"=")?;
        Some(word(value))
    })
}

/// The token of an `Authorization: Bearer` header.
///
/// No browser sends it by itself, and no page can send it with a WebSocket: it is for programs, and for the routes beside the socket. It needs no
/// [`Origins`](crate::Origins) rule.
///
/// The scheme counts in any case. The token is one word of visible ASCII characters; two headers that differ are none.
///
/// ```
/// # use chatrooms_ws::credentials;
/// # let request = http::Request::get("/ws").header("authorization", "Bearer ABC").body(()).unwrap();
/// # let (request, _) = request.into_parts();
/// // Authorization: Bearer ABC
/// assert_eq!(credentials::bearer(&request), Some("ABC"));
/// ```
#[must_use]
pub fn bearer(request: &Parts) -> Option<&str> {
    let headers = request.headers.get_all(header::AUTHORIZATION).iter();
    // Another scheme beside it is a difference, too.
    the_one(headers.map(|value| bearer_token(value.as_bytes()))).flatten()
}

fn bearer_token(value: &[u8]) -> Option<&str> {
    const SCHEME: &[u8] = b"Bearer";
    let (scheme, rest) = value.split_at_checked(SCHEME.len())?;
    let spaces = rest.iter().take_while(|byte| **byte == b' ').count();
    let is_bearer = scheme.eq_ignore_ascii_case(SCHEME) && spaces > 0;
    if is_bearer { word(&rest[spaces..]) } else { None }
}

/// The parameter of that name in the query, decoded.
///
/// Addresses are logged: by this service, by every proxy before it, by whatever watches them. Let such a token be good for one handshake or for a minute
/// at most, and keep the real credential out of it; the client module asks for a new one before each attempt. Nobody sends it by itself, so
/// that it needs no [`Origins`](crate::Origins) rule.
///
/// It is decoded as forms are: `+` is a space, so that Base64 is better in its form for URLs. What is no UTF-8 is none, and
/// so are two that differ.
///
/// ```
/// # use chatrooms_ws::credentials;
/// # let (request, _) = http::Request::get("/ws?room=lobby&ticket=A%2FB").body(()).unwrap().into_parts();
/// // GET /ws?room=lobby&ticket=A%2FB
/// assert_eq!(credentials::query(&request, "ticket").as_deref(), Some("A/B"));
/// ```
#[must_use]
pub fn query<'r>(request: &'r Parts, name: &str) -> Option<Cow<'r, str>> {
    let query = request.uri.query().unwrap_or_default();
    let pairs = form_urlencoded::parse(query.as_bytes());
    let value = the_one(pairs.filter(|(key, _)| key == name).map(|(_, value)| value))?;
    // What stands for bytes that are no UTF-8.
    let is_whole = !value.is_empty() && !value.contains(char::REPLACEMENT_CHARACTER);
    is_whole.then_some(value)
}

/// What stands behind a prefix of the host's choice in one of the subprotocols that are offered.
///
/// A page cannot set headers on a WebSocket, but it can offer subprotocols: `new WebSocket(url, ["chatrooms.v1.json", "token.ABC"])`, or
/// `subprotocols: ["token.ABC"]` in the client module. Only `chatrooms.v1.json` is ever echoed, and it has to be offered too. The token stands in
/// no address, and nobody sends it by itself, so that it needs no [`Origins`](crate::Origins) rule. The routes beside the socket have
/// no subprotocols: there, pages send [`bearer`].
///
/// A browser refuses to offer anything but letters, digits and ``!#$%&'*+-.^_`|~``: a JWT will do, and Base64 in its form for URLs without padding.
/// Anything else here is none, and so are two that differ.
///
/// ```
/// # use chatrooms_ws::credentials;
/// # let offer = "chatrooms.v1.json, token.ABC";
/// # let request = http::Request::get("/ws").header("sec-websocket-protocol", offer).body(()).unwrap();
/// # let (request, _) = request.into_parts();
/// // Sec-WebSocket-Protocol: chatrooms.v1.json, token.ABC
/// assert_eq!(credentials::subprotocol(&request, "token."), Some("ABC"));
/// ```
#[must_use]
pub fn subprotocol<'r>(request: &'r Parts, prefix: &str) -> Option<&'r str> {
    let offered = tokens(&request.headers, header::SEC_WEBSOCKET_PROTOCOL);
    let foreign = offered.filter(|one| *one != PROTOCOL);
    let token = the_one(foreign.filter_map(|one| one.strip_prefix(prefix)))?;
    (!token.is_empty() && token.bytes().all(is_token_character)).then_some(token)
}

/// The one that there is, be it said more than once.
fn the_one<T: PartialEq>(mut all: impl Iterator<Item = T>) -> Option<T> {
    let first = all.next()?;
    all.all(|other| other == first).then_some(first)
}

/// Bytes that are one word of visible ASCII characters.
fn word(bytes: &[u8]) -> Option<&str> {
    let is_word = !bytes.is_empty() && bytes.iter().all(u8::is_ascii_graphic);
    if is_word { std::str::from_utf8(bytes).ok() } else { None }
}

const fn is_token_character(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'!' | b'#'
                | b'$'
                | b'%'
                | b'&'
                | b'\''
                | b'*'
                | b'+'
                | b'-'
                | b'.'
                | b'^'
                | b'_'
                | b'`'
                | b'|'
                | b'~'
        )
}

#[cfg(test)]
mod tests;
