//! `POST /logout`: ends all of a visitor's connections, in all rooms.

use axum::{
    extract::State,
    http::{HeaderMap, header},
    response::{IntoResponse, Redirect, Response},
};
use chatrooms::CloseReason;

use crate::{app::App, visitor::Visitor};

/// Answers when all has ended. Without a good cookie there is nothing to end, and the answer is the same.
pub(crate) async fn log_out(State(app): State<App>, headers: HeaderMap) -> Response {
    if let Some(visitor) = app.logged_in(&headers).await {
        // A task of its own, because a client that goes away ends its request, and a logout is done entirely or not at all.
        let ended = tokio::spawn(end(app.clone(), visitor)).await;
        if let Err(error) = ended {
            tracing::error!(%error, "a logout was not finished");
        }
    }
    ([(header::SET_COOKIE, app.cookies.clear())], Redirect::to("/")).into_response()
}

async fn end(app: App, visitor: Visitor) {
    let registry = &app.registry;
    app.names
        .log_out(&visitor, |user| {
            registry.end_sessions(user, &CloseReason::LoggedOut);
        })
        .await;
}
