//! Requests and answers of HTTP/1.1.

use std::time::Duration;

use serde_json::Value;

use super::{Target, Wrong};

/// A request, as right or as wrong as it is to be.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    head: String,
    body: Vec<u8>,
}

impl Request {
    pub(crate) fn new(target: Target, method: &str, path: &str) -> Self {
        let head = format!("{method} {path} HTTP/1.1\r\nHost: {}\r\n", target.0);
        Self { head, body: Vec::new() }
    }

    /// A right handshake.
    pub(crate) fn upgrade(target: Target) -> Self {
        Self::new(target, "GET", "/chat/ws")
            .header("Connection", "Upgrade")
            .header("Upgrade", "websocket")
            .header("Sec-WebSocket-Version", "13")
            .header("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")
    }

    /// The form by which somebody enters.
    pub(crate) fn entry(target: Target, user: &str, room: &str) -> Self {
        let form = format!("username={}&room={}", encoded(user), encoded(room));
        let kind = "application/x-www-form-urlencoded";
        Self::new(target, "POST", "/rooms").body(kind, form.into_bytes())
    }

    /// A message without a socket.
    pub(crate) fn post(target: Target, room: &str, body: &str) -> Self {
        let path = format!("/chat/rooms/{}/messages", encoded(room));
        let json = serde_json::json!({"body": body}).to_string();
        Self::new(target, "POST", &path).body("application/json", json.into_bytes())
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.head.extend([name, ": ", value, "\r\n"]);
        self
    }

    pub(crate) fn body(mut self, kind: &str, body: Vec<u8>) -> Self {
        self.body = body;
        let length = self.body.len().to_string();
        self.header("Content-Type", kind).header("Content-Length", &length)
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        [self.head.as_bytes(), b"\r\n", &self.body].concat()
    }
}

/// An answer with its body.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    head: String,
    pub(crate) body: String,
}

impl Answer {
    /// Takes an answer away from what has come, once it is whole.
    pub(super) fn take(bytes: &mut Vec<u8>) -> Option<Self> {
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
        let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
        let mut answer = Self { status, head, body: String::new() };
        let length = answer.header("content-length").and_then(|length| length.parse().ok());
        let whole = end + length.unwrap_or(0);
        answer.body = String::from_utf8_lossy(bytes.get(end..whole)?).into_owned();
        bytes.drain(..whole);
        Some(answer)
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().filter_map(|line| line.split_once(':'));
        let mut values = lines.filter(|(given, _)| given.eq_ignore_ascii_case(name));
        values.next().map(|(_, value)| value.trim())
    }

    /// It has to have this status.
    pub(crate) fn is(&self, status: u16) -> Result<(), Wrong> {
        if self.status == status { Ok(()) } else { Err(self.instead_of(status)) }
    }

    /// It has to be an error of the library with this code.
    pub(crate) fn is_error(&self, status: u16, code: &str) -> Result<(), Wrong> {
        let body: Value = serde_json::from_str(&self.body).unwrap_or_default();
        let is_it = self.status == status && body["error"]["code"] == code;
        if is_it { Ok(()) } else { Err(self.instead_of(format!("{status} {code}"))) }
    }

    /// How long to wait where it came too fast, whatever was asked for.
    pub(crate) fn too_fast(&self) -> Option<Duration> {
        let is_it = self.is_error(429, "rate_limited").is_ok()
            || (self.status == 429 && self.body.starts_with("That was too fast."));
        let seconds = self.header("Retry-After").and_then(|seconds| seconds.parse().ok());
        seconds.filter(|seconds| is_it && *seconds > 0).map(Duration::from_secs)
    }

    fn instead_of(&self, expected: impl std::fmt::Display) -> Wrong {
        let body = &self.body[..self.body.floor_char_boundary(100)];
        Wrong(format!("{} {body:?} instead of {expected}", self.status))
    }
}

/// A text as a part of a path or of a form.
pub(crate) fn encoded(text: &str) -> String {
    let encode = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' => char::from(byte).to_string(),
        other => format!("%{other:02X}"),
    };
    text.bytes().map(encode).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_taken_once_it_is_whole() {
        let mut bytes = b"HTTP/1.1 404 Not Found\r\nContent-Length: 30\r\n\r\n".to_vec();
        assert!(Answer::take(&mut bytes).is_none());
        bytes.extend(br#"{"error":{"code":"not_found"}} and more"#);
        let answer = Answer::take(&mut bytes).expect("it is whole");
        assert_eq!(bytes, b" and more");
        assert_eq!(answer.is_error(404, "not_found"), Ok(()));
        assert!(answer.is_error(404, "forbidden").is_err() && answer.is(403).is_err());
        assert_eq!(answer.header("content-LENGTH"), Some("30"));
    }

    #[test]
    fn what_came_too_fast_says_how_long_to_wait() {
        let too_fast = |status: u16, header: &str, body: &str| {
            let length = body.len();
            let text =
                format!("HTTP/1.1 {status} x\r\n{header}Content-Length: {length}\r\n\r\n{body}");
            Answer::take(&mut text.into_bytes()).expect("it is whole").too_fast()
        };
        let (wait, json) = ("Retry-After: 2\r\n", r#"{"error":{"code":"rate_limited"}}"#);
        let two = Some(Duration::from_secs(2));
        assert_eq!(too_fast(429, wait, json), two);
        assert_eq!(too_fast(429, wait, "That was too fast. Please wait."), two);
        for other in [too_fast(429, "", json), too_fast(503, wait, json), too_fast(429, wait, "")] {
            assert_eq!(other, None);
        }
    }

    #[test]
    fn a_form_is_encoded() {
        let target = Target(([127, 0, 0, 1], 5000).into());
        let bytes = Request::entry(target, "a b", "\u{e9}").bytes();
        let text = String::from_utf8(bytes).expect("it is all ASCII");
        assert!(text.starts_with("POST /rooms HTTP/1.1\r\nHost: 127.0.0.1:5000\r\n"));
        assert!(text.ends_with("Content-Length: 26\r\n\r\nusername=a%20b&room=%C3%A9"), "{text}");
    }
}
