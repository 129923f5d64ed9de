//! A moderated chat: rules that every message passes, and moderators who are obeyed.
//!
//! [`house`] is the policy: it softens rude words, refuses links with a code of its own, `x-no-links`, and carries out what moderators say in the
//! chat. What they can say is in [`orders`]; [`desk`] takes the same over HTTP. Who is a moderator stands in the claims of their identity, which
//! [`guests`] gives them. Mutes, bans and slow mode end with their time, or with the room; what has to last longer is the host's to keep, and its policy's to
//! enforce.
//!
//! What to try:
//!
//! ```sh
//! MODERATOR_KEY=secret cargo run --example moderation
//! ```
//!
//! Open <http://127.0.0.1:5000/?user=eve> and <http://127.0.0.1:5000/?user=mo&key=secret>. Let eve say `darn`, or
//! `see https://example.org`; let mo say `/mute eve 60`, `/unmute eve`, `/kick eve`, `/ban eve 60`, `/unban eve`, `/slow 10` or `/slow 0`. In mo's console,
//! `room.redact(1)` takes back what somebody else wrote. And without a socket:
//!
//! ```sh
//! curl -H "Authorization: Bearer secret" --json '{"mute":{"user":"eve","seconds":60}}' http://127.0.0.1:5000/moderation/lobby
//! ```
//!
//! Rooms whose name begins with `quiet ` are slow from their beginning: <http://127.0.0.1:5000/?user=ada&room=quiet+corner>.
#![forbid(unsafe_code)]

mod desk;
mod guests;
mod house;
mod orders;
mod words;

use std::env;

use axum::{Router, response::Html, routing::get, serve::ListenerExt as _};
use chatrooms::ws::Endpoint;
use tokio::net::TcpListener;

use crate::{desk::Desk, guests::Key, house::House};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let key = env::var("MODERATOR_KEY").map_or_else(|_| Key::random(), Key::from);
    let registry = House::open().await?;
    let chat = Endpoint::new(registry.clone(), key.clone().authenticator());
    let app = Router::new()
        .route("/", get(Html(include_str!("../page.html"))))
        .merge(desk::routes(Desk { registry, key: key.clone() }))
        .nest("/chat", chatrooms::axum::router(chat));
    let addr = env::args().nth(1).unwrap_or_else(|| "127.0.0.1:5000".to_owned());
    let listener = TcpListener::bind(addr).await?;
    let addr = listener.local_addr()?;
    println!("moderators open http://{addr}/?user=mo&key={key}");
    println!("listening on http://{addr}");
    let listener = listener.tap_io(|connection| drop(connection.set_nodelay(true)));
    Ok(axum::serve(listener, app).await?)
}
