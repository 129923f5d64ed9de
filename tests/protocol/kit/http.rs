//! A small HTTP/1.1 client: one connection per request, every header in the test's hands, so that malformed ones can be sent too.

use std::io;
use std::net::SocketAddr;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use super::{RawSocket, in_time};

#[derive(Clone, Debug)]
pub(crate) struct Request {
    addr: SocketAddr,
    method: String,
    path: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    receive_buffer: Option<u32>,
}

#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

/// What an upgrade was answered with: the open connection and what had already arrived on it, or a refusal.
pub(crate) enum Upgraded {
    Open { response: Response, stream: TcpStream, rest: Vec<u8> },
    Refused(Response),
}

impl Request {
    pub(crate) fn new(addr: SocketAddr, method: &str, path: &str) -> Self {
        let headers = vec![("Host".to_owned(), addr.to_string())];
        let (method, path) = (method.to_owned(), path.to_owned());
        Self { addr, method, path, headers, body: Vec::new(), receive_buffer: None }
    }

    /// A correct WebSocket upgrade.
    pub(crate) fn upgrade(addr: SocketAddr, path: &str) -> Self {
        Self::new(addr, "GET", path)
            .header("Connection", "Upgrade")
            .header("Upgrade", "websocket")
            .header("Sec-WebSocket-Version", "13")
            .header("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")
    }

    /// The same by another method.
    pub(crate) fn by(mut self, method: &str) -> Self {
        method.clone_into(&mut self.method);
        self
    }

