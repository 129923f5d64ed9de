//! Batches and the frames of the WebSocket layer on one connection that takes a few bytes at a time.

use std::sync::Arc;

use bytes::Bytes;
use chatrooms_core::{AnswerFrame, Identity, Join, Post, RoomName, RoomRegistry, UserName};
use futures_util::{
    SinkExt as _, StreamExt as _,
    stream::{SplitSink, SplitStream},
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};
use tokio_tungstenite::tungstenite::protocol::{Role, frame::Frame};

use super::*;
use crate::{Options, frames::Watch, framing::encode};

/// A server's socket over a connection that holds so many bytes, and its other end.
async fn connection(bytes: usize) -> (Socket, DuplexStream) {
    let registry = RoomRegistry::new();
    let session = registry.open_session(Identity::new(UserName::new("ada").unwrap())).unwrap();
    let options = Options { control_frames: usize::MAX, ..Options::default() };
    let (ours, theirs) = duplex(bytes);
    let io =
        Metered::new(ours, Bytes::new(), session.outbox().meter().clone(), Watch::new(&options));
    let socket = WebSocketStream::from_raw_socket(io, Role::Server, None).await;
    (Direct::new(socket), theirs)
}

fn answer(frame: Bytes) -> Outgoing {
    Outgoing::Answer(Arc::new(AnswerFrame::new(frame)))
}

fn told(texts: impl IntoIterator<Item = usize>) -> Out {
    let told = |n: usize| answer(encode(&format!("{n:0>width$}", width = n % 300)));
    Out::Told(texts.into_iter().map(told).collect())
}

/// A frame of a client.
fn masked(mut frame: Frame) -> Vec<u8> {
    frame.header_mut().mask = Some([1, 2, 3, 4]);
    let mut bytes = Vec::new();
    frame.format(&mut bytes).unwrap();
    bytes
}

/// The frames of a server: their first bytes and what they say.
fn parse(mut bytes: &[u8]) -> Vec<(u8, String)> {
    let mut frames = Vec::new();
    while let [first, length, rest @ ..] = bytes {
        let (length, rest) = match *length {
            126 => (usize::from(u16::from_be_bytes([rest[0], rest[1]])), &rest[2..]),
            short => (usize::from(short), rest),
        };
        frames
            .push((*first, String::from_utf8_lossy(&rest[..length]).trim_matches('"').to_owned()));
        bytes = &rest[length..];
    }
    frames
}

const TEXT: u8 = 0x81;
const PONG: u8 = 0x8a;
const CLOSE: u8 = 0x88;

type Socket = Direct<DuplexStream>;

/// Sends batches and pings, as many as are taken; returns how many that were.
async fn write(mut sink: SplitSink<Socket, Out>, batches: usize) -> usize {
    for n in 0..batches {
        for out in [told(n * 10..n * 10 + 10), Out::Control(Message::Ping(Bytes::new()))] {
            if sink.feed(out).await.is_err() {
                return n;
            }
        }
        if sink.flush().await.is_err() {
            return n;
        }
    }
    batches
}

async fn read(mut stream: SplitStream<Socket>) {
    while let Some(Ok(_)) = stream.next().await {}
}

