//! A chat in 40 lines, in warp: `cargo run --example minimal_warp`, then open http://127.0.0.1:5000 in two windows.
//!
//! Guests are who they say they are. A service that has users of its own asks them instead: see `existing_service`.

use chatrooms::ws::{Endpoint, Refusal, credentials};
use chatrooms::{Identity, RoomRegistry, UserName};
use std::{env::args, error::Error};
use warp::{Filter, http::request::Parts};

fn who(request: &Parts) -> Result<Identity, Refusal> {
    let user = credentials::query(request, "user").and_then(|user| UserName::new(&user).ok());
    user.map(Identity::new).ok_or(Refusal::Unauthorized)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let chat = chatrooms::warp::routes(Endpoint::new(RoomRegistry::new(), who));
    let app = warp::path::end().map(|| warp::reply::html(PAGE)).or(warp::path("chat").and(chat));
    let socket = tokio::net::TcpSocket::new_v4()?;
    socket.set_reuseaddr(cfg!(unix))?;
    // Connections inherit it. Frames are small: without this the kernel may hold them back.
    socket.set_nodelay(true)?;
    socket.bind(args().nth(1).as_deref().unwrap_or("127.0.0.1:5000").parse()?)?;
    let listener = socket.listen(1024)?;
    println!("listening on http://{}", listener.local_addr()?);
    warp::serve(app).incoming(listener).run().await;
    Ok(())
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
