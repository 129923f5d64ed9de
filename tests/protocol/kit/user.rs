//! A user with a valid credential: the start of most scenarios.

use serde_json::Value;

use super::{Client, Header, RawSocket, Request, Response, Server, encoded};

pub(crate) struct User<'s> {
    pub(crate) server: &'s Server,
    pub(crate) name: String,
    pub(crate) credential: Header,
}

impl User<'_> {
    /// A socket that is in no room yet.
    pub(crate) async fn connect(&self) -> Client {
        self.connect_with("").await
    }

    /// A socket that asked for these rooms in its address, after their answers.
    pub(crate) async fn connect_to(&self, rooms: &[&str]) -> Client {
        let mut client = self.connect_with(&room_query(rooms)).await;
        for room in rooms {
            client.expect_in("joined", room).await;
        }
        client
    }

    /// A socket opened with this query, `hello` read and nothing else.
    pub(crate) async fn connect_with(&self, query: &str) -> Client {
        match self.try_connect(query).await {
            Ok(client) => client,
            Err(refusal) => panic!("{} was not let in: {refusal:?}", self.name),
        }
    }

    /// A socket, or the answer that refused the upgrade.
    pub(crate) async fn try_connect(&self, query: &str) -> Result<Client, Response> {
        Client::open(self.upgrade(query)).await
    }

    /// A socket on which the test writes and reads the bytes itself, past `hello`.
    pub(crate) async fn connect_raw(&self, query: &str) -> RawSocket {
        let mut socket = self.upgrade(query).open_raw().await;
        let hello = socket.text().await;
        assert!(hello.contains(r#""type":"hello""#), "the first frame is hello, got {hello}");
        socket
    }

    /// A correct upgrade that carries this user's credential.
    pub(crate) fn upgrade(&self, query: &str) -> Request {
        let (name, value) = &self.credential;
        self.server.upgrade(query).header(name, value)
    }

    /// A request beneath the mount that carries this user's credential.
    pub(crate) fn request(&self, method: &str, path: &str) -> Request {
        let (name, value) = &self.credential;
        self.server.request(method, path).header(name, value)
    }

    pub(crate) async fn get(&self, path: &str) -> Response {
        self.request("GET", path).send().await
    }

    /// Posts to a room without a socket.
    pub(crate) async fn post(&self, room: &str, message: &Value) -> Response {
        let path = format!("/rooms/{}/messages", encoded(room));
        self.request("POST", &path).json(message).send().await
    }

    pub(crate) async fn log_out(&self) {
        self.server.host.log_out(self.server, &self.credential).await;
    }
}

fn room_query(rooms: &[&str]) -> String {
    let named: Vec<_> = rooms.iter().map(|room| format!("room={}", encoded(room))).collect();
    format!("?{}", named.join("&"))
}
