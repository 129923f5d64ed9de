//! The signed cookie that says who a visitor is.

use std::time::SystemTime;

use axum::http::{HeaderMap, HeaderValue};
use cookie::{Cookie, CookieJar, Key, time};
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use crate::{
    clock::{from_millis, to_millis},
    cookie_form::CookieForm,
    username,
    visitor::{BrowserId, Visitor},
};

const NAME: &str = "chatrooms";

/// Writes and reads the cookie. Whether its bearer has logged out meanwhile is for [`Names`](crate::names::Names) to say.
pub(crate) struct Cookies {
    key: Key,
    form: CookieForm,
}

impl Cookies {
    pub(crate) const fn new(key: Key, form: CookieForm) -> Self {
        Self { key, form }
    }

    /// The header that gives a browser its cookie.
    pub(crate) fn issue(&self, visitor: &Visitor) -> HeaderValue {
        let mut cookie = Cookie::new(NAME, write(visitor));
        let lifetime = time::Duration::seconds(Visitor::LIFETIME.as_secs().cast_signed());
        cookie.set_max_age(lifetime);
        let mut jar = CookieJar::new();
        jar.signed_mut(&self.key).add(cookie);
        self.form.set(jar.get(NAME).cloned().unwrap_or_else(|| Cookie::new(NAME, "")))
    }

    /// The header that takes it back.
    pub(crate) fn clear(&self) -> HeaderValue {
        self.form.remove(NAME)
    }

    /// Who the cookie of a request is, where it carries a good one.
    pub(crate) fn read(&self, headers: &HeaderMap, now: SystemTime) -> Option<Visitor> {
        self.form.all(headers, NAME).find_map(|cookie| self.verify(cookie, now))
    }

    fn verify(&self, cookie: Cookie<'static>, now: SystemTime) -> Option<Visitor> {
        let cookie = CookieJar::new().signed(&self.key).verify(cookie)?;
        parse(cookie.value()).filter(|visitor| now < visitor.expires())
    }
}

fn write(visitor: &Visitor) -> String {
    let Visitor { browser, user, issued } = visitor;
    let user = utf8_percent_encode(user.as_str(), NON_ALPHANUMERIC);
    format!("2.{browser}.{}.{user}", to_millis(*issued))
}