    /// Adds a header, beside others of the same name.
    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Takes away all headers of a name.
    pub(crate) fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(given, _)| !given.eq_ignore_ascii_case(name));
        self
    }

    /// Puts a header in place of those of the same name.
    pub(crate) fn replacing(self, name: &str, value: &str) -> Self {
        self.without(name).header(name, value)
    }

    pub(crate) fn body(mut self, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self.header("Content-Type", content_type)
    }

    pub(crate) fn json(self, body: &Value) -> Self {
        self.body("application/json", body.to_string())
    }

    /// A form as a browser posts it.
    pub(crate) fn form(self, fields: &[(&str, &str)]) -> Self {
        let pairs: Vec<_> =
            fields.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
        self.body("application/x-www-form-urlencoded", pairs.join("&"))
    }

    /// Shrinks what the kernel keeps for a client that does not read.
    pub(crate) fn with_receive_buffer(mut self, bytes: u32) -> Self {
        self.receive_buffer = Some(bytes);
        self
    }

    /// Sends and reads the whole answer.
    pub(crate) async fn send(self) -> Response {
        match self.header("Connection", "close").exchange().await {
            Upgraded::Refused(response) => response,
            Upgraded::Open { response, .. } => response,
        }
    }

    /// Sends as it stands: an upgrade says itself what becomes of its connection.
    pub(crate) async fn exchange(self) -> Upgraded {
        let what = format!("the answer to {} {}", self.method, self.path);
        in_time(&what, self.exchange_unbounded()).await
    }

    /// The same of a server that may be gone by now: nothing, where the connection ends before the answer.
    pub(crate) async fn try_exchange(self) -> Option<Upgraded> {
        let what = format!("the answer to {} {}", self.method, self.path);
        in_time(&what, self.exchange_if_it_answers()).await
    }

    /// Sends it so many times over one connection, without waiting for an answer before the next, and reads all of them.
    pub(crate) async fn flood(self, times: usize) -> Vec<Response> {
        let what = format!("{times} answers to {} {}", self.method, self.path);
        in_time(&what, self.flood_unbounded(times)).await
    }

    /// Sends an upgrade that must be refused.
    pub(crate) async fn refused(self) -> Response {
        match self.exchange().await {
            Upgraded::Refused(response) => response,
            Upgraded::Open { response, .. } => panic!("let in: {response:?}"),
        }
    }

    /// Sends an upgrade that must be accepted; only the head of the answer is of interest.
    pub(crate) async fn accepted(self) -> Response {
        match self.exchange().await {
            Upgraded::Open { response, .. } => response,
            Upgraded::Refused(response) => panic!("the upgrade was refused: {response:?}"),
        }
    }

    /// Sends an upgrade that must be accepted, to go on with its bytes.
    pub(crate) async fn open_raw(self) -> RawSocket {
        match self.exchange().await {
            Upgraded::Open { stream, rest, .. } => RawSocket::new(stream, rest),
            Upgraded::Refused(response) => panic!("the upgrade was refused: {response:?}"),
        }
    }

    async fn exchange_unbounded(self) -> Upgraded {
        let what = format!("{} {}", self.method, self.path);
        let exchanged = self.exchange_if_it_answers().await;
        exchanged.unwrap_or_else(|| panic!("{what}: the connection ended before its answer"))
    }

    async fn exchange_if_it_answers(self) -> Option<Upgraded> {
        let mut stream = self.dial().await.ok()?;
        // A server may refuse a large body before it has read all of it.
        let _refused_early = stream.write_all(&self.bytes()).await;
        let mut received = Vec::new();
        let head_length = loop {
            if let Some(end) = find(&received, b"\r\n\r\n") {
                break end + 4;
            }
            if !read_more(&mut stream, &mut received).await {
                return None;
            }
        };
        let rest = received.split_off(head_length);
        let mut response = parse_head(&received);
        if response.status == 101 {
            self.check_accept_key(&response);
            return Some(Upgraded::Open { response, stream, rest });
        }
        response.body = read_body(&mut stream, rest, &response, &self.method).await;
        Some(Upgraded::Refused(response))
    }

    async fn flood_unbounded(self, times: usize) -> Vec<Response> {
        let mut stream = self.dial().await.expect("the server listens");
        let (mut reader, mut writer) = stream.split();
        let bytes = self.bytes().repeat(times);
        let reading = async {
            let (mut received, mut answers) = (Vec::new(), Vec::new());
            while answers.len() < times {
                match take_whole(&mut received) {
                    Some(answer) => answers.push(answer),
                    None => {
                        let more = reader.read_buf(&mut received).await.expect("answers");
                        assert!(more > 0, "the connection ended after {} answers", answers.len());
                    }
                }
            }
            answers
        };
        let (answers, sent) = tokio::join!(reading, writer.write_all(&bytes));
        sent.expect("all of it is taken");
        answers
    }

    async fn dial(&self) -> io::Result<TcpStream> {
        let socket = match self.addr {
            SocketAddr::V4(_) => TcpSocket::new_v4(),
            SocketAddr::V6(_) => TcpSocket::new_v6(),
        }
        .expect("a socket");
        if let Some(bytes) = self.receive_buffer {
            socket.set_recv_buffer_size(bytes).expect("a small receive buffer");
        }
        socket.connect(self.addr).await
    }

    fn bytes(&self) -> Vec<u8> {
        let mut head = format!("{} {} HTTP/1.1\r\n", self.method, self.path);
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        if !self.body.is_empty() || self.method == "POST" {
            head.push_str(&format!("Content-Length: {}\r\n", self.body.len()));
        }
        head.push_str("\r\n");
        let mut bytes = head.into_bytes();
        bytes.extend(&self.body);
        bytes
    }

    fn check_accept_key(&self, response: &Response) {
        let key = self.headers.iter().find(|(name, _)| name == "Sec-WebSocket-Key");
        let (_, key) = key.expect("only an upgrade is answered with 101");
        assert_eq!(
            response.header("Sec-WebSocket-Accept"),
            Some(derive_accept_key(key.as_bytes()).as_str())
        );
    }
}

