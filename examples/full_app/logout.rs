//! `POST /logout`: ends all of a visitor's connections, in all rooms.

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
use chatrooms::CloseReason;

use crate::{app::App, names::NoLogout, visitor::Visitor, words};

/// Answers when all has ended, and when it holds after a restart too. Without a good cookie there is nothing to end, and the answer is the same.
///
/// A cookie that is void already is good enough: who has been told that it is not written down yet asks again.
pub(crate) async fn log_out(State(app): State<App>, headers: HeaderMap) -> Response {
    if let Some(visitor) = app.signed_in(&headers) {
        // A task of its own, because a client that goes away ends its request, and a logout is done entirely or not at all.
        let ended = tokio::spawn(end(app.clone(), visitor)).await.unwrap_or_else(|error| {
            tracing::error!(%error, "a logout was not finished");
            Err(NoLogout::NotKept)
        });
        if let Err(why) = ended {
            return refuse(why);
        }
    }
    ([(header::SET_COOKIE, app.cookies.clear())], Redirect::to("/")).into_response()
}

async fn end(app: App, visitor: Visitor) -> Result<(), NoLogout> {
    let registry = &app.registry;
    app.names
        .log_out(&visitor, |user| async move {
            // A node that does not answer does it when it hears of it, and lets nobody in with the cookie meanwhile.
            let _ = registry.end_sessions_everywhere(&user, &CloseReason::LoggedOut).await;
        })
        .await
}

/// The browser keeps its cookie: it is still good, or needed to ask again.
fn refuse(why: NoLogout) -> Response {
    let (retry_after, words) = match why {
        NoLogout::Full => {
            tracing::error!("nobody can log out: more logouts than can be remembered");
            ("3600", words::NO_LOGOUT)
        }
        NoLogout::NotKept => ("5", words::LOGOUT_NOT_KEPT),
    };
    (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, retry_after)], words).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_logout_that_cannot_be_takes_nothing_away() {
        for (why, seconds) in [(NoLogout::Full, "3600"), (NoLogout::NotKept, "5")] {
            let refused = refuse(why);
            assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
            assert_eq!(refused.headers()[header::RETRY_AFTER], seconds);
            assert!(!refused.headers().contains_key(header::SET_COOKIE));
        }
    }
}
