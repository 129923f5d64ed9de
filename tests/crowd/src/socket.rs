//! One socket, of which every frame is written down.

use std::{net::SocketAddr, time::Duration};

use chatrooms_ws::Transcript;
use futures_util::{SinkExt, StreamExt};
use serde::Deserialize;
use serde_json::Value;
use tokio::{
    net::{TcpSocket, TcpStream},
    time::{sleep, timeout},
};
use tokio_tungstenite::{
    WebSocketStream, client_async_with_config,
    tungstenite::{
        Error, Message,
        client::IntoClientRequest,
        handshake::client::{Request, Response},
        http::{HeaderValue, StatusCode, header},
        protocol::{WebSocketConfig, frame::CloseFrame},
    },
};

use crate::episode::Shared;

/// The subprotocol of a chatrooms server.
const PROTOCOL: HeaderValue = HeaderValue::from_static("chatrooms.v1.json");
/// No answer of a living server takes so long, however busy its machine is and however long that sleeps or its store is locked.
const PATIENCE: Duration = Duration::from_secs(120);
/// Who is not connected by then tries anew: where a machine sleeps, the system's own tries become rare.
const CONNECTED: Duration = Duration::from_secs(10);
/// Thousands of sockets wait for small frames.
const READ_BUFFER: usize = 4 * 1024;

#[derive(Debug)]
pub(crate) struct Socket {
    stream: WebSocketStream<TcpStream>,
    transcript: Transcript,
    asked: u64,
    bye: Option<String>,
    close: Option<u16>,
}

/// What the server says, as far as it matters here.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Frame {
    #[serde(rename = "type")]
    pub(crate) kind: String,
    pub(crate) id: Option<u64>,
    pub(crate) room: Option<String>,
    pub(crate) epoch: Option<String>,
    pub(crate) seq: Option<u64>,
    pub(crate) body: Option<String>,
    pub(crate) code: Option<String>,
    #[serde(default)]
    pub(crate) members: Vec<Member>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Member {
    pub(crate) connections: usize,
}

/// The socket has ended.
#[derive(Debug)]
pub(crate) struct Ended {
    /// The code of `bye`, or the number of the close frame, or nothing.
    pub(crate) why: String,
}

fn may_come_again(status: StatusCode) -> bool {
    [StatusCode::SERVICE_UNAVAILABLE, StatusCode::TOO_MANY_REQUESTS].contains(&status)
}

/// How long somebody is to wait who may come again.
fn told_to_wait(refusal: &Response) -> Result<Duration, String> {
    let told = refusal.headers().get(header::RETRY_AFTER);
    let seconds = told.and_then(|told| told.to_str().ok()?.parse().ok()).filter(|told| *told > 0);
    let seconds = seconds.ok_or_else(|| format!("{} without a time to wait", refusal.status()))?;
    Ok(Duration::from_secs(seconds))
}

impl Socket {
    /// Opens one with a cookie, whose system takes as much as it takes by default, or as little as it can. It comes again as long as it is told to: who
    /// has been away for long needs their name written down anew, for which the database may be locked.
    pub(crate) async fn open(
        shared: &Shared,
        cookie: &str,
        takes_little: bool,
    ) -> Result<Self, Ended> {
        let (address, run) = (shared.stage.plan.address, &shared.run);
        let failed = |what: &str| Ended { why: format!("not let in: {what}") };
        let opening = async {
            loop {
                let Ok(connection) = timeout(CONNECTED, connect(address, takes_little)).await
                else {
                    shared.stage.counts.add("connected at another try");
                    continue;
                };
                let connection = connection.map_err(|error| failed(&error.to_string()))?;
                let request =
                    request(address, cookie).map_err(|error| failed(&error.to_string()))?;
                let transcript = Transcript::new(run);
                let config = WebSocketConfig::default().read_buffer_size(READ_BUFFER);
                match client_async_with_config(request, connection, Some(config)).await {
                    Ok((stream, _)) => {
                        return Ok(Self { stream, transcript, asked: 0, bye: None, close: None });
                    }
                    Err(Error::Http(refusal)) if may_come_again(refusal.status()) => {
                        shared.stage.counts.add("told to come again");
                        sleep(told_to_wait(&refusal).map_err(|problem| failed(&problem))?).await;
                    }
                    Err(error) => return Err(failed(&error.to_string())),
                }
            }
        };
        let mut socket = timeout(PATIENCE, opening).await.map_err(|_| failed("hung"))??;
        match socket.frame().await?.kind.as_str() {
            "hello" => Ok(socket),
            other => Err(failed(&format!("{other} instead of hello"))),
        }
    }

