//! The signed cookie that says who a visitor is.

use std::time::SystemTime;

use axum::http::{HeaderMap, HeaderValue, header};
use cookie::{Cookie, CookieJar, Key, SameSite, time};
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use crate::{
    clock::{from_millis, to_millis},
    username,
    visitor::{BrowserId, Visitor},
};

const NAME: &str = "chatrooms";

/// Writes and reads the cookie. Whether its bearer has logged out meanwhile is for [`Names`](crate::names::Names) to say.
pub(crate) struct Cookies {
    key: Key,
}

impl Cookies {
    pub(crate) const fn new(key: Key) -> Self {
        Self { key }
    }

    /// The header that gives a browser its cookie.
    pub(crate) fn issue(&self, visitor: &Visitor) -> HeaderValue {
        let mut cookie = Cookie::new(NAME, write(visitor));
        let lifetime = time::Duration::seconds(Visitor::LIFETIME.as_secs().cast_signed());
        cookie.set_max_age(lifetime);
        let mut jar = CookieJar::new();
        jar.signed_mut(&self.key).add(cookie);
        set(jar.get(NAME).cloned().unwrap_or_else(|| Cookie::new(NAME, "")))
    }

    /// The header that takes it back.
    pub(crate) fn clear() -> HeaderValue {
        remove(NAME)
    }

    /// Who the cookie of a request is, where it carries a good one.
    pub(crate) fn read(&self, headers: &HeaderMap, now: SystemTime) -> Option<Visitor> {
        all(headers, NAME).find_map(|cookie| self.verify(cookie, now))
    }

    fn verify(&self, cookie: Cookie<'static>, now: SystemTime) -> Option<Visitor> {
        let cookie = CookieJar::new().signed(&self.key).verify(cookie)?;
        parse(cookie.value()).filter(|visitor| now < visitor.expires())
    }
}

/// Every cookie of that name: a browser may send several, of different paths.
pub(crate) fn all(headers: &HeaderMap, name: &str) -> impl Iterator<Item = Cookie<'static>> {
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
    let cookies = lines.flat_map(Cookie::split_parse).filter_map(Result::ok);
    cookies.filter(move |cookie| cookie.name() == name).map(Cookie::into_owned)
}

/// The header that sets a cookie no script may read, and that no other site's form brings along.
pub(crate) fn set(mut cookie: Cookie<'static>) -> HeaderValue {
    cookie.set_http_only(true);
    cookie.set_same_site(SameSite::Lax);
    cookie.set_path("/");
    // Names are constants, and values come percent-encoded.
    HeaderValue::try_from(cookie.to_string()).unwrap_or_else(|_| HeaderValue::from_static(""))
}

/// The header that removes a cookie.
pub(crate) fn remove(name: &'static str) -> HeaderValue {
    let mut cookie = Cookie::new(name, "");
    cookie.set_max_age(time::Duration::ZERO);
    set(cookie)
}

fn write(visitor: &Visitor) -> String {
    let Visitor { browser, user, issued } = visitor;
    let user = utf8_percent_encode(user.as_str(), NON_ALPHANUMERIC);
    format!("1.{browser}.{}.{user}", to_millis(*issued))
}

fn parse(value: &str) -> Option<Visitor> {
    let mut parts = value.strip_prefix("1.")?.splitn(3, '.');
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

    use chatrooms::UserName;

    use super::*;

    fn visitor(user: &str) -> Visitor {
        let issued = from_millis(1_700_000_000_000).unwrap();
        Visitor { browser: BrowserId([7; 16]), user: UserName::new(user).unwrap(), issued }
    }

    fn cookies() -> Cookies {
        Cookies::new(Key::derive_from(&[1; 32]))
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
        let other = Cookies::new(Key::derive_from(&[2; 32]));
        assert_eq!(other.read(&sent_back(&issued), visitor.issued), None);
        let forged = issued.to_str().unwrap().replace("ada", "eve");
        let forged = HeaderValue::try_from(forged).unwrap();
        assert_eq!(cookies().read(&sent_back(&forged), visitor.issued), None);
        for junk in
            [&b"chatrooms="[..], b"chatrooms", b"chatrooms=1.x.y.z", b"=", b"chatrooms=\xff"]
        {
            let junk = HeaderValue::from_bytes(junk).unwrap();
            let headers = HeaderMap::from_iter([(header::COOKIE, junk.clone())]);
            assert_eq!(cookies().read(&headers, visitor.issued), None, "{junk:?}");
        }
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
        assert_eq!(Cookies::clear(), "chatrooms=; HttpOnly; SameSite=Lax; Path=/; Max-Age=0");
    }
}