impl Response {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let named = |(given, _): &&(String, String)| given.eq_ignore_ascii_case(name);
        self.headers.iter().find(named).map(|(_, value)| value.as_str())
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body)
            .unwrap_or_else(|error| panic!("the answer is no JSON ({error}): {self:?}"))
    }

    /// Asserts a refusal with this status and code.
    #[track_caller]
    pub(crate) fn assert_error(&self, status: u16, code: &str) {
        assert_eq!(self.assert_refused(status), code, "{self:?}");
    }

    /// Asserts a refusal in the one form all of them have, and hands out its code.
    #[track_caller]
    pub(crate) fn assert_refused(&self, status: u16) -> Value {
        let error = &self.assert_json(status)["error"];
        assert!(error["code"].is_string(), "{self:?}");
        assert!(error["message"].as_str().is_some_and(|text| !text.is_empty()), "{self:?}");
        error["code"].clone()
    }

    /// Asserts an answer in JSON and hands out its content.
    #[track_caller]
    pub(crate) fn assert_json(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{self:?}");
        let content_type = self.header("Content-Type").unwrap_or_default();
        assert!(content_type.starts_with("application/json"), "{self:?}");
        self.json()
    }
}

/// Percent-encodes all but unreserved characters.
pub(crate) fn encoded(text: &str) -> String {
    let unreserved = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(byte);
    let encode = |byte: u8| match unreserved(&byte) {
        true => char::from(byte).to_string(),
        false => format!("%{byte:02X}"),
    };
    text.bytes().map(encode).collect()
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}

async fn read_more(stream: &mut TcpStream, into: &mut Vec<u8>) -> bool {
    matches!(stream.read_buf(into).await, Ok(count) if count > 0)
}

fn parse_head(head: &[u8]) -> Response {
    let head = std::str::from_utf8(head).expect("an answer's head is ASCII");
    let mut lines = head.split("\r\n").filter(|line| !line.is_empty());
    let status_line = lines.next().expect("an answer has a status line");
    let status = status_line.split(' ').nth(1).and_then(|code| code.parse().ok());
    let headers = lines.map(|line| {
        let (name, value) = line.split_once(':').expect("a header has a colon");
        (name.to_owned(), value.trim().to_owned())
    });
    Response {
        status: status.unwrap_or_else(|| panic!("no status in {status_line}")),
        headers: headers.collect(),
        body: String::new(),
    }
}

/// Takes an answer that says its length away from what has come, once it is whole.
fn take_whole(received: &mut Vec<u8>) -> Option<Response> {
    let end = find(received, b"\r\n\r\n")? + 4;
    let mut answer = parse_head(&received[..end]);
    let length = answer.header("Content-Length").expect("a length");
    let whole = end + length.parse::<usize>().expect("a length");
    let body = received.get(end..whole)?.to_vec();
    answer.body = String::from_utf8(body).expect("an answer's body is UTF-8");
    received.drain(..whole);
    Some(answer)
}

async fn read_body(
    stream: &mut TcpStream,
    mut body: Vec<u8>,
    head: &Response,
    method: &str,
) -> String {
    let length = head.header("Content-Length").map(|value| value.parse().expect("a length"));
    let chunked = head.header("Transfer-Encoding").is_some_and(|value| value == "chunked");
    let complete = |body: &[u8]| match length {
        _ if method == "HEAD" => true,
        Some(length) => body.len() >= length,
        None => chunked && body.ends_with(b"0\r\n\r\n"),
    };
    while !complete(&body) && read_more(stream, &mut body).await {}
    let body = if chunked { unchunked(&body) } else { body };
    String::from_utf8(body).expect("an answer's body is UTF-8")
}

fn unchunked(mut chunks: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    while let Some(end) = find(chunks, b"\r\n") {
        let size = std::str::from_utf8(&chunks[..end]).ok();
        let size =
            size.and_then(|size| usize::from_str_radix(size, 16).ok()).expect("a chunk size");
        body.extend(&chunks[end + 2..end + 2 + size]);
        chunks = &chunks[end + 2 + size + 2..];
    }
    body
}
