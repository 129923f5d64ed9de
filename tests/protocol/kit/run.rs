//! Runs one script against each kind of server there is.

use std::process::Command;
use std::time::Duration;

use chatrooms::RoomRegistry;
use tokio::runtime::Builder;
use tokio::time::timeout;

use super::full_app::Store;
use super::in_process::assert_no_server_panicked;
use super::judging::judged;
use super::redis::Server as Redis;
use super::{Adapter, Cluster, Example, FullApp, InProcess, Server, rounds};

/// No test takes this long unless it hangs, as often as it usually repeats what it repeats.
const TEST_LIMIT: Duration = Duration::from_secs(90);

/// Makes a test of each scenario for each kind of server, on a server that all tests of the process share.
macro_rules! on_every_server {
    ($($scenario:ident),+ $(,)?) => {
        $crate::kit::on_every_process!($($scenario),+);

        mod cluster {
            $(#[test]
            fn $scenario() {
                $crate::kit::with_shared_cluster(async |nodes| super::$scenario(nodes).await);
            })+
        }
    };
}

/// The same but for the cluster, for what each of its nodes bounds for itself.
macro_rules! on_every_process {
    ($($scenario:ident),+ $(,)?) => {
        mod full_app {
            $(#[test]
            fn $scenario() {
                $crate::kit::with_shared_full_app(async |app| super::$scenario(app).await);
            })+
        }

        mod axum {
            $(#[test]
            fn $scenario() {
                $crate::kit::with_shared($crate::kit::Adapter::Axum, async |server| {
                    super::$scenario(server).await;
                });
            })+
        }

        mod warp {
            $(#[test]
            fn $scenario() {
                $crate::kit::with_shared($crate::kit::Adapter::Warp, async |server| {
                    super::$scenario(server).await;
                });
            })+
        }
    };
}

/// The same, and once more on a SQLite file, for scenarios in which the store has a say.
macro_rules! on_every_store {
    ($($scenario:ident),+ $(,)?) => {
        $crate::kit::on_every_server!($($scenario),+);
        $crate::kit::on_sqlite!($($scenario),+);
    };
}

/// Makes a test of each scenario for the application on a SQLite file.
macro_rules! on_sqlite {
    ($($scenario:ident),+ $(,)?) => {
        mod full_app_on_sqlite {
            $(#[test]
            fn $scenario() {
                $crate::kit::with_shared_full_app_on_sqlite(async |app| super::$scenario(app).await);
            })+
        }
    };
}

/// The same for scenarios that stop their server or fill it up: each gets one of its own.
macro_rules! on_own_server {
    ($($scenario:ident),+ $(,)?) => {
        $crate::kit::on_own_process!($($scenario),+);

        mod own_cluster {
            $(#[test]
            fn $scenario() {
                $crate::kit::with_cluster(&[], async |nodes| super::$scenario(&nodes).await);
            })+
        }
    };
}

/// The same but for the cluster.
macro_rules! on_own_process {
    ($($scenario:ident),+ $(,)?) => {
        mod own_full_app {
            $(#[test]
            fn $scenario() {
                $crate::kit::with_full_app(&[], async |app| super::$scenario(&app).await);
            })+
        }

        mod own_axum {
            $(#[test]
            fn $scenario() {
                $crate::kit::with_own($crate::kit::Adapter::Axum, async |server| {
                    super::$scenario(&server).await;
                });
            })+
        }

        mod own_warp {
            $(#[test]
            fn $scenario() {
                $crate::kit::with_own($crate::kit::Adapter::Warp, async |server| {
                    super::$scenario(&server).await;
                });
            })+
        }
    };
}

/// Makes a test of each scenario for each adapter, for those that set their server up as only a host can.
macro_rules! on_each_adapter {
    ($($scenario:ident),+ $(,)?) => {
        mod axum {
            $(#[test]
            fn $scenario() {
                $crate::kit::with_adapter($crate::kit::Adapter::Axum, super::$scenario);
            })+
        }

        mod warp {
            $(#[test]
            fn $scenario() {
                $crate::kit::with_adapter($crate::kit::Adapter::Warp, super::$scenario);
            })+
        }
    };
}

pub(crate) use {
    on_each_adapter, on_every_process, on_every_server, on_every_store, on_own_process,
    on_own_server, on_sqlite,
};

/// Runs a script on the process' shared server of an adapter.
pub(crate) fn with_shared(adapter: Adapter, script: impl AsyncFnOnce(&Server)) {
    with_adapter(adapter, async |adapter| script(InProcess::shared(adapter).await).await);
}

/// Runs a script on a server of an adapter that is its own.
pub(crate) fn with_own(adapter: Adapter, script: impl AsyncFnOnce(InProcess)) {
    with_adapter(adapter, async |adapter| {
        script(InProcess::start(adapter, RoomRegistry::builder()).await).await;
    });
}

/// Runs a script that starts its servers itself.
pub(crate) fn with_adapter(adapter: Adapter, script: impl AsyncFnOnce(Adapter)) {
    block_on(script(adapter));
    assert_no_server_panicked();
}

/// Runs a script on the process' shared `full_app`.
pub(crate) fn with_shared_full_app(script: impl AsyncFnOnce(&Server)) {
    block_on(script(&FullApp::shared(Store::Memory)));
}

/// The same, on the one that keeps its messages in a SQLite file.
pub(crate) fn with_shared_full_app_on_sqlite(script: impl AsyncFnOnce(&Server)) {
    block_on(script(&FullApp::shared(Store::SqliteFile)));
}

/// Runs a script on the process' shared cluster, each of whose clients is on any of its nodes.
pub(crate) fn with_shared_cluster(script: impl AsyncFnOnce(&Server)) {
    block_on(async {
        let cluster = Cluster::shared().await;
        script(&cluster).await;
    });
}

/// Runs a script on a cluster of its own, whose nodes are started with these options besides the usual ones.
pub(crate) fn with_cluster(options: &[&str], script: impl AsyncFnOnce(Cluster)) {
    block_on(async { script(Cluster::start(options).await).await });
}

/// The same over a Redis that keeps what it has answered over its end.
pub(crate) fn with_cluster_that_keeps(options: &[&str], script: impl AsyncFnOnce(Cluster)) {
    block_on(async {
        let redis = Redis::that_keeps().await;
        script(Cluster::over(redis, options).await).await;
    });
}

/// Runs a script beside a Redis of its own.
pub(crate) fn with_redis(script: impl AsyncFnOnce(Redis)) {
    block_on(async { script(Redis::start().await).await });
}

/// Runs a script on a `full_app` of its own, started with these options besides the usual ones.
pub(crate) fn with_full_app(options: &[&str], script: impl AsyncFnOnce(FullApp)) {
    with_full_app_as(FullApp::command(), options, script);
}

/// The same, of a program that is started in a way of one's own.
pub(crate) fn with_full_app_as(
    command: Command,
    options: &[&str],
    script: impl AsyncFnOnce(FullApp),
) {
    let app = FullApp::start_as(command, options);
    block_on(script(app));
}

/// Runs a script on an example of its own, started with these variables in its environment.
pub(crate) fn with_example(
    name: &str,
    environment: &[(&str, &str)],
    script: impl AsyncFnOnce(Example),
) {
    let example = Example::start(name, environment);
    block_on(script(example));
}

fn block_on(script: impl Future<Output = ()>) {
    let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
    let limit = TEST_LIMIT * rounds(1) as u32;
    judged(|| {
        runtime.block_on(async {
            timeout(limit, script).await.expect("the test hung");
        });
    });
}
