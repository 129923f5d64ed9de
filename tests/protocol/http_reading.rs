//! Reading over HTTP, beside the socket: session, rooms, a room, its messages, the client module.

use serde_json::{Value, json};

use crate::kit::{Server, User, check_lists, encoded, on_every_server, seqs, unique, users};

on_every_server!(
    session_says_who_one_is,
    session_answers_as_the_upgrade_would,
    rooms_lists_those_with_anybody_in_them,
    rooms_come_page_by_page_in_order,
    a_room_says_who_is_there,
    reading_a_room_never_creates_it,
    messages_come_page_by_page,
    bad_counts_are_bad_requests,
    every_route_but_the_module_needs_a_credential,
    other_methods_are_not_allowed,
    the_client_module_is_public,
);

async fn session_says_who_one_is(server: &Server) {
    let user = server.user("guest").await;
    let answer = user.get("/session").await.assert_json(200);
    assert_eq!(answer["user"], user.name);
    assert!(answer.get("name").is_none_or(Value::is_string), "{answer}");
}

async fn session_answers_as_the_upgrade_would(server: &Server) {
    server.request("GET", "/session").send().await.assert_error(401, "unauthorized");
    let user = server.user("lured").await;
    let lured = user.request("GET", "/session").header("Origin", "https://elsewhere.example");
    lured.send().await.assert_error(403, "forbidden");
}

async fn rooms_lists_those_with_anybody_in_them(server: &Server) {
    let (user, room) = (server.user("guest").await, unique("hall"));
    assert_eq!(listed(&user, &room).await, None);
    let mut one = user.connect_to(&[&room]).await;
    let mut two = user.connect_to(&[&room]).await;
    let mut other = server.user("other").await.connect_to(&[&room]).await;
    let expected = json!({"room": room, "users": 2, "connections": 3});
    assert_eq!(listed(&user, &room).await, Some(expected));
    other.leave(&room).await;
    one.leave(&room).await;
    let expected = json!({"room": room, "users": 1, "connections": 1});
    assert_eq!(listed(&user, &room).await, Some(expected));
    two.leave(&room).await;
    assert_eq!(listed(&user, &room).await, None);
}

async fn rooms_come_page_by_page_in_order(server: &Server) {
    let user = server.user("guest").await;
    let prefix = unique("page");
    let rooms = ["a", "b", "b/c", "c d", "ä"].map(|end| format!("{prefix}-{end}"));
    let _client = user.connect_to(&rooms.each_ref().map(String::as_str)).await;
    let mut found = Vec::new();
    let mut after = prefix.clone();
    while found.len() < rooms.len() {
        let page =
            user.get(&format!("/rooms?limit=2&after={}", encoded(&after))).await.assert_json(200);
        let names: Vec<_> = page["rooms"].as_array().expect("rooms").iter().collect();
        assert!(names.len() <= 2, "{page}");
        let names = names.iter().map(|room| room["room"].as_str().expect("a room").to_owned());
        found.extend(names.filter(|name| name.starts_with(&prefix)));
        assert!(page["more"] == true || found.len() == rooms.len(), "{page}");
        after = found.last().expect("the page holds ours").clone();
    }
    assert_eq!(found, rooms);
    let beyond = user.get("/rooms?after=%F4%8F%BF%BD").await.assert_json(200);
    assert_eq!((&beyond["rooms"], &beyond["more"]), (&json!([]), &json!(false)));
}

async fn a_room_says_who_is_there(server: &Server) {
    let (user, room) = (server.user("a-guest").await, unique("the hall"));
    let mut one = user.connect().await;
    let joined = one.join_with(json!({"room": room, "meta": {"status": "here"}})).await;
    let mut two = user.connect_to(&[&room]).await;
    let other = server.user("b-other").await;
    let _present = other.connect_to(&[&room]).await;
    one.say(&room, "hello").await;
    let reader = server.user("reader").await;
    let answer = reader.get(&format!("/rooms/{}", encoded(&room))).await.assert_json(200);
    check_lists(&answer);
    assert_eq!(answer["room"], room);
    assert_eq!((&answer["epoch"], &answer["seq"]), (&joined["epoch"], &json!(1)));
    assert_eq!((&answer["users"], &answer["connections"]), (&json!(2), &json!(3)));
    assert_eq!(users(&answer), [user.name.as_str(), &other.name]);
    assert_eq!(answer["members"][0]["connections"], 2);
    assert_eq!(answer["members"][0]["meta"], json!({"status": "here"}));
    assert!(answer.get("members_more").is_none(), "{answer}");
    two.catch_up(&room).await;
}

async fn reading_a_room_never_creates_it(server: &Server) {
    let (user, room) = (server.user("guest").await, unique("hall"));
    for _ in 0..3 {
        user.get(&format!("/rooms/{room}")).await.assert_error(404, "not_found");
        user.get(&format!("/rooms/{room}/messages")).await.assert_error(404, "not_found");
    }
    assert_eq!(listed(&user, &room).await, None);
}

