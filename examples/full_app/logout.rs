//! `POST /logout`: ends all of a visitor's connections, in all rooms.

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
use chatrooms::CloseReason;

use crate::{app::App, visitor::Visitor, voided::Full, words};

/// Answers when all has ended. Without a good cookie there is nothing to end, and the answer is the same.
pub(crate) async fn log_out(State(app): State<App>, headers: HeaderMap) -> Response {
    if let Some(visitor) = app.logged_in(&headers).await {
        // A task of its own, because a client that goes away ends its request, and a logout is done entirely or not at all.
        match tokio::spawn(end(app.clone(), visitor)).await {
            Ok(Ok(())) => {}
            Ok(Err(Full)) => return refuse(),
            Err(error) => tracing::error!(%error, "a logout was not finished"),
        }
    }
    ([(header::SET_COOKIE, app.cookies.clear())], Redirect::to("/")).into_response()
}

async fn end(app: App, visitor: Visitor) -> Result<(), Full> {
    let registry = &app.registry;
    app.names
        .log_out(&visitor, |user| {
            registry.end_sessions(user, &CloseReason::LoggedOut);
        })
        .await
}

/// The browser keeps its cookie, which is still good.
fn refuse() -> Response {
    tracing::error!("nobody can log out: more logouts than can be remembered");
    (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, "3600")], words::NO_LOGOUT)
        .into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_logout_that_cannot_be_takes_nothing_away() {
        let refused = refuse();
        assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(refused.headers()[header::RETRY_AFTER], "3600");
        assert!(!refused.headers().contains_key(header::SET_COOKIE));
    }
}
