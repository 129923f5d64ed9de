//! The client module, as browsers get it.

use std::hash::{DefaultHasher, Hasher as _};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Response, StatusCode, header};

use crate::Answer;

const MODULE: &str = include_str!("../client/chatrooms.js");
const TYPES: &str = include_str!("../client/chatrooms.d.ts");

/// One of the files of the client module.
pub(crate) fn file(name: &str, request: &HeaderMap) -> Option<Answer> {
    let (content_type, text) = match name {
        "chatrooms.js" => ("text/javascript; charset=utf-8", MODULE),
        "chatrooms.d.ts" => ("application/typescript; charset=utf-8", TYPES),
        _ => return None,
    };
    let tag = tag(text);
    let is_known = knows(request, &tag);
    let body = if is_known { Bytes::new() } else { Bytes::from_static(text.as_bytes()) };
    let mut answer = Response::new(body);
    if is_known {
        *answer.status_mut() = StatusCode::NOT_MODIFIED;
    }
    let headers = answer.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    // Browsers ask each time whether the file has changed, and get it once.
    headers.insert(header::ETAG, tag);
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    Some(answer)
}

fn tag(text: &str) -> HeaderValue {
    let mut hasher = DefaultHasher::new();
    hasher.write(text.as_bytes());
    let tag = format!("\"{:016x}\"", hasher.finish());
    HeaderValue::try_from(tag).unwrap_or_else(|_| HeaderValue::from_static("\"\""))
}

/// Whether the browser says that it has what this tag stands for.
fn knows(request: &HeaderMap, tag: &HeaderValue) -> bool {
    let lists = request.get_all(header::IF_NONE_MATCH).iter().filter_map(|list| list.to_str().ok());
    lists
        .flat_map(|list| list.split(','))
        .map(str::trim)
        .any(|one| one == "*" || one.strip_prefix("W/").unwrap_or(one).as_bytes() == tag.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(if_none_match: Option<&str>) -> StatusCode {
        let mut request = HeaderMap::new();
        if let Some(tags) = if_none_match {
            request.insert(header::IF_NONE_MATCH, tags.parse().unwrap());
        }
        file("chatrooms.js", &request).unwrap().status()
    }

    #[test]
    fn a_file_is_sent_again_only_where_it_has_changed() {
        let tag = tag(MODULE);
        let tag = tag.to_str().unwrap();
        for known in [tag, &format!("W/{tag}"), &format!("\"old\", {tag}"), "*"] {
            assert_eq!(status(Some(known)), StatusCode::NOT_MODIFIED, "{known}");
        }
        for unknown in [None, Some("\"0.1.0\""), Some("")] {
            assert_eq!(status(unknown), StatusCode::OK, "{unknown:?}");
        }
        assert_ne!(super::tag(MODULE), super::tag(TYPES));
    }
}