fn parse(value: &str) -> Option<Visitor> {
    let mut parts = value.strip_prefix("2.")?.splitn(3, '.');
    let browser = BrowserId::parse(parts.next()?)?;
    let issued = from_millis(parts.next()?.parse().ok()?)?;
    // A moment whose end no clock can tell would overflow it.
    issued.checked_add(Visitor::LIFETIME)?;
    let user = percent_decode_str(parts.next()?).decode_utf8().ok()?;
    // A cookie of an earlier version may hold a name that is none any more: whoever brings it is asked for another.
    Some(Visitor { browser, user: username::read(&user).ok()?, issued })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use axum::http::header;
    use chatrooms::UserName;

    use super::*;

    fn visitor(user: &str) -> Visitor {
        let issued = from_millis(1_700_000_000_000).unwrap();
        Visitor { browser: BrowserId([7; 16]), user: UserName::new(user).unwrap(), issued }
    }

    fn cookies() -> Cookies {
        Cookies::new(Key::derive_from(&[1; 32]), CookieForm::Plain)
    }

    /// The headers of a browser that was given this cookie.
    fn sent_back(issued: &HeaderValue) -> HeaderMap {
        let pair = issued.to_str().unwrap().split(';').next().unwrap().to_owned();
        HeaderMap::from_iter([(header::COOKIE, HeaderValue::try_from(pair).unwrap())])
    }

    #[test]
    fn what_was_issued_is_read() {
        for user in
            ["ada", "ada lovelace", "a;b=c.d,\"e\"", "\u{e4}\u{1f600}%", &"\u{1f600}".repeat(64)]
        {
            let visitor = visitor(user);
            let headers = sent_back(&cookies().issue(&visitor));
            assert_eq!(cookies().read(&headers, visitor.issued), Some(visitor));
        }
    }

    #[test]
    fn it_ends_with_its_time() {
        let visitor = visitor("ada");
        let headers = sent_back(&cookies().issue(&visitor));
        let moment = Duration::from_millis(1);
        assert!(cookies().read(&headers, visitor.expires() - moment).is_some());
        assert!(cookies().read(&headers, visitor.expires()).is_none());
    }

    #[test]
    fn no_other_key_and_no_other_text_will_do() {
        let visitor = visitor("ada");
        let issued = cookies().issue(&visitor);
        let other = Cookies::new(Key::derive_from(&[2; 32]), CookieForm::Plain);
        assert_eq!(other.read(&sent_back(&issued), visitor.issued), None);
        let forged = issued.to_str().unwrap().replace("ada", "eve");
        let forged = HeaderValue::try_from(forged).unwrap();
        assert_eq!(cookies().read(&sent_back(&forged), visitor.issued), None);
        for junk in
            [&b"chatrooms="[..], b"chatrooms", b"chatrooms=2.x.y.z", b"=", b"chatrooms=\xff"]
        {
            let junk = HeaderValue::from_bytes(junk).unwrap();
            let headers = HeaderMap::from_iter([(header::COOKIE, junk.clone())]);
            assert_eq!(cookies().read(&headers, visitor.issued), None, "{junk:?}");
        }
    }

    #[test]
    fn a_neighbours_cookie_that_is_no_text_does_not_hide_ours() {
        let visitor = visitor("ada");
        let issued = sent_back(&cookies().issue(&visitor));
        let ours = issued[header::COOKIE].as_bytes();
        let line = [&b"theme=\xe9; "[..], ours, b"; other=\xff"].concat();
        let line = HeaderValue::from_bytes(&line).unwrap();
        let headers = HeaderMap::from_iter([(header::COOKIE, line)]);
        assert_eq!(cookies().read(&headers, visitor.issued), Some(visitor));
    }

    #[test]
    fn over_tls_it_has_the_form_that_browsers_guard_and_no_other_is_read() {
        let visitor = visitor("ada");
        let plain = cookies().issue(&visitor);
        let over_tls = Cookies::new(Key::derive_from(&[1; 32]), CookieForm::Host);
        let guarded = over_tls.issue(&visitor);
        let text = guarded.to_str().unwrap();
        assert!(text.starts_with("__Host-chatrooms=") && text.contains("; Secure"), "{text}");
        assert!(!text.contains("Domain"), "{text}");
        assert_eq!(over_tls.read(&sent_back(&guarded), visitor.issued), Some(visitor.clone()));
        assert_eq!(over_tls.read(&sent_back(&plain), visitor.issued), None);
        assert_eq!(cookies().read(&sent_back(&guarded), visitor.issued), None);
        assert!(over_tls.clear().to_str().unwrap().starts_with("__Host-chatrooms=;"));
    }

    #[test]
    fn one_from_before_a_name_was_refused_is_not_read() {
        let visitor = visitor("\u{440}\u{430}ypal");
        let headers = sent_back(&cookies().issue(&visitor));
        assert_eq!(cookies().read(&headers, visitor.issued), None);
    }

    #[test]
    fn a_good_one_is_found_among_others() {
        let visitor = visitor("ada");
        let mut headers = sent_back(&cookies().issue(&visitor));
        headers.insert("x", "y".parse().unwrap());
        headers.append(header::COOKIE, "a=b; chatrooms=tossed".parse().unwrap());
        let good = headers.remove(header::COOKIE).unwrap();
        headers.append(header::COOKIE, "chatrooms=tossed".parse().unwrap());
        headers.append(header::COOKIE, good);
        assert_eq!(cookies().read(&headers, visitor.issued), Some(visitor));
    }

    #[test]
    fn no_script_and_no_other_site_gets_at_it() {
        let set = cookies().issue(&visitor("ada"));
        let set = set.to_str().unwrap();
        for attribute in ["HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=2592000"] {
            assert!(set.split("; ").any(|part| part == attribute), "{attribute} in {set}");
        }
        assert_eq!(cookies().clear(), "chatrooms=; HttpOnly; SameSite=Lax; Path=/; Max-Age=0");
    }
}
