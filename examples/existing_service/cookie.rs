//! The cookie that carries the token of a login. A service behind TLS marks it `Secure` too.

use axum::http::{HeaderMap, header};
use cookie::Cookie;

const NAME: &str = "login";

pub(crate) fn set(token: &str) -> String {
    format!("{NAME}={token}; HttpOnly; SameSite=Lax; Path=/")
}

pub(crate) fn clear() -> String {
    format!("{NAME}=; HttpOnly; SameSite=Lax; Path=/; Max-Age=0")
}

/// The token that a request carries.
pub(crate) fn token(headers: &HeaderMap) -> Option<String> {
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
    let mut cookies = lines.flat_map(Cookie::split_parse).filter_map(Result::ok);
    cookies.find(|cookie| cookie.name() == NAME).map(|cookie| cookie.value().to_owned())
}
