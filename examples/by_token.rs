//! A service whose pages carry tokens instead of cookies: `cargo run --example by_token -- 127.0.0.1:5000`.
//!
//! | a page asks | and gets |
//! | --- | --- |
//! | `POST /login`, its user as the body | a token |
//! | `POST /ticket`, with the token | a ticket: good for one request within half a minute, and so fit for a query |
//! | `POST /logout`, with the token | the end of the token, and of the sockets that were opened by it |
//!
//! A page cannot set headers on a WebSocket. It offers the token as a subprotocol, and sends it as a header everywhere else:
//!
//! ```js
//! const client = connect({
//!   mount: "/chat",
//!   subprotocols: async () => [`token.${await token()}`],
//!   headers: async () => ({ Authorization: `Bearer ${await token()}` }),
//! });
//! ```
//!
//! Where subprotocols do not get through, `query: async () => ({ ticket: await ticket() })` does the same.

use std::{
    collections::HashMap,
    env, io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use axum::{
    Router,
    extract::{FromRequestParts, State},
    http::{StatusCode, request::Parts},
    routing::post,
    serve::ListenerExt as _,
};
use chatrooms::{
    CloseReason, Identity, RoomRegistry, UserName, async_trait,
    ws::{Authenticator, Endpoint, Refusal, credentials},
};

const TICKET_TIME: Duration = Duration::from_secs(30);

#[derive(Clone)]
struct Service {
    logins: Logins,
    registry: RoomRegistry,
}

/// Who is logged in. A real service keeps them where its other data is.
#[derive(Clone, Default)]
struct Logins(Arc<Mutex<Issued>>);

/// Never locked over an await.
#[derive(Default)]
struct Issued {
    tokens: HashMap<String, UserName>,
    /// The token for which a ticket stands, and how long.
    tickets: HashMap<String, (String, Instant)>,
}

/// The token by which a request was let in.
#[derive(Clone, PartialEq)]
struct Token(String);

#[tokio::main]
async fn main() -> io::Result<()> {
    let service = Service { logins: Logins::default(), registry: RoomRegistry::new() };
    let chat = Endpoint::new(service.registry.clone(), service.logins.clone());
    let app = Router::new()
        .route("/login", post(log_in))
        .route("/ticket", post(ticket))
        .route("/logout", post(log_out))
        .with_state(service)
        .nest("/chat", chatrooms::axum::router(chat));
    let addr = env::args().nth(1).unwrap_or("127.0.0.1:5000".to_owned());
    let listener = tokio::net::TcpListener::bind(addr).await?;
    println!("listening on http://{}", listener.local_addr()?);
    let listener = listener.tap_io(|connection| drop(connection.set_nodelay(true)));
    axum::serve(listener, app).await
}

/// Here everybody is who they say they are.
async fn log_in(State(service): State<Service>, user: String) -> Result<String, StatusCode> {
    let user = UserName::new(&user).map_err(|_| StatusCode::BAD_REQUEST)?;
    let token = unguessable()?;
    service.logins.issued().tokens.insert(token.clone(), user);
    Ok(token)
}

async fn ticket(State(service): State<Service>, Token(token): Token) -> Result<String, StatusCode> {
    let ticket = unguessable()?;
    let mut issued = service.logins.issued();
    issued.tickets.retain(|_, (_, until)| Instant::now() < *until);
    issued.tickets.insert(ticket.clone(), (token, Instant::now() + TICKET_TIME));
    Ok(ticket)
}

/// First void, then ended: a socket that is just being opened is asked about once more after it stands in the registry.
async fn log_out(State(service): State<Service>, token: Token) {
    let voided = service.logins.issued().tokens.remove(&token.0);
    if let Some(user) = voided {
        let is_its_own = |identity: &Identity| identity.claim() == Some(&token);
        service.registry.end_sessions_where(&user, &CloseReason::LoggedOut, is_its_own);
    }
}

impl Logins {
    fn issued(&self) -> MutexGuard<'_, Issued> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The token that a request carries, or for which its ticket stands.
    fn token(&self, request: &Parts) -> Option<String> {
        let carried = credentials::bearer(request);
        if let Some(token) = carried.or_else(|| credentials::subprotocol(request, "token.")) {
            return Some(token.to_owned());
        }
        let ticket = credentials::query(request, "ticket")?;
        let (token, until) = self.issued().tickets.remove(&*ticket)?;
        (Instant::now() < until).then_some(token)
    }
}

#[async_trait]
impl Authenticator for Logins {
    async fn authenticate(&self, request: &Parts) -> Result<Identity, Refusal> {
        let token = self.token(request).ok_or(Refusal::Unauthorized)?;
        let user = self.issued().tokens.get(&token).cloned().ok_or(Refusal::Unauthorized)?;
        Ok(Identity::new(user).claims(Token(token)))
    }

    async fn still_valid(&self, identity: &Identity) -> bool {
        let token: Option<&Token> = identity.claim();
        token.is_some_and(|token| self.issued().tokens.contains_key(&token.0))
    }
}

/// The service's own routes take the token as a header only.
impl FromRequestParts<Service> for Token {
    type Rejection = StatusCode;

    async fn from_request_parts(parts: &mut Parts, service: &Service) -> Result<Self, StatusCode> {
        let token = credentials::bearer(parts).ok_or(StatusCode::UNAUTHORIZED)?;
        let is_good = service.logins.issued().tokens.contains_key(token);
        if is_good { Ok(Self(token.to_owned())) } else { Err(StatusCode::UNAUTHORIZED) }
    }
}

fn unguessable() -> Result<String, StatusCode> {
    let random = || getrandom::u64().map_err(|_| StatusCode::SERVICE_UNAVAILABLE);
    Ok(format!("{:016x}{:016x}", random()?, random()?))
}
