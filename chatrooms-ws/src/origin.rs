//! From which pages a browser may come.

use http::{HeaderMap, Uri, header, uri::Authority};

/// Which pages' scripts may open a socket or post a message. Browsers tell the truth in `Origin`, and cannot be made to leave it out; a request
/// without one does not come from a page and is let in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Origins {
    /// Pages of the same host and port as the request's `Host`.
    #[default]
    SameHost,
    /// Exactly these, such as `https://chat.example.org`.
    These(Vec<String>),
    /// Every page: only for a service that does not authenticate by cookies.
    Any,
}

impl Origins {
    /// Whether a request with these headers may pass.
    #[must_use]
    pub fn allow(&self, headers: &HeaderMap) -> bool {
        let mut origins = headers.get_all(header::ORIGIN).iter();
        let Some(origin) = origins.next() else { return true };
        let Ok(origin) = origin.to_str() else { return false };
        if origins.next().is_some() {
            return false;
        }
        match self {
            Self::Any => true,
            Self::These(allowed) => allowed.iter().any(|one| one == origin),
            Self::SameHost => is_same_host(origin, headers),
        }
    }
}

fn is_same_host(origin: &str, headers: &HeaderMap) -> bool {
    let Some((scheme, rest)) = origin.split_once("://") else { return false };
    let default_port = match scheme {
        "http" => 80,
        "https" => 443,
        _ => return false,
    };
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    // Parsing the whole as a URI refuses a path, a user and whatever else is no origin.
    let is_bare =
        origin.parse::<Uri>().is_ok_and(|uri| uri.authority().is_some_and(|a| a.as_str() == rest));
    match (is_bare, host_and_port(rest, default_port), host) {
        (true, Some(ours), Some(host)) => host_and_port(host, default_port) == Some(ours),
        _ => false,
    }
}

fn host_and_port(text: &str, default_port: u16) -> Option<(String, u16)> {
    let authority: Authority = text.parse().ok()?;
    if text.contains('@') {
        return None;
    }
    let port = match authority.port() {
        Some(port) => port.as_str().parse().ok()?,
        None => default_port,
    };
    Some((authority.host().to_ascii_lowercase(), port))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(origins: &Origins, host: &str, origin: &str) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, host.parse().unwrap());
        headers.insert(header::ORIGIN, origin.parse().unwrap());
        origins.allow(&headers)
    }

    #[test]
    fn the_same_host_and_port_may() {
        for (host, origin) in [
            ("chat.example", "http://chat.example"),
            ("chat.example", "https://chat.example"),
            ("chat.example:80", "http://chat.example"),
            ("chat.example", "https://chat.example:443"),
            ("localhost:5000", "http://localhost:5000"),
            ("CHAT.example", "https://chat.EXAMPLE"),
            ("[::1]:5000", "http://[::1]:5000"),
        ] {
            assert!(allowed(&Origins::SameHost, host, origin), "{origin} at {host}");
        }
    }

    #[test]
    fn everybody_else_may_not() {
        for origin in [
            "null",
            "",
            "http://chat.example.evil",
            "http://evil-chat.example",
            "http://evilchat.example:5000",
            "http://chat.example:5001",
            "http://chat.example",
            "http://sub.chat.example:5000",
            "ftp://chat.example:5000",
            "http://chat.example:5000/",
            "http://chat.example:5000@evil.example",
            "http://x@chat.example:5000",
            "chat.example:5000",
            "http://chat.example:5000 http://evil.example",
        ] {
            assert!(!allowed(&Origins::SameHost, "chat.example:5000", origin), "{origin}");
        }
    }

    #[test]
    fn a_list_is_exact() {
        let these = Origins::These(vec!["https://chat.example".into()]);
        assert!(allowed(&these, "internal:1", "https://chat.example"));
        for origin in
            ["https://chat.example.evil", "http://chat.example", "https://chat.example:444", "null"]
        {
            assert!(!allowed(&these, "chat.example", origin), "{origin}");
        }
    }

    #[test]
    fn two_origins_are_none() {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, "a".parse().unwrap());
        headers.append(header::ORIGIN, "http://a".parse().unwrap());
        headers.append(header::ORIGIN, "http://evil".parse().unwrap());
        assert!(!Origins::SameHost.allow(&headers));
        assert!(Origins::SameHost.allow(&HeaderMap::new()), "no page, no origin");
    }
}
