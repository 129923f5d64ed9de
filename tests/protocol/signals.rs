//! `signal`: relayed to the others, kept by nobody.

use serde_json::json;

use crate::kit::{Server, on_every_server, unique};

on_every_server!(
    a_signal_reaches_all_sessions_but_the_sending_one,
    a_signal_with_an_id_is_answered_by_ok,
    a_signal_without_an_id_is_not_answered,
    a_signal_is_never_stored,
    signals_of_a_session_keep_their_order,
);

async fn a_signal_reaches_all_sessions_but_the_sending_one(server: &Server) {
    let (user, room) = (server.user("typist").await, unique("hall"));
    let mut sender = user.connect_to(&[&room]).await;
    let mut own_other_tab = user.connect_to(&[&room]).await;
    let mut reader = server.user("reader").await.connect_to(&[&room]).await;
    let mut elsewhere = server.user("elsewhere").await.connect_to(&[&unique("other")]).await;
    let signal = json!({"type": "signal", "room": room, "name": "typing", "data": {"on": true}});
    sender.granted("ok", signal).await;
    for client in [&mut own_other_tab, &mut reader] {
        let signal = client.expect("signal").await;
        assert_eq!(signal["room"], room);
        assert_eq!(signal["user"], user.name);
        assert_eq!(signal["name"], "typing");
        assert_eq!(signal["data"], json!({"on": true}));
    }
    sender.catch_up(&room).await;
    assert_eq!(sender.trace().of("signal").count(), 0);
    elsewhere.granted("pong", json!({"type": "ping"})).await;
    assert_eq!(elsewhere.trace().of("signal").count(), 0);
}

async fn a_signal_with_an_id_is_answered_by_ok(server: &Server) {
    let room = unique("hall");
    let mut client = server.user("typist").await.connect_to(&[&room]).await;
    client.granted("ok", json!({"type": "signal", "room": room, "name": "typing"})).await;
}

async fn a_signal_without_an_id_is_not_answered(server: &Server) {
    let room = unique("hall");
    let mut client = server.user("typist").await.connect_to(&[&room]).await;
    let mut reader = server.user("reader").await.connect_to(&[&room]).await;
    client.send(json!({"type": "signal", "room": room, "name": "typing"})).await;
    let signal = reader.expect("signal").await;
    assert!(signal.get("data").is_none(), "{signal}");
    client.catch_up(&room).await;
    assert_eq!(client.trace().of("ok").count(), 0);
    assert_eq!(client.trace().of("error").count(), 0);
}

async fn a_signal_is_never_stored(server: &Server) {
    let room = unique("hall");
    let mut client = server.user("typist").await.connect_to(&[&room]).await;
    client.granted("ok", json!({"type": "signal", "room": room, "name": "typing"})).await;
    assert_eq!(client.history(&room, json!({})).await["messages"], json!([]));
    let mut late = server.user("late").await.connect().await;
    let joined = late.join(&room).await;
    assert_eq!((&joined["seq"], &joined["messages"]), (&json!(0), &json!([])));
    late.catch_up(&room).await;
    assert_eq!(late.trace().of("signal").count(), 0);
}

async fn signals_of_a_session_keep_their_order(server: &Server) {
    let room = unique("hall");
    let mut client = server.user("typist").await.connect_to(&[&room]).await;
    let mut reader = server.user("reader").await.connect_to(&[&room]).await;
    for number in 0..5 {
        let signal = json!({"type": "signal", "room": room, "name": "step", "data": number});
        client.granted("ok", signal).await;
    }
    for number in 0..5 {
        assert_eq!(reader.expect("signal").await["data"], number);
    }
}
