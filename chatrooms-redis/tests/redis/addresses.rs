//! How Redis is reached: by which address, and who is let in.

use std::{
    net::TcpListener,
    path::Path,
    process::{Child, Command, Stdio},
};

use chatrooms_core::Cluster;
use chatrooms_redis::{ConnectError, RedisCluster};
use tempfile::TempDir;

use crate::support::eventually;

/// A Redis on a port of its own, with these arguments beside that.
struct Listening {
    folder: TempDir,
    port: u16,
    child: Option<Child>,
}

impl Listening {
    fn new() -> Self {
        // Free a moment ago: another test takes another one.
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        Self { folder: tempfile::tempdir().unwrap(), port, child: None }
    }

    fn start(&mut self, arguments: &[&str]) {
        let mut server = Command::new("redis-server");
        server.args(["--save", "", "--bind", "127.0.0.1"]).args(arguments);
        server.current_dir(self.folder.path()).stdout(Stdio::null()).stderr(Stdio::null());
        self.child = Some(server.spawn().expect("redis-server is installed"));
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Connects as soon as somebody answers.
async fn connected(url: &str) -> RedisCluster {
    let mut cluster = None;
    eventually("redis lets this node in", async || {
        cluster = RedisCluster::connect(url).await.ok();
        cluster.is_some()
    })
    .await;
    cluster.unwrap()
}

#[tokio::test]
async fn a_password_and_a_database_are_taken_from_the_address() {
    let mut redis = Listening::new();
    redis.start(&["--port", &redis.port.to_string(), "--requirepass", "open sesame"]);
    let at = format!("127.0.0.1:{}", redis.port);
    let node = connected(&format!("redis://:open%20sesame@{at}/3")).await;
    assert_eq!(node.rooms(None, 9).await.unwrap(), (vec![], false));
    let shown = format!("{node:?}");
    assert!(!shown.contains("sesame"), "{shown}");
    for wrong in ["", ":wrong@"] {
        let refused = RedisCluster::connect(&format!("redis://{wrong}{at}")).await;
        let Err(ConnectError::Unavailable(_)) = refused else { panic!("{refused:?}") };
    }
}

#[tokio::test]
async fn an_address_that_is_none_is_said_to_be() {
    for foreign in ["", "redis", "http://127.0.0.1/", "redis://127.0.0.1/x"] {
        let refused = RedisCluster::connect(foreign).await;
        assert!(matches!(refused, Err(ConnectError::Address(_))), "{foreign}: {refused:?}");
    }
    let nobody = RedisCluster::connect("redis://127.0.0.1:1/").await;
    assert!(matches!(nobody, Err(ConnectError::Unavailable(_))), "{nobody:?}");
}

#[tokio::test]
async fn a_setting_that_makes_no_sense_is_refused() {
    let options = [
        RedisCluster::options().prefix("a{b}"),
        RedisCluster::options().lease(std::time::Duration::from_millis(10)),
        RedisCluster::options().timeout(std::time::Duration::ZERO),
    ];
    for options in options {
        let refused = options.connect("redis://127.0.0.1:1/").await;
        assert!(matches!(refused, Err(ConnectError::Setting(_))), "{refused:?}");
    }
}

#[cfg(not(feature = "tls"))]
#[tokio::test]
async fn an_address_with_tls_needs_the_feature() {
    let refused = RedisCluster::connect("rediss://127.0.0.1:1/").await;
    assert!(matches!(refused, Err(ConnectError::NoTls)), "{refused:?}");
}

#[cfg(feature = "tls")]
mod over_tls {
    use super::*;

    /// What this test's own process is told where it is run again with another trust.
    const ADDRESS: &str = "CHATROOMS_TEST_TLS_ADDRESS";

    fn openssl(folder: &Path, arguments: &str) {
        let mut openssl = Command::new("openssl");
        openssl.args(arguments.split(' ')).current_dir(folder);
        let output = openssl.output().expect("openssl is installed");
        assert!(output.status.success(), "{arguments}: {output:?}");
    }

    /// An authority of one's own, and a certificate by it for 127.0.0.1.
    fn certify(folder: &Path) {
        let key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";
        openssl(
            folder,
            &format!("req -x509 {key} -keyout ca.key -out ca.crt -days 2 -subj /CN=authority"),
        );
        openssl(folder, &format!("req {key} -keyout redis.key -out redis.csr -subj /CN=redis"));
        std::fs::write(folder.join("names"), "subjectAltName=IP:127.0.0.1\n").unwrap();
        let sign = "x509 -req -in redis.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 2";
        openssl(folder, &format!("{sign} -extfile names -out redis.crt"));
    }

    /// The system's certificates are those of the environment, which is another one for a process of its own.
    #[tokio::test]
    async fn a_redis_with_a_certificate_that_the_system_trusts_is_reached_over_tls() {
        if let Ok(address) = std::env::var(ADDRESS) {
            let node = connected(&address).await;
            assert_eq!(node.rooms(None, 9).await.unwrap(), (vec![], false));
            return;
        }
        let mut redis = Listening::new();
        certify(redis.path());
        let port = redis.port.to_string();
        let tls = ["--port", "0", "--tls-port", &port, "--tls-auth-clients", "no"];
        let files = [
            "--tls-cert-file",
            "redis.crt",
            "--tls-key-file",
            "redis.key",
            "--tls-ca-cert-file",
            "ca.crt",
        ];
        redis.start(&[&tls[..], &files[..]].concat());
        let address = format!("rediss://127.0.0.1:{port}/");
        let name = "addresses::over_tls::a_redis_with_a_certificate_that_the_system_trusts_is_reached_over_tls";
        let mut again = tokio::process::Command::new(std::env::current_exe().unwrap());
        again.args(["--exact", name]).env(ADDRESS, &address);
        again.env("SSL_CERT_FILE", redis.path().join("ca.crt")).env_remove("SSL_CERT_DIR");
        let output = again.output().await.unwrap();
        assert!(output.status.success(), "{output:?}");
        // Here it is not trusted.
        let refused = RedisCluster::connect(&address).await;
        assert!(matches!(refused, Err(ConnectError::Unavailable(_))), "{refused:?}");
    }
}
