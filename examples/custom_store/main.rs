//! A store of one's own: rooms stay ephemeral, and a record of what was said in them outlives them.
//!
//! [`archive`] wraps any other store, here the one in memory, and hands everything on to it. What that accepts it also writes to an append-only
//! file, one JSON object a line ([`journal`]). It keeps the contract of [`MessageStore`](chatrooms::MessageStore): the tests run the public
//! conformance suite on it, around a store that ends with its process and around one that does not.
//!
//! What to try:
//!
//! ```sh
//! cargo run --example custom_store            # writes to archive.jsonl in the folder for temporary files, or where ARCHIVE says
//! tail -f /tmp/archive.jsonl
//! ```
//!
//! Open <http://127.0.0.1:5000/?user=ada>, say something, and close the window: the room is gone, and who opens it again finds nothing.
//! The file has it all. `room.redact(1)` in the console takes a message back: the file says so too, in a line of its own.
#![forbid(unsafe_code)]

mod archive;
mod journal;

use std::{env, fs, path::PathBuf};

use axum::{Router, http::request::Parts, response::Html, routing::get, serve::ListenerExt as _};
use chatrooms::{
    Identity, MemoryStore, RoomRegistry, UserName,
    ws::{Endpoint, Refusal, credentials},
};
use tokio::net::TcpListener;

use crate::archive::Archive;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = env::var_os("ARCHIVE").map(PathBuf::from);
    let path = path.unwrap_or_else(|| env::temp_dir().join("archive.jsonl"));
    let file = fs::OpenOptions::new().append(true).create(true).open(&path)?;
    println!("archiving to {}", path.display());

    let store = Archive::new(MemoryStore::new(), file);
    let registry = RoomRegistry::builder().store(store).start().await?;
    let chat = Endpoint::new(registry, guest);
    let app = Router::new()
        .route("/", get(Html(include_str!("../page.html"))))
        .nest("/chat", chatrooms::axum::router(chat));
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
