//! Everything of the page that is not a template, out of the binary.

use std::hash::{DefaultHasher, Hasher};

use axum::{
    extract::Path,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use include_dir::{Dir, include_dir};

/// The folder as it was when the application was built.
pub(crate) static PAGE: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/examples/full_app/page");

/// `GET /static/{name}`
pub(crate) async fn serve(Path(name): Path<String>, request: HeaderMap) -> Response {
    let Some((content_type, contents)) = find(&name) else {
        return (StatusCode::NOT_FOUND, "no such file").into_response();
    };
    let tag = tag(contents);
    // A new version of the application has other files under the same names: ask each time, transfer once.
    let caching = [
        (header::ETAG, tag.clone()),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
    ];
    if has(&request, &tag) {
        return (StatusCode::NOT_MODIFIED, caching).into_response();
    }
    (caching, [(header::CONTENT_TYPE, content_type)], contents).into_response()
}

fn find(name: &str) -> Option<(&'static str, &'static [u8])> {
    let (_, extension) = name.rsplit_once('.')?;
    let content_type = match extension {
        "css" => "text/css; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "svg" => "image/svg+xml; charset=utf-8",
        "png" => "image/png",
        "woff2" => "font/woff2",
        _ => return None,
    };
    Some((content_type, PAGE.get_file(name)?.contents()))
}

fn tag(contents: &[u8]) -> HeaderValue {
    let mut hasher = DefaultHasher::new();
    hasher.write(contents);
    let tag = format!("\"{:016x}\"", hasher.finish());
    HeaderValue::try_from(tag).unwrap_or_else(|_| HeaderValue::from_static("\"\""))
}

fn has(request: &HeaderMap, tag: &HeaderValue) -> bool {
    let known = request.get_all(header::IF_NONE_MATCH).iter().filter_map(|line| line.to_str().ok());
    known.flat_map(|line| line.split(',')).any(|one| {
        let one = one.trim();
        one == "*" || one.trim_start_matches("W/").as_bytes() == tag.as_bytes()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_of_the_page_is_a_template_or_served() {
        for file in PAGE.files() {
            let name = file.path().to_str().unwrap();
            assert_eq!(find(name).is_some(), !name.ends_with(".html"), "{name}");
        }
        assert_eq!(PAGE.dirs().count(), 0, "/static/ is flat");
    }

    #[test]
    fn the_page_asks_only_for_files_that_are_there() {
        for file in PAGE.files() {
            let text = file.contents_utf8().unwrap();
            let asked = text
                .split("/static/")
                .skip(1)
                .map(|rest| rest.split(['"', '\'', '#', ')', '`']).next().unwrap());
            for name in asked {
                assert!(find(name).is_some(), "{name} in {}", file.path().display());
            }
        }
    }

    #[test]
    fn a_tag_is_recognised_in_all_its_spellings() {
        let tag = tag(b"contents");
        for known in [
            tag.to_str().unwrap().to_owned(),
            format!("\"x\", W/{}", tag.to_str().unwrap()),
            "*".into(),
        ] {
            let headers = HeaderMap::from_iter([(header::IF_NONE_MATCH, known.parse().unwrap())]);
            assert!(has(&headers, &tag), "{known}");
        }
        assert!(!has(&HeaderMap::new(), &tag));
        let headers =
            HeaderMap::from_iter([(header::IF_NONE_MATCH, HeaderValue::from_static("\"x\""))]);
        assert!(!has(&headers, &tag));
    }
}
