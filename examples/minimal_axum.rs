//! A chat in 40 lines, in axum: `cargo run --example minimal_axum`, then open http://127.0.0.1:5000 in two windows.
//!
//! Guests are who they say they are. A service that has users of its own asks them instead: see `existing_service`.

use axum::{Router, http::request::Parts, response::Html, routing::get, serve::ListenerExt as _};
use chatrooms::ws::{Endpoint, Refusal, credentials};
use chatrooms::{Identity, RoomRegistry, UserName};
use std::{env::args, io};

fn who(request: &Parts) -> Result<Identity, Refusal> {
    let user = credentials::query(request, "user").and_then(|user| UserName::new(&user).ok());
    user.map(Identity::new).ok_or(Refusal::Unauthorized)
}

#[tokio::main]
async fn main() -> io::Result<()> {
    let chat = chatrooms::axum::router(Endpoint::new(RoomRegistry::new(), who));
    let app = Router::new().route("/", get(Html(PAGE))).nest("/chat", chat);
    let addr = args().nth(1).unwrap_or("127.0.0.1:5000".to_owned());
    let listener = tokio::net::TcpListener::bind(addr).await?;
    println!("listening on http://{}", listener.local_addr()?);
    // Frames are small: without this the kernel may hold them back.
    let listener = listener.tap_io(|connection| drop(connection.set_nodelay(true)));
    axum::serve(listener, app).await
}

const PAGE: &str = r#"<!doctype html><title>chat</title><pre></pre><form><input autofocus></form>
<script type="module">
  import { connect } from "/chat/chatrooms.js";
  const [talk, form, field] = ["pre", "form", "input"].map((name) => document.querySelector(name));
  const room = connect({ query: { user: prompt("Your name?") || "guest" } }).join("lobby");
  const line = ({ user, body }) => `${user}: ${body}\n`;
  const show = () => { talk.textContent = room.entries.map(line).join(""); };
  for (const news of ["joined", "message", "update", "remove"]) room.on(news, show);
  form.onsubmit = () => (room.send(field.value), form.reset(), false);
</script>"#;
