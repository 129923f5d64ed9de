//! The client module, as browsers get it.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Response, StatusCode, header};

use crate::Answer;

const MODULE: &str = include_str!("../client/chatrooms.js");
const TYPES: &str = include_str!("../client/chatrooms.d.ts");
/// The files change only with the version of this crate; browsers ask whether they have.
const ETAG: &str = concat!("\"", env!("CARGO_PKG_VERSION"), "\"");

/// One of the files of the client module.
pub(crate) fn file(name: &str, request: &HeaderMap) -> Option<Answer> {
    let (content_type, text) = match name {
        "chatrooms.js" => ("text/javascript; charset=utf-8", MODULE),
        "chatrooms.d.ts" => ("application/typescript; charset=utf-8", TYPES),
        _ => return None,
    };
    let is_known = request.get(header::IF_NONE_MATCH).is_some_and(|etag| etag == ETAG);
    let body = if is_known { Bytes::new() } else { Bytes::from_static(text.as_bytes()) };
    let mut answer = Response::new(body);
    if is_known {
        *answer.status_mut() = StatusCode::NOT_MODIFIED;
    }
    let headers = answer.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.insert(header::ETAG, HeaderValue::from_static(ETAG));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    Some(answer)
}
