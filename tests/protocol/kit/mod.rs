//! What every theme stands on: servers to talk to, and clients that check all they are told.

mod acts;
mod balancer;
mod client;
mod cluster;
mod example;
mod full_app;
mod http;
mod in_process;
mod judging;
mod process;
mod raw;
#[path = "../../../chatrooms-redis/tests/redis/server.rs"]
#[allow(dead_code, reason = "the tests of the cluster itself ask it for more")]
mod redis;
mod rounds;
mod run;
mod schema;
mod server;
mod tokens;
mod trace;
mod unique;
mod user;
mod wait;

pub(crate) use acts::{bodies, seqs, users};
pub(crate) use client::{Client, Close};
pub(crate) use cluster::Cluster;
pub(crate) use example::Example;
pub(crate) use full_app::FullApp;
pub(crate) use http::{Request, Response, encoded};
pub(crate) use in_process::{Adapter, InProcess, where_servers_run};
pub(crate) use judging::{bound, everything_is_recorded, run};
pub(crate) use process::{Process, signal};
pub(crate) use raw::{Frame, RawSocket, opcode};
pub(crate) use rounds::{Moments, rounds};
pub(crate) use run::{
    on_each_adapter, on_every_process, on_every_server, on_every_store, on_own_process,
    on_own_server, on_sqlite, with_adapter, with_cluster, with_cluster_that_keeps, with_example,
    with_full_app, with_full_app_as, with_own, with_redis, with_shared, with_shared_cluster,
    with_shared_full_app, with_shared_full_app_on_sqlite,
};
pub(crate) use schema::check_lists;
pub(crate) use server::{Header, Host, Server};
pub(crate) use tokens::{Doorkeeper, ON_PURPOSE, token};
pub(crate) use trace::Trace;
pub(crate) use unique::unique;
pub(crate) use user::User;
pub(crate) use wait::{HANG, eventually, in_time};
