//! A service that somebody already has, and the chat that was added to it, for its members only.
//!
//! The service has its own login and cookie ([`login`], [`cookie`]), its own SQLite pool ([`members`]), its own state and routes
//! ([`service`]), its own middleware ([`guard`], [`request_id`]) and its own page. The chat is in one file, [`chat`]. All else that it took
//! are the ten lines that end in `// chat`:
//!
//! ```sh
//! grep -rn "// chat" examples/existing_service
//! ```
//!
//! What to try:
//!
//! ```sh
//! cargo run --example existing_service        # keeps its members in existing_service.db, or where DATABASE_URL says
//! curl -i http://127.0.0.1:5000/chat/session  # 401: a stranger
//! curl -c jar -d login=ada http://127.0.0.1:5000/login
//! curl -b jar http://127.0.0.1:5000/chat/session
//! ```
//!
//! Then open <http://127.0.0.1:5000> in two browsers, as `ada` and as `bob`. In the console of bob's page `client.join("pro lounge")` is
//! refused with `x-pro-only`: he is on the free plan. When ada logs out in one window, her sockets end in all of them. Ctrl-C tells everybody
//! when to come back.
#![forbid(unsafe_code)]

mod chat; // chat
mod cookie;
mod failure;
mod guard;
mod login;
mod members;
mod request_id;
mod service;
mod stop;

use std::{env, io};

use axum::serve::ListenerExt as _;
use tokio::net::TcpListener;

use crate::chat::Chat; // chat
use crate::{members::Members, service::Service};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    tracing_subscriber::fmt().with_writer(io::stderr).init();
    let stop = stop::watch()?;
    let url = env::var("DATABASE_URL");
    let members = Members::open(url.as_deref().unwrap_or("sqlite:existing_service.db")).await?;
    let chat = Chat::start(members.clone()).await?; // chat
    let service = Service { members: members.clone(), chat: chat.clone() }; // chat

    let addr = env::args().nth(1).unwrap_or_else(|| "127.0.0.1:5000".to_owned());
    let listener = TcpListener::bind(addr).await?;
    println!("listening on http://{}", listener.local_addr()?);
    // Frames are small: without this the kernel may hold them back. A socket that is gone already refuses it.
    let listener = listener.tap_io(|connection| drop(connection.set_nodelay(true))); // chat
    let stop = async move {
        stop.await;
        // While sockets are told to end, the service still answers: axum knows nothing of them.
        chat.shut_down().await; // chat
    };
    axum::serve(listener, service.router()).with_graceful_shutdown(stop).await?;
    members.close().await;
    Ok(())
}
