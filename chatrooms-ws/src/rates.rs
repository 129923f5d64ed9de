//! How often one may ask over HTTP.

use std::net::IpAddr;

use chatrooms_core::{Allowances, Error, UserName};

use crate::{Options, metrics::Metrics};

/// What each user, and each address where addresses are known, may ask so often. A handshake is a request as well.
#[derive(Debug)]
pub(crate) struct Rates {
    users: Allowances<UserName>,
    addresses: Allowances<IpAddr>,
}

impl Rates {
    pub(crate) fn new(options: &Options) -> Self {
        let Options { http_per_second_per_address, http_burst_per_address, .. } = *options;
        Self {
            users: Allowances::per_second(options.http_per_second, options.http_burst),
            addresses: Allowances::per_second(http_per_second_per_address, http_burst_per_address),
        }
    }

    pub(crate) fn user(&self, user: &UserName, metrics: &Metrics) -> Result<(), Error> {
        self.users.take(user).inspect_err(|_| metrics.http_rate_limited.count("user"))
    }

    pub(crate) fn address(&self, address: IpAddr, metrics: &Metrics) -> Result<(), Error> {
        self.addresses.take(&address).inspect_err(|_| metrics.http_rate_limited.count("address"))
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::{
            Arc,
            atomic::{AtomicUsize, Ordering},
        },
        time::Duration,
    };

    use bytes::Bytes;
    use chatrooms_core::{Identity, RoomRegistry};
    use http::{Request, StatusCode, header, request::Parts};
    use http_body_util::Full;
    use tokio::time::advance;

    use super::*;
    use crate::{Answer, ClientAddress, Endpoint, PeerAddr, Refusal};

    const TOO_MANY: StatusCode = StatusCode::TOO_MANY_REQUESTS;

    /// Who is named by `x-user`, and how often that has been asked.
    fn chat(options: Options) -> (Endpoint, Arc<AtomicUsize>) {
        let asked = Arc::new(AtomicUsize::new(0));
        let asking = Arc::clone(&asked);
        let who = move |request: &Parts| {
            asking.fetch_add(1, Ordering::Relaxed);
            let user = request.headers.get("x-user").and_then(|user| user.to_str().ok());
            let user = user.and_then(|user| UserName::new(user).ok());
            user.map(Identity::new).ok_or(Refusal::Unauthorized)
        };
        (Endpoint::new(RoomRegistry::new(), who).with_options(options), asked)
    }

    async fn ask(chat: &Endpoint, (method, path): (&str, &str), user: &str, from: &str) -> Answer {
        let request = Request::builder().method(method).uri(path).header("x-user", user);
        let request = request
            .header(header::CONNECTION, "upgrade")
            .header(header::UPGRADE, "websocket")
            .header(header::SEC_WEBSOCKET_VERSION, "13")
            .header(header::SEC_WEBSOCKET_KEY, "dGhlIHNhbXBsZSBub25jZQ==")
            .header(header::CONTENT_TYPE, "application/json")
            .extension(PeerAddr(from.parse().unwrap()));
        let body = Full::new(Bytes::from_static(br#"{"body":"hello"}"#));
        chat.handle(path, request.body(body).unwrap()).await
    }

    const ROUTES: [(&str, &str); 6] = [
        ("GET", "/session"),
        ("GET", "/rooms"),
        ("GET", "/rooms/hall"),
        ("GET", "/rooms/hall/messages"),
        ("POST", "/rooms/hall/messages"),
        ("GET", "/ws"),
    ];

    fn assert_told_when(answer: &Answer) {
        assert_eq!(
            (answer.status(), &answer.headers()[header::RETRY_AFTER]),
            (TOO_MANY, &1.into())
        );
        let body: serde_json::Value = serde_json::from_slice(answer.body()).unwrap();
        assert_eq!(body["error"]["code"], "rate_limited");
    }

    #[tokio::test(start_paused = true)]
    async fn a_user_has_one_allowance_for_all_routes_that_ask_who_it_is() {
        let (chat, _) = chat(Options { http_burst: 6, ..Options::default() });
        let from = "192.0.2.1";
        for route in ROUTES {
            assert_ne!(ask(&chat, route, "ada", from).await.status(), TOO_MANY, "{route:?}");
        }
        for route in ROUTES {
            assert_told_when(&ask(&chat, route, "ada", from).await);
            assert_ne!(ask(&chat, route, "bob", from).await.status(), TOO_MANY, "{route:?}");
        }
        let module = ask(&chat, ("GET", "/chatrooms.js"), "ada", from).await;
        assert_eq!(module.status(), StatusCode::OK, "it asks nobody");
        advance(Duration::from_millis(20)).await;
        assert_eq!(ask(&chat, ROUTES[0], "ada", from).await.status(), StatusCode::OK);
        assert_told_when(&ask(&chat, ROUTES[0], "ada", from).await);
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_is_nobody_uses_up_nobodys_allowance() {
        let (chat, _) = chat(Options { http_burst: 1, ..Options::default() });
        for route in ROUTES.repeat(10) {
            let answer = ask(&chat, route, "", "192.0.2.1").await;
            assert_eq!(answer.status(), StatusCode::UNAUTHORIZED, "{route:?}");
        }
        assert_eq!(ask(&chat, ROUTES[0], "ada", "192.0.2.1").await.status(), StatusCode::OK);
    }

    #[tokio::test(start_paused = true)]
    async fn an_address_has_an_allowance_where_it_is_known_and_nobody_is_asked_beyond_it() {
        let options = Options { http_burst_per_address: 6, ..Options::default() };
        let (unknown, _) = chat(options.clone());
        for route in ROUTES.repeat(10) {
            assert_ne!(ask(&unknown, route, "", "192.0.2.1").await.status(), TOO_MANY);
        }
        let (chat, asked) = chat(Options { client_address: ClientAddress::Peer, ..options });
        for route in ROUTES {
            let refused = ask(&chat, route, "", "2001:db8::1").await.status();
            assert_eq!(refused, StatusCode::UNAUTHORIZED);
        }
        for route in ROUTES {
            assert_told_when(&ask(&chat, route, "ada", "2001:db8::2").await);
            assert_ne!(ask(&chat, route, "ada", "192.0.2.2").await.status(), TOO_MANY, "{route:?}");
            assert_told_when(&ask(&chat, ("GET", "/chatrooms.js"), "", "2001:db8::3").await);
        }
        assert_eq!(asked.load(Ordering::Relaxed), 2 * ROUTES.len());
        advance(Duration::from_millis(2)).await;
        assert_eq!(ask(&chat, ROUTES[0], "ada", "2001:db8::1").await.status(), StatusCode::OK);
    }

    #[tokio::test(start_paused = true)]
    async fn whom_the_host_lets_in_itself_counts_too() {
        let (chat, _) = chat(Options { http_burst: 1, ..Options::default() });
        let ada = Identity::new(UserName::new("ada").unwrap());
        assert_eq!(ask(&chat, ROUTES[0], "ada", "192.0.2.1").await.status(), StatusCode::OK);
        let (handshake, ()) = Request::get("/lobby")
            .header(header::CONNECTION, "upgrade")
            .header(header::UPGRADE, "websocket")
            .header(header::SEC_WEBSOCKET_VERSION, "13")
            .header(header::SEC_WEBSOCKET_KEY, "dGhlIHNhbXBsZSBub25jZQ==")
            .body(())
            .unwrap()
            .into_parts();
        assert_told_when(&chat.accept(handshake, ada, Vec::new()).await);
    }
}
