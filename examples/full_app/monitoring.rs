//! The numbers for the operator's Prometheus, on an address of their own: what is behind the public one, a proxy included, never sees them.

use std::{
    io::{self, Write as _},
    time::Duration,
};

use axum::{Router, extract::State, http::header, response::IntoResponse, routing::get};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tokio::{net::TcpListener, time::interval};
use tokio_util::task::AbortOnDropHandle;

use crate::{connections::Connections, cut_off, failure::Failure, pace, process, serve};

/// From half a millisecond, about what a write to a disk takes, to where every time-out has struck.
const SECONDS: [f64; 14] =
    [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];
/// How often samples are put into their buckets where nobody asks for them: they would gather for ever.
const UPKEEP: Duration = Duration::from_secs(5);

/// Counting and its page; dropping it ends the page.
pub(crate) struct Monitoring {
    _serving: AbortOnDropHandle<()>,
    _upkeep: AbortOnDropHandle<()>,
}

impl Monitoring {
    /// Counts from here on, and says on stdout where to read.
    pub(crate) async fn start(addr: &str) -> Result<Self, Failure> {
        let listener = serve::listen(addr).await?;
        announce(&listener)?;
        let builder = PrometheusBuilder::new().set_buckets(&SECONDS);
        let installed = builder.and_then(PrometheusBuilder::install_recorder);
        let numbers =
            installed.map_err(|error| Failure::because("nothing can be counted", &error))?;
        process::describe();
        pace::describe();
        cut_off::describe();
        Ok(Self {
            _upkeep: AbortOnDropHandle::new(tokio::spawn(keep_up(numbers.clone()))),
            _serving: AbortOnDropHandle::new(tokio::spawn(serve(listener, numbers))),
        })
    }
}

fn announce(listener: &TcpListener) -> Result<(), Failure> {
    let addr = listener.local_addr();
    let addr = addr.map_err(|error| Failure::because("its own address is not known", &error))?;
    let mut stdout = io::stdout().lock();
    // Nobody has to read it.
    let _ = writeln!(stdout, "metrics on http://{addr}/metrics").and_then(|()| stdout.flush());
    Ok(())
}

async fn serve(listener: TcpListener, numbers: PrometheusHandle) {
    let page = Router::new().route("/metrics", get(show)).with_state(numbers);
    Connections::new(page).accept(&listener).await;
}

async fn show(State(numbers): State<PrometheusHandle>) -> impl IntoResponse {
    process::observe();
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], numbers.render())
}

async fn keep_up(numbers: PrometheusHandle) {
    let mut turns = interval(UPKEEP);
    loop {
        turns.tick().await;
        numbers.run_upkeep();
    }
}
