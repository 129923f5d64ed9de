//! Polls in a chat: events of the application's own, typed on the server, JSON in the page.
//!
//! [`poll`] is all of them, one enum for serde. Clients send them as messages, so that they have an order and a history, and who joins later finds
//! them too. [`rules`] is the policy: it checks what clients send before anybody sees it, and writes the text that stands beside it. [`tally`]
//! watches the rooms, counts, and says how a poll has ended: to the room, and to who asked, wherever they are.
//!
//! What to try:
//!
//! ```sh
//! cargo run --example typed_events
//! ```
//!
//! Open <http://127.0.0.1:5000/?user=ada> and <http://127.0.0.1:5000/?user=bob>, ask, vote, and close the poll. In the console,
//! `room.send("?", { data: { poll: { vote: { poll: 1, option: 99 } } } })` is refused with `x-no-such-option`, `{ poll: "nonsense" }` with
//! `bad_request`, and a `result` of one's own with `forbidden`.
#![forbid(unsafe_code)]

mod poll;
mod rules;
mod tally;

use std::env;

use axum::{Router, http::request::Parts, response::Html, routing::get, serve::ListenerExt as _};
use chatrooms::{
    Identity, UserName,
    ws::{Endpoint, Refusal, credentials},
};
use tokio::net::TcpListener;

use crate::{rules::Rules, tally::Tallies};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let tallies = Tallies::default();
    let registry = Rules::open(tallies.clone()).await?;
    tokio::spawn(tallies.keep(registry.clone()));
    let chat = chatrooms::axum::router(Endpoint::new(registry, guest));
    let page = get(Html(include_str!("page.html")));
    let app = Router::new().route("/", page).nest("/chat", chat);
    let addr = env::args().nth(1).unwrap_or_else(|| "127.0.0.1:5000".to_owned());
    let listener = TcpListener::bind(addr).await?;
    println!("listening on http://{}", listener.local_addr()?);
    let listener = listener.tap_io(|connection| drop(connection.set_nodelay(true)));
    Ok(axum::serve(listener, app).await?)
}

/// Guests are who they say they are.
fn guest(request: &Parts) -> Result<Identity, Refusal> {
    let user = credentials::query(request, "user").and_then(|user| UserName::new(&user).ok());
    user.map(Identity::new).ok_or(Refusal::Unauthorized)
}