#[tokio::test(start_paused = true)]
async fn batches_and_pongs_never_mix_however_little_the_connection_takes() {
    for bytes in [3, 7, 64, 1000] {
        let (socket, theirs) = connection(bytes).await;
        let (mut reader, mut writer) = tokio::io::split(theirs);
        let serving = tokio::spawn(async move {
            let (sink, stream) = socket.split();
            tokio::select! {
                batches = write(sink, 30) => batches,
                () = read(stream) => 0,
            }
        });
        // As long as anybody is there to be pinged.
        let pinging = async {
            while writer.write_all(&masked(Frame::ping("are you there"))).await.is_ok() {}
        };
        let mut all = Vec::new();
        let (read, ()) = tokio::join!(reader.read_to_end(&mut all), pinging);
        read.unwrap();
        assert_eq!(serving.await.unwrap(), 30);
        let frames = parse(&all);
        let texts = frames.iter().filter(|(first, _)| *first == TEXT);
        for (n, (_, text)) in texts.clone().enumerate() {
            assert_eq!(text, &format!("{n:0>width$}", width = n % 300));
        }
        let pongs = frames.iter().filter(|frame| **frame == (PONG, "are you there".into()));
        assert!(texts.count() == 300 && pongs.count() > 0);
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_follows_the_answer_to_a_close() {
    for bytes in [1, 7, 64, 1000, 100_000] {
        let (socket, theirs) = connection(bytes).await;
        let (mut reader, mut writer) = tokio::io::split(theirs);
        let serving = tokio::spawn(async move {
            let (sink, stream) = socket.split();
            tokio::join!(write(sink, 1000), read(stream)).0
        });
        let mut all = vec![0; 2000];
        reader.read_exact(&mut all).await.unwrap();
        let closing = tokio::spawn(async move {
            writer.write_all(&masked(Frame::close(None))).await.unwrap();
            writer
        });
        reader.read_to_end(&mut all).await.unwrap();
        let frames = parse(&all);
        let close = frames.iter().position(|(first, _)| *first == CLOSE);
        assert_eq!(close, Some(frames.len() - 1), "{bytes}");
        assert!(serving.await.unwrap() < 1000, "the writer learns of it");
        drop(closing.await.unwrap());
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_told_stands_before_a_close_that_comes_after_it() {
    let (mut socket, mut theirs) = connection(16).await;
    let sending = tokio::spawn(async move {
        socket.feed(told(0..5)).await.unwrap();
        socket.feed(told(5..7)).await.unwrap();
        socket.send(Out::Control(Message::Close(None))).await.unwrap();
    });
    let mut all = Vec::new();
    theirs.read_to_end(&mut all).await.unwrap();
    sending.await.unwrap();
    let kinds: Vec<_> = parse(&all).into_iter().map(|(first, _)| first).collect();
    assert_eq!(kinds, [&[TEXT; 7][..], &[CLOSE]].concat());
}

#[tokio::test]
async fn any_other_socket_is_told_the_same_message_by_message() {
    let (ours, theirs) = duplex(1_000_000);
    let mut socket = Foreign::new(WebSocketStream::from_raw_socket(ours, Role::Server, None).await);
    let mut client = WebSocketStream::from_raw_socket(theirs, Role::Client, None).await;
    socket.feed(told(1..3)).await.unwrap();
    socket.feed(Out::Control(Message::Ping(Bytes::new()))).await.unwrap();
    socket.send(told(3..4)).await.unwrap();
    socket.send(Out::Control(Message::Close(None))).await.unwrap();
    let heard: Vec<_> = client.by_ref().take(5).map(Result::unwrap).collect().await;
    let texts = ["\"1\"", "\"02\""].map(Message::text);
    assert_eq!(heard[..2], texts);
    assert!(heard[2].is_ping() && heard[3] == Message::text("\"003\"") && heard[4].is_close());
}

#[tokio::test]
async fn what_has_not_begun_when_the_client_closes_is_not_said() {
    let (mut socket, mut theirs) = connection(1000).await;
    socket.feed(told(0..5)).await.unwrap();
    theirs.write_all(&masked(Frame::close(None))).await.unwrap();
    while socket.next().await.is_some() {}
    assert!(socket.feed(told(5..7)).await.is_err());
    // However often it is tried.
    for _ in 0..3 {
        let _ = socket.flush().await;
    }
    drop(socket);
    let mut all = Vec::new();
    theirs.read_to_end(&mut all).await.unwrap();
    assert_eq!(parse(&all), [(CLOSE, String::new())]);
}

/// A bundle of three messages, behind an answer and in front of one.
async fn with_a_bundle() -> Out {
    let registry = RoomRegistry::new();
    let lobby = RoomName::new("lobby").unwrap();
    let session = registry.open_session(Identity::new(UserName::new("ada").unwrap())).unwrap();
    session.join(&lobby, Join::default()).await.unwrap();
    session.outbox().try_take(&mut Vec::new(), usize::MAX);
    let cork = session.cork();
    for body in ["one", "two", "three"] {
        drop(session.send(&lobby, Post::new(body)).await.unwrap());
    }
    drop(cork);
    let mut told = vec![answer(encode(&1))];
    let mut bundle = Vec::new();
    session.outbox().try_take(&mut bundle, usize::MAX);
    assert_eq!(bundle.len(), 1);
    told.append(&mut bundle);
    told.push(answer(encode(&2)));
    Out::Told(told)
}

fn bodies(texts: impl Iterator<Item = String>) -> Vec<String> {
    let body = |text: String| match serde_json::from_str(&text) {
        Ok(serde_json::Value::Object(message)) => message["body"].to_string(),
        _ => text,
    };
    texts.map(body).collect()
}

const BODIES: [&str; 5] = ["1", "\"one\"", "\"two\"", "\"three\"", "2"];

#[tokio::test]
async fn a_bundle_goes_out_as_the_frames_that_it_holds() {
    let (mut socket, mut theirs) = connection(10_000).await;
    socket.send(with_a_bundle().await).await.unwrap();
    drop(socket);
    let mut all = Vec::new();
    theirs.read_to_end(&mut all).await.unwrap();
    assert_eq!(bodies(parse(&all).into_iter().map(|(_, text)| text)), BODIES);
}

#[tokio::test]
async fn a_bundle_goes_out_as_the_frames_that_it_holds_by_any_other_socket() {
    let (ours, theirs) = duplex(10_000);
    let mut socket = Foreign::new(WebSocketStream::from_raw_socket(ours, Role::Server, None).await);
    let client = WebSocketStream::from_raw_socket(theirs, Role::Client, None).await;
    socket.send(with_a_bundle().await).await.unwrap();
    drop(socket);
    let heard: Vec<_> = client.filter_map(async |message| message.ok()).collect().await;
    let texts = heard.iter().map(|message| message.to_text().unwrap().to_owned());
    assert_eq!(bodies(texts), BODIES);
}

#[tokio::test]
async fn frames_that_are_larger_than_a_piece_are_written_whole_and_in_their_place() {
    let sizes = [10, 5_000, 100_000, 65_533, 65_536, 7, 0, 200_000, 64_000, 64_000, 1];
    let frame = |size: &usize| answer(Bytes::from(vec![*size as u8; *size]));
    for bytes in [100, 16_384, 1_000_000] {
        let (mut socket, mut theirs) = connection(bytes).await;
        let told = sizes.iter().map(frame).collect();
        let (sent, all) = tokio::join!(
            async {
                socket.send(Out::Told(told)).await.unwrap();
                drop(socket);
            },
            async {
                let mut all = Vec::new();
                theirs.read_to_end(&mut all).await.map(|_| all)
            }
        );
        let expected: Vec<u8> = sizes.iter().flat_map(|size| vec![*size as u8; *size]).collect();
        assert!(all.unwrap() == expected, "{bytes} at a time");
        let () = sent;
    }
}

/// An event that has no frame, among two that have one.
fn with_nothing() -> Out {
    Out::Told([encode(&1), Bytes::new(), encode(&2)].map(answer).into())
}

#[tokio::test]
async fn what_has_no_frame_is_not_sent() {
    let (mut socket, mut theirs) = connection(1000).await;
    socket.feed(with_nothing()).await.unwrap();
    socket.send(Out::Told(vec![answer(Bytes::new())])).await.unwrap();
    drop(socket);
    let mut all = Vec::new();
    theirs.read_to_end(&mut all).await.unwrap();
    assert_eq!(parse(&all), [(TEXT, "1".into()), (TEXT, "2".into())]);
}

#[tokio::test]
async fn what_has_no_frame_is_not_sent_by_any_other_socket_either() {
    let (ours, theirs) = duplex(1000);
    let mut socket = Foreign::new(WebSocketStream::from_raw_socket(ours, Role::Server, None).await);
    let client = WebSocketStream::from_raw_socket(theirs, Role::Client, None).await;
    socket.send(with_nothing()).await.unwrap();
    drop(socket);
    let heard: Vec<_> = client.filter_map(async |message| message.ok()).collect().await;
    assert_eq!(heard, ["1", "2"].map(Message::text));
}
