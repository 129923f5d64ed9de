//! How all cookies of this application are named and guarded.

use axum::http::{HeaderMap, HeaderValue, header};
use cookie::{Cookie, SameSite, time::Duration};

/// A cookie of one form is none in the other: neither is what came by plain http believed over TLS, nor the other way round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CookieForm {
    /// For plain http, where browsers keep no cookie of the other form.
    Plain,
    /// `__Host-`: browsers take it from this very host alone, not from a neighbour in its domain, and only ever send it over TLS.
    Host,
}

impl CookieForm {
    /// Every cookie of that name: a browser may send several, of different paths.
    pub(crate) fn all(
        self,
        headers: &HeaderMap,
        name: &'static str,
    ) -> impl Iterator<Item = Cookie<'static>> {
        let name = self.full(name);
        // Taken apart as bytes: a neighbour's cookie that is no text must not hide ours.
        let lines = headers.get_all(header::COOKIE).iter();
        let pairs = lines.flat_map(|line| line.as_bytes().split(|byte| *byte == b';'));
        let texts = pairs.filter_map(|pair| std::str::from_utf8(pair).ok());
        let cookies = texts.filter_map(|pair| Cookie::parse(pair).ok());
        cookies.filter(move |cookie| cookie.name() == name).map(Cookie::into_owned)
    }

    /// The header that sets a cookie no script may read, and that no other site's form brings along.
    pub(crate) fn set(self, mut cookie: Cookie<'static>) -> HeaderValue {
        cookie.set_name(self.full(cookie.name()));
        cookie.set_http_only(true);
        cookie.set_same_site(SameSite::Lax);
        cookie.set_path("/");
        cookie.set_secure(self == Self::Host);
        // Names are constants, and values come percent-encoded.
        HeaderValue::try_from(cookie.to_string()).unwrap_or_else(|_| HeaderValue::from_static(""))
    }

    /// The header that removes a cookie.
    pub(crate) fn remove(self, name: &'static str) -> HeaderValue {
        let mut cookie = Cookie::new(name, "");
        cookie.set_max_age(Duration::ZERO);
        self.set(cookie)
    }

    fn full(self, name: &str) -> String {
        match self {
            Self::Plain => name.to_owned(),
            Self::Host => format!("__Host-{name}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: &str = "x=1; HttpOnly; SameSite=Lax; Path=/";
    const HOST: &str = "__Host-x=1; HttpOnly; SameSite=Lax; Secure; Path=/";

    #[test]
    fn every_cookie_is_guarded_as_well_as_its_form_can_be() {
        for (form, set) in [(CookieForm::Plain, PLAIN), (CookieForm::Host, HOST)] {
            assert_eq!(form.set(Cookie::new("x", "1")), set);
            let removed = set.replace("=1;", "=;");
            assert_eq!(form.remove("x"), format!("{removed}; Max-Age=0").as_str());
        }
    }

    #[test]
    fn cookies_of_the_other_form_are_not_read() {
        let line = HeaderValue::from_static("x=plain; __Host-x=host; __host-x=odd; __Secure-x=odd");
        let headers = HeaderMap::from_iter([(header::COOKIE, line)]);
        for (form, value) in [(CookieForm::Plain, "plain"), (CookieForm::Host, "host")] {
            let found: Vec<_> = form.all(&headers, "x").map(|one| one.value().to_owned()).collect();
            assert_eq!(found, [value]);
        }
    }
}
