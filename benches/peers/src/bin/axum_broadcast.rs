//! axum over a tokio broadcast channel: what one writes by hand, with one improvement over the usual example: what waits is fed in one
//! go and flushed once. A receiver that lags loses messages, as it does in the examples.
//!
//! `axum_broadcast PORT`
#![forbid(unsafe_code)]

use std::{
    collections::HashMap,
    io,
    sync::{Arc, Mutex, PoisonError},
};

use axum::{
    Router,
    extract::{
        Path, State,
        ws::{Message, Utf8Bytes, WebSocket, WebSocketUpgrade},
    },
    response::Response,
    routing::any,
    serve::ListenerExt,
};
use futures_util::{SinkExt, StreamExt, stream::SplitSink};
use tokio::{
    net::TcpListener,
    sync::broadcast::{self, Receiver, Sender, error::RecvError, error::TryRecvError},
};

/// How far a receiver may lag behind: what the examples write.
const CAPACITY: usize = 100;

/// The rooms by name; one goes away with its last member.
#[derive(Clone, Default)]
struct Rooms(Arc<Mutex<HashMap<String, Room>>>);

struct Room {
    sender: Sender<Utf8Bytes>,
    members: usize,
}

impl Rooms {
    fn join(&self, name: &str) -> (Sender<Utf8Bytes>, Receiver<Utf8Bytes>) {
        let mut rooms = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let new = || Room { sender: broadcast::channel(CAPACITY).0, members: 0 };
        let room = rooms.entry(name.to_owned()).or_insert_with(new);
        room.members += 1;
        (room.sender.clone(), room.sender.subscribe())
    }

    fn leave(&self, name: &str) {
        let mut rooms = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(room) = rooms.get_mut(name) else { return };
        room.members -= 1;
        if room.members == 0 {
            rooms.remove(name);
        }
    }
}

#[tokio::main]
async fn main() -> io::Result<()> {
    let port = std::env::args().nth(1).and_then(|port| port.parse().ok());
    let port: u16 = port.ok_or_else(|| io::Error::other("axum_broadcast PORT"))?;
    let app = Router::new().route("/ws/{room}", any(upgrade)).with_state(Rooms::default());
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    // A small frame must not wait for the next one.
    let listener = listener.tap_io(|socket| {
        let _ = socket.set_nodelay(true);
    });
    axum::serve(listener, app).await
}

async fn upgrade(
    upgrade: WebSocketUpgrade,
    Path(room): Path<String>,
    State(rooms): State<Rooms>,
) -> Response {
    upgrade.on_upgrade(move |socket| chat(socket, room, rooms))
}

async fn chat(socket: WebSocket, room: String, rooms: Rooms) {
    let (mut out, mut incoming) = socket.split();
    let (sender, receiver) = rooms.join(&room);
    if out.send(Message::text("J")).await.is_ok() {
        let mut writing = tokio::spawn(async move {
            // An error is the socket's end, which the reading half sees too.
            let _ = write(out, receiver).await;
        });
        let mut reading = tokio::spawn(async move {
            while let Some(Ok(message)) = incoming.next().await {
                match message {
                    Message::Text(text) => drop(sender.send(text)),
                    Message::Close(_) => break,
                    _ => {}
                }
            }
        });
        tokio::select! { _ = &mut writing => reading.abort(), _ = &mut reading => writing.abort() }
    }
    rooms.leave(&room);
}

async fn write(
    mut out: SplitSink<WebSocket, Message>,
    mut receiver: Receiver<Utf8Bytes>,
) -> Result<(), axum::Error> {
    loop {
        match receiver.recv().await {
            Ok(text) => out.feed(Message::Text(text)).await?,
            Err(RecvError::Lagged(_)) => continue,
            Err(RecvError::Closed) => return Ok(()),
        }
        loop {
            match receiver.try_recv() {
                Ok(text) => out.feed(Message::Text(text)).await?,
                Err(TryRecvError::Lagged(_)) => {}
                Err(_) => break,
            }
        }
        out.flush().await?;
    }
}
