//! The routes beside the socket.

use bytes::Bytes;
use chatrooms_core::{Config, Identity, RoomName, Visit};
use http::{Method, StatusCode, header, request::Parts};
use http_body::Body;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use percent_encoding::percent_decode_str;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tokio::time::timeout;

use crate::{
    Answer, Options,
    answer::{Problem, json},
    client,
    endpoint::Endpoint,
    object::{PageObject, RoomDetails, RoomObject},
    request::{self, Invalid, invalid_room},
};

impl Endpoint {
    pub(crate) async fn route<B>(
        &self,
        path: &str,
        parts: Parts,
        body: B,
    ) -> Result<Answer, Problem>
    where
        B: Body<Data = Bytes> + Send,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        self.count_address(&parts)?;
        let options = self.options();
        let segments: Vec<&str> = path.split('/').collect();
        match segments[..] {
            ["session"] if options.serve_session => self.session(&parts).await,
            ["rooms"] if options.serve_rooms => self.rooms(&parts).await,
            ["rooms", room] if options.serve_room => self.room(room, &parts).await,
            ["rooms", room, "messages"] if parts.method == Method::POST => {
                if options.serve_post {
                    self.post(room, parts, body).await
                } else {
                    Err(Problem::method("GET"))
                }
            }
            ["rooms", room, "messages"] if options.serve_room => self.messages(room, &parts).await,
            [file] if options.serve_client => {
                let answer = client::file(file, &parts.headers).ok_or_else(Problem::not_found)?;
                get_only(&parts, "GET")?;
                Ok(answer)
            }
            _ => Err(Problem::not_found()),
        }
    }

    /// Who the caller is: what a browser asks after a handshake that failed.
    async fn session(&self, parts: &Parts) -> Result<Answer, Problem> {
        #[derive(Serialize)]
        struct Whoami<'a> {
            user: &'a str,
            #[serde(skip_serializing_if = "Option::is_none")]
            name: Option<&'a str>,
        }
        get_only(parts, "GET")?;
        if self.registry().is_stopping() {
            return Err(chatrooms_core::Error::ShuttingDown.into());
        }
        if !self.options().origins.allow(&parts.headers) {
            return Err(Problem::foreign_origin());
        }
        let identity = self.identify(parts).await?;
        if !self.has_place(parts) {
            return Err(chatrooms_core::Error::TooManySessions.into());
        }
        self.registry().may_open_session(identity.user())?;
        let name = identity.name().map(|name| &**name);
        Ok(json(StatusCode::OK, &Whoami { user: identity.user().as_str(), name }))
    }

    /// Asks the authenticator, for a request that ends with its answer.
    async fn identify(&self, parts: &Parts) -> Result<Identity, Problem> {
        let identity = self.authenticate(parts).await?;
        self.confirm(&identity).await?;
        Ok(identity)
    }

    async fn rooms(&self, parts: &Parts) -> Result<Answer, Problem> {
        #[derive(Serialize)]
        struct Rooms<'a> {
            rooms: Vec<RoomObject<'a>>,
            more: bool,
        }
        get_only(parts, "GET")?;
        self.identify(parts).await?;
        let after = match query(parts, "after") {
            Some(after) => {
                Some(RoomName::new(&after).map_err(|error| invalid_room(error, &after))?)
            }
            None => None,
        };
        let limit = count(parts, "limit")?.unwrap_or(ROOMS_PER_PAGE).min(ROOMS_PER_PAGE);
        let (rooms, more) = self.registry().rooms(after.as_ref(), limit).await?;
        Ok(json(StatusCode::OK, &Rooms { rooms: rooms.iter().map(Into::into).collect(), more }))
    }

    async fn room(&self, room: &str, parts: &Parts) -> Result<Answer, Problem> {
        get_only(parts, "GET")?;
        let identity = self.identify(parts).await?;
        let visit = self.visit_as_of_now(&identity, room).await?;
        let (summary, page) = (visit.summary()?, visit.members()?);
        Ok(json(StatusCode::OK, &RoomDetails::new(&summary, &page.members, page.more)))
    }

    async fn messages(&self, room: &str, parts: &Parts) -> Result<Answer, Problem> {
        get_only(parts, "GET, POST")?;
        let identity = self.identify(parts).await?;
        let before = count(parts, "before")?.map(|before| before as u64);
        let limit = count(parts, "limit")?.unwrap_or(Config::DEFAULT_HISTORY);
        let page = self.visit_as_of_now(&identity, room).await?.history(before, limit).await?;
        Ok(json(StatusCode::OK, &PageObject::from(&page)))
    }

    async fn post<B>(&self, room: &str, parts: Parts, body: B) -> Result<Answer, Problem>
    where
        B: Body<Data = Bytes> + Send,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        #[derive(Deserialize)]
        struct Posted<'a> {
            body: String,
            #[serde(borrow, default, deserialize_with = "request::there")]
            data: Option<&'a RawValue>,
            #[serde(borrow, default, deserialize_with = "request::there")]
            nonce: Option<&'a RawValue>,
        }
        #[derive(Serialize)]
        struct Sent {
            seq: u64,
            at: chatrooms_core::Timestamp,
            #[serde(skip_serializing_if = "Option::is_none")]
            duplicate: Option<bool>,
        }
        if !self.options().origins.allow(&parts.headers) {
            return Err(Problem::foreign_origin());
        }
        let identity = self.identify(&parts).await?;
        if !is_json(&parts) {
            let message = "send application/json";
            return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "bad_request", message));
        }
        let body = read(body, self.options()).await?;
        let posted: Posted<'_> = serde_json::from_slice(&body).map_err(|_| {
            Invalid::frame("the body is {\"body\": string, \"data\"?: any, \"nonce\"?: string}")
        })?;
        let post = request::post(&posted.body, posted.data, posted.nonce)?;
        let sent = self.visit(&identity, room).await?.publish(post).await?;
        let status = if sent.duplicate { StatusCode::OK } else { StatusCode::CREATED };
        let duplicate = sent.duplicate.then_some(true);
        Ok(json(status, &Sent { seq: sent.seq, at: sent.at, duplicate }))
    }

    async fn visit_as_of_now(&self, identity: &Identity, room: &str) -> Result<Visit<'_>, Problem> {
        let visit = self.visit(identity, room).await?;
        visit.catch_up().await;
        Ok(visit)
    }

    async fn visit(&self, identity: &Identity, room: &str) -> Result<Visit<'_>, Problem> {
        let room = percent_decode_str(room).decode_utf8();
        let room = room.map_err(|_| Invalid::frame("the room's name is not UTF-8"))?;
        let room = RoomName::new(&room).map_err(|error| invalid_room(error, &room))?;
        Ok(self.registry().visit(identity, &room).await?)
    }
}

