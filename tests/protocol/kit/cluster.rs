//! Three nodes of `full_app` over one Redis, and a balancer that gives each connection to one of them by chance.

use std::ops::Deref;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use futures_util::FutureExt;
use futures_util::future::{LocalBoxFuture, join_all};
use tokio::task::spawn_blocking;

use super::balancer::Balancer;
use super::process::Process;
use super::redis::Server as Redis;
use super::{FullApp, Header, Host, Server};

const NODES: usize = 3;
/// The same on all of them, so that a cookie is good on each.
const SECRET: &str = "what the tests sign their cookies with";

/// A running cluster; dropping it kills the processes.
pub(crate) struct Cluster {
    server: Server,
    pub(crate) nodes: Vec<FullApp>,
    pub(crate) redis: Redis,
    balancer: Balancer,
}

impl Cluster {
    /// The one that all tests of this process share while any of them runs.
    pub(crate) async fn shared() -> Arc<Self> {
        static SHARED: Mutex<Weak<Cluster>> = Mutex::new(Weak::new());
        let shared = || SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(cluster) = shared().upgrade() {
            return cluster;
        }
        // Should two tests come here at once, both have a good one.
        let cluster = Arc::new(Self::start(&[]).await);
        *shared() = Arc::downgrade(&cluster);
        cluster
    }

    /// Starts one whose nodes have these options besides the usual ones.
    pub(crate) async fn start(options: &[&str]) -> Self {
        Self::over(Redis::start().await, options).await
    }

    /// The same over a Redis of one's own.
    pub(crate) async fn over(redis: Redis, options: &[&str]) -> Self {
        let nodes: Vec<_> = (0..NODES).map(|_| Self::node(&redis, options)).collect();
        let balancer = Balancer::start(nodes.iter().map(|node| node.addr).collect()).await;
        let processes = nodes.iter().map(FullApp::process).collect();
        let host = Box::new(Nodes(processes));
        let server = Server { addr: balancer.addr(), mount: "/chat".to_owned(), host };
        Self { server, nodes, redis, balancer }
    }

    /// Starts another node in the place of one, which is handed out: clients that come from then on are sent to the new one.
    pub(crate) async fn replace(&mut self, place: usize, options: &'static [&str]) -> FullApp {
        let url = self.redis.url();
        // Those who wait for it go on meanwhile.
        let starting = spawn_blocking(move || Self::node_at(&url, options));
        let next = starting.await.expect("another node");
        self.balancer.replace(self.nodes[place].addr, next.addr);
        std::mem::replace(&mut self.nodes[place], next)
    }

    /// One more node on a Redis.
    pub(crate) fn node(redis: &Redis, options: &[&str]) -> FullApp {
        Self::node_at(&redis.url(), options)
    }

    fn node_at(url: &str, options: &[&str]) -> FullApp {
        let cluster = ["--cluster", url, "--secret", SECRET];
        FullApp::start(&[&cluster, options].concat())
    }
}

impl Deref for Cluster {
    type Target = Server;

    fn deref(&self) -> &Server {
        &self.server
    }
}

/// Whatever is asked of one of them counts for all, but for the end.
struct Nodes(Vec<Arc<Process>>);

impl Host for Nodes {
    fn admit<'a>(&'a self, server: &'a Server, user: &'a str) -> LocalBoxFuture<'a, Header> {
        self.0[0].admit(server, user)
    }

    fn log_out<'a>(&'a self, server: &'a Server, credential: &'a Header) -> LocalBoxFuture<'a, ()> {
        self.0[0].log_out(server, credential)
    }

    fn shut_down(&self) -> LocalBoxFuture<'_, ()> {
        async move { drop(join_all(self.0.iter().map(|node| node.shut_down())).await) }
            .boxed_local()
    }
}
