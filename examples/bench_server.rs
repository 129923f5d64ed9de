//! A server made for measuring: guests name themselves in `?user=`, nothing is limited, mounted at `/chat`.
//!
//! `cargo run --release --example bench_server -- --addr 127.0.0.1:7000 --store memory --adapter axum`
#![allow(clippy::print_stderr, reason = "a command line tool talks to its terminal")]

#[path = "full_app/accepting.rs"]
mod accepting;
#[path = "full_app/reasons.rs"]
mod reasons;
#[path = "full_app/stop.rs"]
mod stop;

use std::{process::ExitCode, sync::Arc, time::Duration};

use axum::{Router, http::request::Parts};
use chatrooms::{
    Config, Identity, MemoryStore, MessageStore, RoomRegistry, UserName,
    sqlite::SqliteStore,
    ws::{self, Endpoint, Refusal},
};
use clap::{Parser, ValueEnum};
use hyper::server::conn::http1;
use hyper_util::{rt::TokioIo, service::TowerToHyperService};
use mimalloc::MiMalloc;
use tokio::net::{TcpListener, TcpStream};
use warp::Filter as _;

use accepting::accept;
use reasons::reasons;
use stop::Stop;

/// A chatrooms server made for measuring.
#[derive(Parser)]
struct Options {
    /// Where to listen; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:7000")]
    addr: String,
    /// memory, sqlite::memory: or sqlite:PATH
    #[arg(long, default_value = "memory")]
    store: String,
    /// The framework around it.
    #[arg(long, value_enum, default_value_t = Adapter::Axum)]
    adapter: Adapter,
    /// Messages kept in a room; as many as by default where it is not said.
    #[arg(long)]
    keep: Option<usize>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Adapter {
    Axum,
    Warp,
}

/// As in `full_app`.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// One line, of what is wrong and what to do.
type Failure = String;

#[tokio::main]
async fn main() -> ExitCode {
    match run(Options::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("error: {failure}");
            ExitCode::FAILURE
        }
    }
}

async fn run(options: Options) -> Result<(), Failure> {
    // Before anything is announced: who reads the announcement may ask for the end at once.
    let mut stop = Stop::watch().map_err(|error| format!("signals cannot be watched: {error}"))?;
    let store = store(&options.store).await?;
    let registry = RoomRegistry::builder().store(store).config(unlimited(options.keep));
    let registry = registry.start().await.map_err(|error| reasons(&error))?;
    let mut sockets = ws::Options::default();
    sockets.http_per_second = u32::MAX;
    let chat = Endpoint::new(registry.clone(), guest).with_options(sockets);
    let listener = listen(&options.addr).await?;
    tokio::select! {
        () = serve(options.adapter, listener, chat) => {}
        () = stop.requested() => {}
    }
    registry.shutdown(Duration::from_secs(5)).await;
    Ok(())
}

async fn store(choice: &str) -> Result<Arc<dyn MessageStore>, Failure> {
    Ok(match choice.strip_prefix("sqlite:") {
        None if choice == "memory" => Arc::new(MemoryStore::default()),
        None => {
            return Err(format!("--store {choice}: memory, sqlite::memory: or sqlite:PATH"));
        }
        Some("") => {
            return Err("--store sqlite: has no path: sqlite:PATH, or sqlite::memory:".to_owned());
        }
        Some(":memory:") => {
            Arc::new(SqliteStore::in_memory().await.map_err(|error| reasons(&error))?)
        }
        Some(path) => Arc::new(
            SqliteStore::open(path)
                .await
                .map_err(|error| format!("--store {choice}: {}", reasons(&error)))?,
        ),
    })
}

async fn listen(addr: &str) -> Result<TcpListener, Failure> {
    let failure = |error| {
        format!("cannot listen on {addr}: {error}; --addr HOST:PORT is another, port 0 a free one")
    };
    let listener = TcpListener::bind(addr).await.map_err(failure)?;
    println!("listening on http://{}", listener.local_addr().map_err(failure)?);
    Ok(listener)
}

/// What a measurement is not about does not limit it.
fn unlimited(keep: Option<usize>) -> Config {
    let mut config = Config::default();
    config.keep = keep.unwrap_or(config.keep);
    config.sends_per_second = u32::MAX;
    config.joins_per_second = u32::MAX;
    config.new_rooms_per_minute = u32::MAX;
    config.requests_per_second = u32::MAX;
    config.sessions_per_user = usize::MAX;
    config.members_per_room = usize::MAX;
    config
}

fn guest(request: &Parts) -> Result<Identity, Refusal> {
    let query = request.uri.query().unwrap_or_default();
    let user = query.split('&').find_map(|pair| pair.strip_prefix("user=")).unwrap_or("guest");
    let user = percent_encoding::percent_decode_str(user).decode_utf8_lossy();
    UserName::new(&user).map(Identity::new).map_err(|_| Refusal::Unauthorized)
}

async fn serve(adapter: Adapter, listener: TcpListener, chat: Endpoint) {
    // Connections come and go; what becomes of one is no news.
    match adapter {
        Adapter::Axum => {
            let app: Router = Router::new().nest("/chat", chatrooms::axum::router(chat));
            let app = TowerToHyperService::new(app);
            let http = http1::Builder::new();
            answer(&listener, |io| {
                tokio::spawn(http.serve_connection(io, app.clone()).with_upgrades());
            })
            .await
        }
        Adapter::Warp => {
            let app = warp::path("chat").and(chatrooms::warp::routes(chat));
            let app = TowerToHyperService::new(warp::service(app));
            let http = http1::Builder::new();
            answer(&listener, |io| {
                tokio::spawn(http.serve_connection(io, app.clone()).with_upgrades());
            })
            .await
        }
    }
}

async fn answer(listener: &TcpListener, serve: impl Fn(TokioIo<TcpStream>) + Send + Sync) {
    let mut is_told = false;
    let tell = |error| {
        if !std::mem::replace(&mut is_told, true) {
            eprintln!(
                "connections cannot be accepted: {error}; `ulimit -n` says how many files a process may open"
            );
        }
    };
    accept(listener, |stream, _| serve(TokioIo::new(stream)), tell).await;
}
