//! Headers that every answer carries.

use std::sync::Arc;

use axum::{
    extract::State,
    http::{HeaderName, HeaderValue, header},
    response::Response,
};

use crate::site::Site;

/// Everything the page loads comes from this server, and nothing is written into it.
const POLICY: &str = "default-src 'self'; script-src 'self'; style-src 'self'; connect-src 'self'; \
    img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

const ALWAYS: [(HeaderName, &str); 3] = [
    (header::CONTENT_SECURITY_POLICY, POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "same-origin"),
];

/// For a week, browsers that have been here over TLS come by nothing else. Longer, and whoever gives TLS up would lose them; it binds
/// neither the domain's other hosts nor those who reach this one by plain http, whose browsers do not listen to it.
const OVER_TLS: (HeaderName, &str) = (header::STRICT_TRANSPORT_SECURITY, "max-age=604800");

pub(crate) async fn add(State(site): State<Arc<Site>>, mut response: Response) -> Response {
    let over_tls = matches!(*site, Site::Https { .. }).then_some(OVER_TLS);
    for (name, value) in ALWAYS.into_iter().chain(over_tls) {
        response.headers_mut().entry(name).or_insert(HeaderValue::from_static(value));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_over_tls_browsers_are_told_to_stay_with_it() {
        let tls = "https://chat.example.org".parse::<Site>().unwrap();
        for (site, told) in [(Site::default(), None), (tls, Some("max-age=604800"))] {
            let response = add(State(site.into()), Response::default()).await;
            let headers = response.headers();
            let said = headers.get(header::STRICT_TRANSPORT_SECURITY);
            assert_eq!(said.map(|value| value.to_str().unwrap()), told);
            assert!(headers.contains_key(header::CONTENT_SECURITY_POLICY));
        }
    }
}
