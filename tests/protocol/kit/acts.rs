//! What clients do in most scenarios, each act with its answer.

use std::time::Duration;

use serde_json::{Value, json};

use super::Client;

impl Client {
    /// Joins and hands out `joined`.
    pub(crate) async fn join(&mut self, room: &str) -> Value {
        self.join_with(json!({"room": room})).await
    }

    /// Joins with more fields than the room.
    pub(crate) async fn join_with(&mut self, mut fields: Value) -> Value {
        fields["type"] = json!("join");
        self.granted("joined", fields).await
    }

    /// Joins again where it once was, after this sequence number.
    pub(crate) async fn resume(&mut self, room: &str, epoch: &Value, seq: u64) -> Value {
        self.join_with(json!({"room": room, "resume": {"epoch": epoch, "seq": seq}})).await
    }

    pub(crate) async fn leave(&mut self, room: &str) -> Value {
        self.granted("left", json!({"type": "leave", "room": room})).await
    }

    /// Sends a message and hands out its sequence number.
    pub(crate) async fn say(&mut self, room: &str, body: &str) -> u64 {
        let sent = self.say_with(json!({"room": room, "body": body})).await;
        sent["seq"].as_u64().expect("sent.seq")
    }

    /// Sends a message with more fields than room and body, and hands out `sent`.
    pub(crate) async fn say_with(&mut self, mut fields: Value) -> Value {
        fields["type"] = json!("send");
        self.granted("sent", fields).await
    }

    /// Asserts that a request is granted by an answer of this type, as patient with limits as a client should be.
    pub(crate) async fn granted(&mut self, kind: &str, request: Value) -> Value {
        loop {
            let answer = self.request(request.clone()).await;
            if answer["code"] == "rate_limited" {
                self.wait_as_told(&answer).await;
                continue;
            }
            assert_eq!(answer["type"], kind, "{request} of {} was answered by {answer}", self.user);
            return answer;
        }
    }

    /// Asserts that a request is refused with this code, and hands out the error.
    pub(crate) async fn refused(&mut self, code: &str, request: Value) -> Value {
        let answer = self.request(request.clone()).await;
        assert_eq!(answer["type"], "error", "{request} of {} was answered by {answer}", self.user);
        assert_eq!(answer["code"], code, "{request} of {} was answered by {answer}", self.user);
        assert!(answer["message"].as_str().is_some_and(|text| !text.is_empty()), "{answer}");
        answer
    }

    /// Asserts that a text, which may be no JSON at all, is answered by `bad_request` without an id.
    pub(crate) async fn refused_text(&mut self, text: &str) -> Value {
        self.send_text(text).await;
        let answer = self.expect("error").await;
        assert_eq!(answer["code"], "bad_request", "{text} was answered by {answer}");
        assert!(answer.get("id").is_none(), "{text} was answered by {answer}");
        answer
    }

    /// Says something and reads on to it: all that was caused in this room before has then arrived. Of a cluster's other nodes that is so once somebody has asked who is there: a message of
    /// this node's own may be told before a coming or going there that was earlier.
    pub(crate) async fn catch_up(&mut self, room: &str) {
        self.members(room).await;
        let seq = self.say(room, "(catching up)").await;
        let own = |frame: &Value| {
            frame["type"] == "message" && frame["room"] == room && frame["seq"] == seq
        };
        self.expect_where("its own message", own).await;
    }

    /// The current member list, as one answer.
    pub(crate) async fn members(&mut self, room: &str) -> Value {
        self.granted("members", json!({"type": "members", "room": room})).await
    }

    /// The messages before `before`, or the newest ones.
    pub(crate) async fn history(&mut self, room: &str, fields: Value) -> Value {
        let mut request = json!({"type": "history", "room": room});
        for (name, value) in fields.as_object().expect("the fields of a history request") {
            request[name] = value.clone();
        }
        self.granted("history", request).await
    }

    pub(crate) async fn wait_as_told(&self, refusal: &Value) {
        let wait = refusal["retry_after_ms"].as_u64().expect("retry_after_ms");
        tokio::time::sleep(Duration::from_millis(wait)).await;
    }
}

/// The users of a member list, in its order.
#[track_caller]
pub(crate) fn users(answer: &Value) -> Vec<&str> {
    let members = answer["members"].as_array().expect("a member list");
    members.iter().map(|member| member["user"].as_str().expect("a user")).collect()
}

/// The sequence numbers of a message list, in its order.
#[track_caller]
pub(crate) fn seqs(answer: &Value) -> Vec<u64> {
    let messages = answer["messages"].as_array().expect("a message list");
    messages.iter().map(|message| message["seq"].as_u64().expect("a seq")).collect()
}

/// The bodies of a message list, in its order.
#[track_caller]
pub(crate) fn bodies(answer: &Value) -> Vec<&str> {
    let messages = answer["messages"].as_array().expect("a message list");
    messages.iter().map(|message| message["body"].as_str().expect("a body")).collect()
}
