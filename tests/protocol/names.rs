//! Names: what is normalised, what is refused, on every way in.

use serde_json::json;

use crate::kit::{Server, encoded, on_every_server, unique};

on_every_server!(
    room_names_are_trimmed_squeezed_and_composed,
    bad_room_names_are_refused_everywhere,
    case_makes_another_room,
    every_character_travels_through_an_address,
    a_name_is_measured_after_it_is_normalised,
    user_names_are_normalised_the_same_way,
);

async fn room_names_are_trimmed_squeezed_and_composed(server: &Server) {
    let (user, number) = (server.user("guest").await, unique("n"));
    let mut client = user.connect().await;
    let names = [
        (format!("  {number}  "), number.clone()),
        (format!("the   big  {number}"), format!("the big {number}")),
        (format!("cafe\u{301} {number}"), format!("caf\u{e9} {number}")),
        (format!("\u{212b} {number}"), format!("\u{c5} {number}")),
        (format!("\u{1F600} {number}"), format!("\u{1F600} {number}")),
        (format!("__proto__{number}"), format!("__proto__{number}")),
        (format!("...{number}"), format!("...{number}")),
        (format!("<b>&amp;\"'\\{number}"), format!("<b>&amp;\"'\\{number}")),
    ];
    for (given, normalised) in names {
        assert_eq!(client.join(&given).await["room"], normalised);
        let sent = client.say_with(json!({"room": given, "body": "hello"})).await;
        assert_eq!(sent["room"], normalised);
        assert_eq!(client.expect("message").await["room"], normalised);
        let answer = user.get(&format!("/rooms/{}", encoded(&given))).await.assert_json(200);
        assert_eq!(answer["room"], normalised);
        client.leave(&given).await;
    }
}

async fn bad_room_names_are_refused_everywhere(server: &Server) {
    let user = server.user("clumsy").await;
    let mut client = user.connect().await;
    for bad in bad_names() {
        let join = json!({"type": "join", "room": bad});
        let error = client.refused("invalid_room", join).await;
        let shown = error["room"].as_str().unwrap_or_default();
        assert!(bad.starts_with(shown), "{error}");
        if bad.trim().is_empty() {
            continue;
        }
        let path = format!("/rooms/{}", encoded(&bad));
        user.get(&path).await.assert_error(400, "invalid_room");
        user.get(&format!("{path}/messages")).await.assert_error(400, "invalid_room");
        let post = user.post(&bad, &json!({"body": "hello"})).await;
        post.assert_error(400, "invalid_room");
    }
}

async fn case_makes_another_room(server: &Server) {
    let (lower, upper) = (unique("hall"), unique("Hall"));
    let upper_of_lower = lower.to_uppercase();
    let mut client = server.user("guest").await.connect().await;
    for room in [&lower, &upper, &upper_of_lower] {
        assert_eq!(client.join(room).await["seq"], 0);
        assert_eq!(client.say(room, "first here").await, 1);
    }
}

async fn every_character_travels_through_an_address(server: &Server) {
    let user = server.user("traveller").await;
    for label in
        ["a/b", "a b", "a+b", "100%", "%2F", "a?b#c", "a&room=b", "ünï😀", "a;b,c", "../up"]
    {
        let room = unique(label);
        let mut client = user.connect_to(&[&room]).await;
        assert_eq!(user.post(&room, &json!({"body": "by post"})).await.assert_json(201)["seq"], 1);
        assert_eq!(client.expect_in("message", &room).await["body"], "by post");
        let answer = user.get(&format!("/rooms/{}", encoded(&room))).await.assert_json(200);
        assert_eq!(answer["room"], room);
        let messages =
            user.get(&format!("/rooms/{}/messages", encoded(&room))).await.assert_json(200);
        assert_eq!(messages["messages"][0]["body"], "by post");
    }
}

async fn a_name_is_measured_after_it_is_normalised(server: &Server) {
    let mut client = server.user("guest").await.connect().await;
    let number = unique("");
    let rest = 64 - number.chars().count();
    let composed = format!("{}{number}", "\u{e9}".repeat(rest));
    let decomposed = format!("   {}{number} ", "e\u{301}".repeat(rest));
    let widest = format!("{}{number}", "\u{1F600}".repeat(rest));
    assert_eq!(client.join(&decomposed).await["room"], composed);
    assert_eq!(client.join(&widest).await["room"], widest);
    let longer = json!({"type": "join", "room": format!("x{composed}")});
    client.refused("invalid_room", longer).await;
}

async fn user_names_are_normalised_the_same_way(server: &Server) {
    let number = unique("u");
    let names = [
        (format!("  the   {number} "), format!("the {number}")),
        (format!("Zoe\u{308} {number}"), format!("Zo\u{eb} {number}")),
        (format!("\u{1F600}{number}"), format!("\u{1F600}{number}")),
    ];
    for (given, normalised) in names {
        let client = server.user_named(&given).await.connect().await;
        assert_eq!(client.user, normalised);
    }
}

/// One of each kind that the protocol refuses.
pub(crate) fn bad_names() -> Vec<String> {
    let mut bad: Vec<String> =
        ["", " ", "   ", ".", "..", " . ", "a\u{7}b", "a\nb", "a\u{0}b", "a\u{7f}b", "a\u{85}b"]
            .map(str::to_owned)
            .into();
    bad.push("x".repeat(65));
    bad.push("\u{1F600}".repeat(65));
    bad.push("x".repeat(5000));
    for unseen in [
        '\u{200b}', '\u{200d}', '\u{200e}', '\u{200f}', '\u{202a}', '\u{202e}', '\u{2060}',
        '\u{2066}', '\u{2069}', '\u{feff}',
    ] {
        bad.push(format!("a{unseen}b"));
    }
    bad
}
