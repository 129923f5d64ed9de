//! The service: what its routes share, and where they are.

use axum::{
    Extension, Json, Router,
    middleware::{from_fn, from_fn_with_state},
    response::Html,
    routing::{get, post},
};
use serde_json::{Value, json};

use crate::chat::Chat; // chat
use crate::{
    guard, login,
    members::{Login, Members},
    request_id,
};

/// What all routes share. Cloning is cheap.
#[derive(Clone)]
pub(crate) struct Service {
    pub(crate) members: Members,
    pub(crate) chat: Chat, // chat
}

impl Service {
    pub(crate) fn router(self) -> Router {
        let for_members = Router::new()
            .route("/home", get(Html(include_str!("home.html"))))
            .route("/me", get(me))
            .route("/logout", post(login::log_out))
            .route_layer(from_fn_with_state(self.clone(), guard::members_only));
        Router::new()
            .route("/", get(Html(include_str!("login.html"))))
            .route("/login", post(login::log_in))
            .merge(for_members)
            .nest("/chat", self.chat.routes()) // chat
            .layer(from_fn(request_id::add))
            .with_state(self)
    }
}

/// Who a member is, as their page shows it.
async fn me(Extension(Login { member, .. }): Extension<Login>) -> Json<Value> {
    Json(json!({ "login": member.login, "name": member.name, "plan": member.plan.to_string() }))
}