async fn messages_come_page_by_page(server: &Server) {
    let (user, room) = (server.user("guest").await, unique("hall"));
    let mut client = user.connect_to(&[&room]).await;
    let path = format!("/rooms/{}/messages", encoded(&room));
    let empty = user.get(&path).await.assert_json(200);
    assert_eq!((&empty["messages"], &empty["more"]), (&json!([]), &json!(false)));
    for number in 1..=6 {
        client.say_with(json!({"room": room, "body": number.to_string(), "data": number})).await;
    }
    let pages = [
        ("", (1..=6).collect(), false),
        ("?limit=2", vec![5, 6], true),
        ("?before=5&limit=2", vec![3, 4], true),
        ("?before=3&limit=2", vec![1, 2], false),
        ("?before=1", vec![], false),
        ("?limit=1000000&before=1000000", (1..=6).collect(), false),
    ];
    for (query, expected, more) in pages {
        let answer = user.get(&format!("{path}{query}")).await.assert_json(200);
        check_lists(&answer);
        assert_eq!((seqs(&answer), &answer["more"]), (expected, &json!(more)), "{query}");
    }
    let answer = user.get(&path).await.json();
    let message = &answer["messages"][0];
    assert_eq!(
        (&message["user"], &message["body"], &message["data"]),
        (&json!(user.name), &json!("1"), &json!(1))
    );
    assert_eq!(answer["messages"], client.history(&room, json!({})).await["messages"]);
}

async fn bad_counts_are_bad_requests(server: &Server) {
    let (user, room) = (server.user("guest").await, unique("hall"));
    let _client = user.connect_to(&[&room]).await;
    for query in [
        "limit=0",
        "limit=-1",
        "limit=x",
        "limit=1.5",
        "limit=",
        "before=0",
        "before=x",
        "before=-3",
    ] {
        let answer = user.get(&format!("/rooms/{room}/messages?{query}")).await;
        answer.assert_error(400, "bad_request");
    }
    for query in ["limit=0", "limit=x"] {
        user.get(&format!("/rooms?{query}")).await.assert_error(400, "bad_request");
    }
}

async fn every_route_but_the_module_needs_a_credential(server: &Server) {
    let room = unique("hall");
    let _client = server.user("guest").await.connect_to(&[&room]).await;
    for path in [
        "/session",
        "/rooms",
        &format!("/rooms/{room}"),
        &format!("/rooms/{room}/messages"),
        "/rooms/..",
    ] {
        server.request("GET", path).send().await.assert_error(401, "unauthorized");
    }
    let post = server.request("POST", &format!("/rooms/{room}/messages"));
    post.json(&json!({"body": "hello"})).send().await.assert_error(401, "unauthorized");
}

async fn other_methods_are_not_allowed(server: &Server) {
    let (user, room) = (server.user("guest").await, unique("hall"));
    let _client = user.connect_to(&[&room]).await;
    let in_room = format!("/rooms/{room}");
    let messages = format!("{in_room}/messages");
    let wrong = [
        ("POST", "/session"),
        ("DELETE", "/rooms"),
        ("POST", "/rooms"),
        ("DELETE", &in_room),
        ("POST", &in_room),
        ("PUT", &messages),
        ("DELETE", &messages),
        ("POST", "/chatrooms.js"),
    ];
    for (method, path) in wrong {
        let answer = user.request(method, path).send().await;
        assert_eq!(answer.status, 405, "{method} {path}: {answer:?}");
        answer.assert_refused(405);
    }
}

async fn the_client_module_is_public(server: &Server) {
    let module = server.request("GET", "/chatrooms.js").send().await;
    assert_eq!(module.status, 200, "{module:?}");
    let content_type = module.header("Content-Type").unwrap_or_default();
    assert!(
        content_type.starts_with("text/javascript"),
        "a browser runs only JavaScript: {content_type}"
    );
    assert!(module.body.contains("export"), "it is an ES module");
    let types = server.request("GET", "/chatrooms.d.ts").send().await;
    assert_eq!(types.status, 200, "{types:?}");
    assert!(types.body.contains("export"), "it declares what the module exports");
}

/// How a room is listed, on whichever page.
async fn listed(user: &User<'_>, room: &str) -> Option<Value> {
    let mut query = String::new();
    loop {
        let page = user.get(&format!("/rooms{query}")).await.assert_json(200);
        let rooms = page["rooms"].as_array().expect("rooms");
        if let Some(found) = rooms.iter().find(|listed| listed["room"] == room) {
            return Some(found.clone());
        }
        if page["more"] == false {
            return None;
        }
        let last = rooms.last().expect("a page with more is not empty");
        query = format!("?after={}", encoded(last["room"].as_str().expect("a room")));
    }
}
