//! Lets visitors into the rooms: the application's part in the library.

use std::time::Duration;

use axum::http::{header, request::Parts};
use chatrooms::{
    Identity, async_trait,
    ws::{Authenticator, Refusal},
};

use crate::{app::App, names::NotAllowed, visitor::Visitor};

/// Knows visitors by their cookie.
pub(crate) struct ByCookie(pub(crate) App);

#[async_trait]
impl Authenticator for ByCookie {
    async fn authenticate(&self, request: &Parts) -> Result<Identity, Refusal> {
        let visitor = self.0.signed_in(&request.headers).ok_or(Refusal::Unauthorized)?;
        // Only a connection makes a name one's own again: who merely asks may use what is nobody else's.
        let (names, address) = (&self.0.names, self.0.address(request));
        let allowed = if request.headers.contains_key(header::UPGRADE) {
            names.claim(&visitor, address).await
        } else {
            names.may_claim(&visitor, address).await
        };
        allowed.map_err(refusal)?;
        let expires = visitor.expires();
        Ok(Identity::new(visitor.user.clone()).claims(visitor).expires_at(expires))
    }

    async fn still_valid(&self, identity: &Identity) -> bool {
        match identity.claim::<Visitor>() {
            // What cannot be looked up right now is looked up the next time.
            Some(visitor) => {
                matches!(self.0.names.check(visitor).await, Ok(()) | Err(NotAllowed::NotKept))
            }
            None => false,
        }
    }
}

/// A name that is not used any more may be free by then.
const RETRY_AFTER: Duration = Duration::from_secs(10);

const fn refusal(why: NotAllowed) -> Refusal {
    match why {
        NotAllowed::LoggedOut => Refusal::Unauthorized,
        NotAllowed::Taken | NotAllowed::LooksAlike => Refusal::Forbidden,
        NotAllowed::TooMany => Refusal::TooMany { retry_after: RETRY_AFTER },
        NotAllowed::Full | NotAllowed::NotKept => Refusal::Unavailable { retry_after: RETRY_AFTER },
    }
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderValue, Request};
    use chatrooms::UserName;

    use super::*;
    use crate::visitor::BrowserId;

    fn visitor(by_cookie: &ByCookie, browser: u8) -> Visitor {
        let (browser, user) = (BrowserId([browser; 16]), UserName::new("ada").unwrap());
        Visitor { browser, user, issued: by_cookie.0.names.now() }
    }

    fn request(by_cookie: &ByCookie, visitor: &Visitor, upgrade: bool) -> Parts {
        let set = by_cookie.0.cookies.issue(visitor);
        let (pair, _) = set.to_str().unwrap().split_once(';').unwrap();
        let mut request = Request::new(()).into_parts().0;
        request.headers.insert(header::COOKIE, pair.parse().unwrap());
        if upgrade {
            request.headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
        }
        request
    }

    #[tokio::test]
    async fn a_logout_is_seen_by_a_socket_that_is_just_being_opened() {
        let by_cookie = ByCookie(App::for_tests().await);
        let ada = visitor(&by_cookie, 1);
        let request = request(&by_cookie, &ada, true);
        let identity = by_cookie.authenticate(&request).await.unwrap();
        assert_eq!(identity.user(), &ada.user);
        assert_eq!(identity.expiry(), Some(ada.expires()));
        assert!(by_cookie.still_valid(&identity).await);
        by_cookie.0.names.log_out(&ada, async |_| {}).await.unwrap();
        assert!(!by_cookie.still_valid(&identity).await);
        assert_eq!(by_cookie.authenticate(&request).await.unwrap_err(), Refusal::Unauthorized);
    }

    #[tokio::test]
    async fn a_handshake_takes_no_more_names_than_a_browser_may_have() {
        let by_cookie = ByCookie(App::for_tests().await);
        let names = ["a", "b", "c", "d", "e", "f", "g", "h", "i"].map(UserName::new);
        let requests = names.map(|user| {
            let visitor = Visitor { user: user.unwrap(), ..visitor(&by_cookie, 1) };
            [true, false].map(|upgrade| request(&by_cookie, &visitor, upgrade))
        });
        let [first @ .., last] = &requests;
        for [upgrade, _] in first {
            by_cookie.authenticate(upgrade).await.unwrap();
        }
        for request in last {
            let refused = by_cookie.authenticate(request).await.unwrap_err();
            assert!(matches!(refused, Refusal::TooMany { .. }), "{refused:?}");
        }
        for request in &first[0] {
            by_cookie.authenticate(request).await.expect("it has this one");
        }
    }

    #[tokio::test]
    async fn only_a_connection_makes_a_name_ones_own() {
        let by_cookie = ByCookie(App::for_tests().await);
        let (ada, eve) = (visitor(&by_cookie, 1), visitor(&by_cookie, 2));
        for visitor in [&ada, &eve] {
            by_cookie.authenticate(&request(&by_cookie, visitor, false)).await.unwrap();
        }
        by_cookie.authenticate(&request(&by_cookie, &ada, true)).await.unwrap();
        for upgrade in [false, true] {
            let refused = by_cookie.authenticate(&request(&by_cookie, &eve, upgrade)).await;
            assert_eq!(refused.unwrap_err(), Refusal::Forbidden);
        }
    }
}
