//! The whole chat: accounts-free entry, rooms, messages and a page, on the chatrooms library.
//!
//! `cargo run --release --example full_app`, then open <http://localhost:5000> in two browser windows.
#![forbid(unsafe_code)]

mod accepting;
mod app;
mod assets;
mod auth;
mod claims;
mod clock;
mod connections;
mod cookie;
mod cookie_form;
mod creator;
mod cut_off;
mod directory;
mod entry;
mod failure;
mod form;
mod headers;
mod holdings;
mod keeping;
mod ledger;
mod logout;
mod moderation;
mod monitoring;
mod names;
mod numbering;
mod options;
mod order;
mod origin;
mod pace;
mod pages;
mod process;
mod reasons;
mod room;
mod secret;
mod serve;
mod site;
mod skeleton;
mod standing;
mod stop;
mod store;
mod unseen;
mod username;
mod visitor;
mod void_page;
mod voided;
mod wanted;
mod words;
mod write_deadline;

use std::{
    io::{self, IsTerminal as _, Write as _},
    process::ExitCode,
    sync::Arc,
    time::Duration,
};

use chatrooms::Config;
use clap::Parser as _;
use mimalloc::MiMalloc;
use tokio::runtime::Runtime;
use tracing_subscriber::EnvFilter;

use crate::{
    app::App, connections::Connections, cookie::Cookies, failure::Failure, monitoring::Monitoring,
    numbering::Numbering, options::Options, pages::Pages, reasons::reasons, stop::Stop,
};

/// What a message allocates is small and soon freed, which this does faster than the system's.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    match start() {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            // Nobody has to read it.
            let _ = writeln!(io::stderr(), "error: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn start() -> Result<(), Failure> {
    let options = match Options::try_parse() {
        Ok(options) => options,
        Err(help) if !help.use_stderr() => {
            let _ = help.print();
            return Ok(());
        }
        Err(error) => return Err(error.into()),
    };
    log_to_stderr();
    let runtime = Runtime::new()
        .map_err(|error| Failure::because("there are no threads to be had", &error))?;
    let ended = runtime.block_on(run(options));
    // What is left has had its time: above all connections that never finish their request.
    runtime.shutdown_background();
    ended
}

fn log_to_stderr() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        .init();
}

async fn run(options: Options) -> Result<(), Failure> {
    // Before anything is announced: who reads the announcement may ask for the end at once.
    let stop =
        Stop::watch().map_err(|error| Failure::because("signals cannot be watched", &error))?;
    let pages = Pages::load()?;
    let browsers = Numbering::start()
        .map_err(|error| Failure::because("there is no randomness to be had", &error))?;
    let listener = serve::listen(&options.addr).await?;
    // Before the registry is made, which counts with what is there then.
    let monitoring = match &options.metrics {
        Some(addr) => Some(Monitoring::start(addr).await?),
        None => None,
    };
    let kept = store::open(&options).await?;
    let mut config = Config::default();
    config.linger = Duration::from_secs(options.linger);
    let registry = kept.creators.start(kept.rooms.config(config)).await;
    let registry = registry.map_err(|error| Failure::new(reasons(&error)))?;
    let sockets = options.sockets();
    let site = Arc::new(options.public_url.unwrap_or_default());
    let app = App {
        registry: registry.clone(),
        creators: kept.creators,
        names: kept.names.clone(),
        browsers: Arc::new(browsers),
        cookies: Arc::new(Cookies::new(kept.key, site.cookie_form())),
        pages: Arc::new(pages),
        pace: Arc::default(),
        sockets,
        site: site.clone(),
    };
    let looking = tokio::spawn(kept.names.clone().look_after(registry.clone()));
    let _standing = kept.cluster.filter(|_| monitoring.is_some()).map(standing::watch);
    serve::announce(&listener, &site)?;
    let head_time = Duration::from_secs(options.head_seconds);
    let connections = Connections::new(app.router()).with_head_time(head_time);
    serve::serve(listener, connections, registry, stop).await;
    looking.abort();
    // To the last: an operator watches how it ends.
    drop(monitoring);
    kept.names.close().await;
    Ok(())
}
