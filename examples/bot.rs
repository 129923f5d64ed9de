//! A bot: a session without a socket that comes into every room as soon as somebody is there, greets people, and answers commands.
//!
//! It *watches* all rooms to learn where people are ([`look_after`]), and is *in* those where somebody is ([`attend`]). A watch counts as nobody, but a bot in
//! a room is a connection like any other: were it to stay, no room would ever end. So it goes when the last one has gone. It goes by dropping its
//! session, not by [`Session::leave`]: a room that lingers for those whose connection was lost still does. It has a session for each room, so that as many rooms
//! have a bot as a user may have sessions ([`Config::sessions_per_user`](chatrooms::Config::sessions_per_user)).
//!
//! What to try:
//!
//! ```sh
//! cargo run --example bot
//! ```
//!
//! Open <http://127.0.0.1:5000/?user=ada> and say `/roll`, `/roll 20`, `/who` or `/time`. Close the window: `curl
//! "http://127.0.0.1:5000/chat/rooms?user=ada"` lists no room, for the bot has gone too.
#![forbid(unsafe_code)]

use std::{
    collections::{HashMap, HashSet},
    env, io,
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use axum::{Router, http::request::Parts, response::Html, routing::get, serve::ListenerExt as _};
use chatrooms::{
    Error, EventKind, Identity, Join, Member, Message, Post, RoomEvent, RoomName, RoomRegistry,
    Session, UserName,
    ws::{Endpoint, Refusal, credentials},
};
use tokio::{net::TcpListener, time::sleep};
use tokio_util::task::AbortOnDropHandle;

const BOT: &str = "bot";
const HELP: &str = "I know /roll [sides], /who and /time";

#[tokio::main]
async fn main() -> io::Result<()> {
    tracing_subscriber::fmt().with_writer(io::stderr).init();
    let registry = RoomRegistry::new();
    tokio::spawn(look_after(registry.clone()));
    let chat = chatrooms::axum::router(Endpoint::new(registry, guest));
    let page = get(Html(include_str!("page.html")));
    let app = Router::new().route("/", page).nest("/chat", chat);
    let addr = env::args().nth(1).unwrap_or_else(|| "127.0.0.1:5000".to_owned());
    let listener = TcpListener::bind(addr).await?;
    println!("listening on http://{}", listener.local_addr()?);
    let listener = listener.tap_io(|connection| drop(connection.set_nodelay(true)));
    axum::serve(listener, app).await
}

/// Guests are who they say they are, but nobody is the bot.
fn guest(request: &Parts) -> Result<Identity, Refusal> {
    let user = credentials::query(request, "user").and_then(|user| UserName::new(&user).ok());
    match user {
        Some(user) if user.as_str() == BOT => Err(Refusal::Forbidden),
        Some(user) => Ok(Identity::new(user)),
        None => Err(Refusal::Unauthorized),
    }
}

/// What is known of a room: the people there, and the bot among them. Dropping it takes the bot out.
#[derive(Default)]
struct Attended {
    people: HashSet<UserName>,
    bot: Option<AbortOnDropHandle<()>>,
}

/// Sends the bot where people are and takes it back where they have gone, until the registry shuts down.
///
/// One loop decides, on events in the order in which they happened. So it does no harm that the bot may come too late, into a room that everybody has
/// left and that it opens anew by that: the departure of the last one is told next, and the bot goes again.
async fn look_after(registry: RoomRegistry) {
    let mut watch = registry.watch_all();
    let mut rooms = HashMap::<RoomName, Attended>::new();
    while let Some(event) = watch.next().await {
        let Some(room) = event.room().cloned() else {
            // The watch has missed something, and all rooms are told anew.
            rooms.clear();
            continue;
        };
        let Attended { people, bot } = rooms.entry(room.clone()).or_default();
        match event {
            RoomEvent::RoomFound { members, .. } => {
                *people = members.iter().map(|member| member.user.clone()).collect();
            }
            RoomEvent::UserJoined { member, .. } => drop(people.insert(member.user.clone())),
            RoomEvent::UserLeft { user, .. } => drop(people.remove(&user)),
            RoomEvent::RoomClosed { .. } => people.clear(),
            _ => continue,
        }
        people.remove(BOT);
        if people.is_empty() {
            rooms.remove(&room);
        } else if bot.is_none() {
            *bot = Some(AbortOnDropHandle::new(tokio::spawn(send_to(room, registry.clone()))));
        }
    }
}

/// Where it is not let in, or is removed, it stays away until people come anew.
async fn send_to(room: RoomName, registry: RoomRegistry) {
    if let Err(error) = attend(registry, &room).await {
        tracing::warn!(%room, %error, "the bot stays away");
    }
}

/// The bot in one room, until it is taken out or removed.
async fn attend(registry: RoomRegistry, room: &RoomName) -> Result<(), Error> {
    let name = UserName::new(BOT).expect("a good name");
    let mut session = registry.open_session(Identity::new(name))?;
    session.join(room, Join { history: Some(0), ..Join::default() }).await?;
    while let Some(event) = session.next().await {
        match event.kind() {
            EventKind::Joined(joined) => greet(&session, room, &joined.members).await,
            EventKind::Presence { joined, .. } => greet(&session, room, joined).await,
            EventKind::Message(message) => {
                if let Some(answer) = answer(&session, room, message) {
                    say(&session, room, answer).await;
                }
            }
            EventKind::Removed { .. } => break,
            _ => {}
        }
    }
    Ok(())
}

async fn greet(session: &Session, room: &RoomName, members: &[Arc<Member>]) {
    for member in members.iter().filter(|member| member.user.as_str() != BOT) {
        say(session, room, format!("Welcome, {}!", member.user)).await;
    }
}

/// Says something, as patiently as any user has to be who says a lot.
async fn say(session: &Session, room: &RoomName, text: String) {
    let text = Arc::<str>::from(text);
    loop {
        match session.publish(room, Post::new(Arc::clone(&text))).await {
            Err(Error::RateLimited { retry_after }) => sleep(retry_after).await,
            Err(error) => return tracing::debug!(%error, "the bot was not heard"),
            Ok(_) => return,
        }
    }
}

/// What there is to say to a command; nothing where it is none, or is not a person's.
fn answer(session: &Session, room: &RoomName, message: &Message) -> Option<String> {
    let user = message.draft.user.as_ref().filter(|user| user.as_str() != BOT)?;
    let mut words = message.draft.body.strip_prefix('/')?.split_whitespace();
    Some(match (words.next().unwrap_or_default(), words.next()) {
        ("roll", sides) => match sides.unwrap_or("6").parse() {
            Ok(sides @ 1..) => format!("{user} rolls {} of {sides}", roll(sides)),
            _ => HELP.to_owned(),
        },
        ("who", None) => who(session, room).ok()?,
        ("time", None) => time(),
        _ => HELP.to_owned(),
    })
}

fn roll(sides: u64) -> u64 {
    getrandom::u64().expect("the operating system gives random bytes") % sides + 1
}

fn who(session: &Session, room: &RoomName) -> Result<String, Error> {
    let page = session.members(room, None)?;
    let people = page.members.iter().map(|member| member.user.as_str());
    let names: Vec<_> = people.filter(|user| *user != BOT).collect();
    let more = if page.more { " and others" } else { "" };
    Ok(format!("Here: {}{more}", names.join(", ")))
}

fn time() -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    format!("It is {:02}:{:02}:{:02} UTC", now / 3600 % 24, now / 60 % 60, now % 60)
}
