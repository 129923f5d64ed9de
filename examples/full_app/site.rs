//! Where browsers find the application.

use std::str::FromStr;

use chatrooms::ws::Origins;
use url::Url;

use crate::cookie_form::CookieForm;

/// How browsers reach the application, as far as the operator has said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Site {
    /// By whatever name it has for them, and without TLS: on this machine, or in a local network.
    #[default]
    Anywhere,
    /// At this origin alone, over the TLS of a proxy in front.
    Https {
        /// As browsers write it: `https://chat.example.org`.
        origin: String,
    },
}

impl Site {
    /// The pages that may open sockets and post.
    pub(crate) fn origins(&self) -> Origins {
        match self {
            Self::Anywhere => Origins::SameHost,
            Self::Https { origin } => Origins::These(vec![origin.clone()]),
        }
    }

    pub(crate) const fn cookie_form(&self) -> CookieForm {
        match self {
            Self::Anywhere => CookieForm::Plain,
            Self::Https { .. } => CookieForm::Host,
        }
    }
}

/// Reads a public URL.
impl FromStr for Site {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // A missing scheme would make one of the host, and missing slashes would be forgiven.
        if !text.contains("://") {
            return Err("write the scheme, too, such as https://chat.example.org");
        }
        let url =
            Url::parse(text).map_err(|_| "expected a URL such as https://chat.example.org")?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err("the scheme has to be https or http, such as https://chat.example.org");
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("leave out user and password, such as https://chat.example.org");
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err("leave out what begins with ? or #, such as https://chat.example.org");
        }
        if url.path() != "/" {
            return Err(
                "leave out the path, for the application needs a host of its own, such as https://chat.example.org",
            );
        }
        Ok(match url.scheme() {
            "https" => Self::Https { origin: url.origin().ascii_serialization() },
            _ => Self::Anywhere,
        })
    }
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderMap, header};

    use super::*;

    fn https(origin: &str) -> Site {
        Site::Https { origin: origin.to_owned() }
    }

    #[test]
    fn an_https_url_is_the_origin_that_browsers_will_name() {
        for (url, origin) in [
            ("https://chat.example.org", "https://chat.example.org"),
            ("https://chat.example.org/", "https://chat.example.org"),
            ("https://chat.example.org:443", "https://chat.example.org"),
            ("HTTPS://Chat.Example.ORG:8443/", "https://chat.example.org:8443"),
            ("https://m\u{fc}sli.example", "https://xn--msli-0ra.example"),
            ("https://[::1]:5443", "https://[::1]:5443"),
        ] {
            assert_eq!(url.parse(), Ok(https(origin)), "{url}");
        }
    }

    #[test]
    fn without_tls_all_is_as_if_nothing_had_been_said() {
        for url in ["http://192.168.0.7:5000", "http://chat.local/"] {
            assert_eq!(url.parse(), Ok(Site::Anywhere), "{url}");
        }
        assert_eq!(Site::default().origins(), Origins::SameHost);
        assert_eq!(Site::default().cookie_form(), CookieForm::Plain);
    }

    #[test]
    fn a_bad_url_says_what_to_do() {
        for (url, what) in [
            ("", "scheme"),
            ("chat.example.org", "scheme"),
            ("chat.example.org:443", "scheme"),
            ("//chat.example.org", "scheme"),
            ("https:chat.example.org", "scheme"),
            ("wss://chat.example.org", "https or http"),
            ("file:///srv", "https or http"),
            ("https://", "a URL such as"),
            ("https://chat example.org", "a URL such as"),
            ("https://chat.example.org:port", "a URL such as"),
            ("https://chat.example.org/chat", "path"),
            ("https://chat.example.org//", "path"),
            ("https://chat.example.org?x=1", "?"),
            ("https://chat.example.org/?", "?"),
            ("https://chat.example.org/#x", "#"),
            ("https://ada@chat.example.org", "user and password"),
            ("https://:secret@chat.example.org", "user and password"),
        ] {
            let said = url.parse::<Site>().unwrap_err();
            assert!(
                said.contains(what) && said.contains("https://chat.example.org"),
                "{url}: {said}"
            );
        }
    }

    #[test]
    fn behind_a_proxy_the_public_origin_may_whatever_host_the_proxy_names() {
        let origins = "https://chat.example.org".parse::<Site>().unwrap().origins();
        let allowed = |host: &str, origin: &str| {
            origins.allow(&HeaderMap::from_iter([
                (header::HOST, host.parse().unwrap()),
                (header::ORIGIN, origin.parse().unwrap()),
            ]))
        };
        for host in ["chat.example.org", "127.0.0.1:5000"] {
            assert!(allowed(host, "https://chat.example.org"), "{host}");
            for foreign in [
                "http://chat.example.org",
                "https://chat.example.org:5000",
                "https://example.org",
                "http://127.0.0.1:5000",
                "https://127.0.0.1:5000",
                "null",
            ] {
                assert!(!allowed(host, foreign), "{foreign} at {host}");
            }
        }
    }
}