    /// Sends a request under a number, which is returned.
    pub(crate) async fn ask(&mut self, mut request: Value) -> Result<u64, Ended> {
        self.asked += 1;
        request["id"] = self.asked.into();
        self.say(&request).await?;
        Ok(self.asked)
    }

    /// Sends a frame as it stands.
    pub(crate) async fn say(&mut self, frame: &Value) -> Result<(), Ended> {
        let text = frame.to_string();
        self.transcript.sent(&text);
        match timeout(PATIENCE, self.stream.send(Message::text(text))).await {
            Ok(Ok(())) => Ok(()),
            // It has been closed, and there may be something to read that says why.
            Ok(Err(_)) => self.end().await,
            Err(_) => Err(Ended { why: "the server takes nothing".to_owned() }),
        }
    }

    /// The next frame.
    ///
    /// # Cancel safety
    ///
    /// Safe: what has come stays in the socket.
    pub(crate) async fn frame(&mut self) -> Result<Frame, Ended> {
        loop {
            match self.stream.next().await {
                Some(Ok(Message::Text(text))) => {
                    self.transcript.received(&text);
                    let frame: Frame = serde_json::from_str(&text)
                        .map_err(|error| Ended { why: format!("{error} in {text}") })?;
                    if frame.kind == "bye" {
                        self.bye.clone_from(&frame.code);
                    }
                    return Ok(frame);
                }
                Some(Ok(Message::Close(close))) => self.close = close.map(|it| it.code.into()),
                Some(Ok(_)) => {}
                None | Some(Err(_)) => {
                    self.transcript.ended(self.close);
                    return Err(self.ended());
                }
            }
        }
    }

    /// The answer to a request; what comes meanwhile is written down, and looked at by nobody.
    pub(crate) async fn answer(&mut self, id: u64) -> Result<Frame, Ended> {
        let answered = async {
            loop {
                let frame = self.frame().await?;
                if frame.id == Some(id) {
                    return Ok(frame);
                }
            }
        };
        let hung = || Ended { why: "a request was not answered".to_owned() };
        timeout(PATIENCE, answered).await.map_err(|_| hung())?
    }

    /// Notes that all has come that was on its way.
    pub(crate) fn settled(&self) {
        self.transcript.settled();
    }

    /// Closes as a browser does; how that ended.
    pub(crate) async fn close(mut self) -> Ended {
        let close = CloseFrame { code: 1000.into(), reason: "".into() };
        // One that the server is closing has said so.
        let _ = self.stream.close(Some(close)).await;
        self.rest().await
    }

    /// Reads to the end.
    pub(crate) async fn rest(mut self) -> Ended {
        let read = async {
            loop {
                if let Err(ended) = self.frame().await {
                    return ended;
                }
            }
        };
        let hung = |_| Ended { why: "the server does not end it".to_owned() };
        timeout(PATIENCE, read).await.unwrap_or_else(hung)
    }

    /// Vanishes, with an RST.
    pub(crate) fn reset(self) {
        // One that has gone already cannot be told so.
        let _ = self.stream.get_ref().set_zero_linger();
        drop(self.stream);
        self.transcript.ended(None);
    }

    async fn end<T>(&mut self) -> Result<T, Ended> {
        loop {
            self.frame().await?;
        }
    }

    fn ended(&self) -> Ended {
        let close = || self.close.map_or_else(|| "lost".to_owned(), |code| code.to_string());
        Ended { why: self.bye.clone().unwrap_or_else(close) }
    }
}

fn request(address: SocketAddr, cookie: &str) -> Result<Request, Error> {
    let mut request = format!("ws://{address}/chat/ws").into_client_request()?;
    request.headers_mut().insert(header::SEC_WEBSOCKET_PROTOCOL, PROTOCOL);
    request.headers_mut().insert(header::COOKIE, cookie.parse()?);
    Ok(request)
}

async fn connect(address: SocketAddr, takes_little: bool) -> std::io::Result<TcpStream> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    if takes_little {
        socket.set_recv_buffer_size(4 * 1024)?;
    }
    let stream = socket.connect(address).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_refused_is_told_how_long_to_wait() {
        let refused = |told: Option<&'static str>| {
            let mut refusal = Response::new(None);
            *refusal.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
            if let Some(told) = told {
                refusal.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static(told));
            }
            told_to_wait(&refusal).ok()
        };
        assert_eq!(refused(Some("7")), Some(Duration::from_secs(7)));
        for not_told in [None, Some("0"), Some("soon")] {
            assert_eq!(refused(not_told), None);
        }
        assert!(!may_come_again(StatusCode::FORBIDDEN));
    }
}