const ROOMS_PER_PAGE: usize = 100;

fn get_only(parts: &Parts, allowed: &'static str) -> Result<(), Problem> {
    match parts.method {
        Method::GET | Method::HEAD => Ok(()),
        _ => Err(Problem::method(allowed)),
    }
}

fn query(parts: &Parts, name: &str) -> Option<String> {
    let query = parts.uri.query().unwrap_or_default();
    let mut pairs = form_urlencoded::parse(query.as_bytes());
    pairs.find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

/// A count from 1 on; one that is too large is as good as the largest.
pub(crate) fn count(parts: &Parts, name: &'static str) -> Result<Option<usize>, Problem> {
    let Some(text) = query(parts, name) else { return Ok(None) };
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let count = if is_number { text.parse().unwrap_or(usize::MAX) } else { 0 };
    if count == 0 {
        return Err(Invalid::frame(format!("`{name}` is an integer from 1")).into());
    }
    Ok(Some(count))
}

fn is_json(parts: &Parts) -> bool {
    let content_type =
        parts.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = content_type.and_then(|value| value.split(';').next());
    essence.is_some_and(|essence| essence.trim().eq_ignore_ascii_case("application/json"))
}

async fn read<B>(body: B, options: &Options) -> Result<Bytes, Problem>
where
    B: Body<Data = Bytes> + Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let limit = options.post_bytes;
    match timeout(options.post_time, Limited::new(body, limit).collect()).await {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => {
            let message = format!("the body has at most {limit} bytes");
            Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", message))
        }
        Ok(Err(_)) => Err(Invalid::frame("the body cannot be read").into()),
        Err(_) => {
            let message = "the body did not arrive in time";
            let problem = Problem::new(StatusCode::REQUEST_TIMEOUT, "bad_request", message);
            // What is still to come of it is nothing to answer.
            Err(problem.with(header::CONNECTION, "close"))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{convert::Infallible, time::Duration};

    use chatrooms_core::{RoomRegistry, UserName};
    use futures_util::stream;
    use http::Request;
    use http_body::Frame;
    use http_body_util::StreamBody;
    use tokio::time::Instant;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_body_that_never_comes_is_not_waited_for() {
        let ada = |_: &Parts| Ok(Identity::new(UserName::new("ada").unwrap()));
        let endpoint = Endpoint::new(RoomRegistry::new(), ada);
        let silent = StreamBody::new(stream::pending::<Result<Frame<Bytes>, Infallible>>());
        let request = Request::post("/rooms/r/messages")
            .header(header::CONTENT_TYPE, "application/json")
            .body(silent)
            .unwrap();
        let began = Instant::now();
        let answer = endpoint.handle("/rooms/r/messages", request).await;
        assert_eq!(answer.status(), StatusCode::REQUEST_TIMEOUT);
        assert_eq!(began.elapsed(), Duration::from_secs(10));
    }
}
