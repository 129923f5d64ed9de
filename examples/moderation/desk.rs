//! Moderation over HTTP, for those who are in no room: the host's own route.

use axum::{
    Json, Router,
    extract::{FromRequestParts, Path, State},
    http::{StatusCode, request::Parts},
    routing::post,
};
use chatrooms::{Error, Post, RoomName, RoomRegistry, ws::credentials};

use crate::{guests::Key, orders::Order};

#[derive(Clone)]
pub(crate) struct Desk {
    pub(crate) registry: RoomRegistry,
    pub(crate) key: Key,
}

pub(crate) fn routes(desk: Desk) -> Router {
    Router::new().route("/moderation/{room}", post(moderate)).with_state(desk)
}

/// Carries out an order and tells the room. Slow mode does not hold it up, as it does the moderators in the room.
async fn moderate(
    _: ByModerator,
    State(Desk { registry, .. }): State<Desk>,
    Path(room): Path<String>,
    Json(order): Json<Order>,
) -> Result<String, (StatusCode, String)> {
    let room =
        RoomName::new(&room).map_err(|error| (StatusCode::BAD_REQUEST, error.to_string()))?;
    let told = order.carry_out(&registry, &room).await.map_err(answer)?;
    // Whoever was the last one there is told by being removed.
    let _ = registry.announce(&room, Post::new(format!("a moderator {told}"))).await;
    Ok(told)
}

fn answer(error: Error) -> (StatusCode, String) {
    let status = match error {
        Error::NotFound => StatusCode::NOT_FOUND,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    };
    (status, error.to_string())
}

/// A request that carries the moderators' key: judged before anything else of it is read.
struct ByModerator;

impl FromRequestParts<Desk> for ByModerator {
    type Rejection = StatusCode;

    async fn from_request_parts(parts: &mut Parts, desk: &Desk) -> Result<Self, StatusCode> {
        let is_moderator = credentials::bearer(parts).is_some_and(|given| desk.key.is(given));
        if is_moderator { Ok(Self) } else { Err(StatusCode::UNAUTHORIZED) }
    }
}
