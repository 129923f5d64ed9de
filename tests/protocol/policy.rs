//! The host's own rules, and how they look from outside.

use chatrooms::{Draft, Error, Identity, RoomName, RoomPolicy, RoomRegistry, async_trait};
use serde_json::json;

use crate::kit::{Adapter, InProcess, ON_PURPOSE, bodies, encoded, on_each_adapter, unique};

on_each_adapter!(
    a_room_that_may_not_be_joined_is_forbidden,
    nor_may_it_be_read_or_posted_to,
    a_refused_message_is_answered_with_the_hosts_own_code,
    a_message_is_said_as_the_host_has_rewritten_it,
    a_moderator_may_take_back_what_others_said,
    a_policy_that_panics_harms_one_request,
);

/// Strangers stay out of private rooms, nobody swears, links are hidden, moderators take back what they like, and curses are too much for it.
#[derive(Debug)]
struct HouseRules;

#[async_trait]
impl RoomPolicy for HouseRules {
    async fn may_join(&self, who: &Identity, room: &RoomName) -> Result<(), Error> {
        let is_stranger = who.user().as_str().starts_with("stranger");
        if is_stranger && room.as_str().starts_with("private") {
            return Err(Error::Forbidden);
        }
        assert!(!room.as_str().starts_with("cursed"), "{ON_PURPOSE}");
        Ok(())
    }

    async fn before_publish(
        &self,
        _: &Identity,
        _: &RoomName,
        mut draft: Draft,
    ) -> Result<Draft, Error> {
        assert!(&*draft.body != "a curse", "{ON_PURPOSE}");
        if draft.body.contains("darn") {
            let (code, message) = ("x-impolite".into(), "mind your words".into());
            return Err(Error::Refused { code, message });
        }
        draft.body = draft.body.replace("https://", "(link) ").into();
        Ok(draft)
    }

    async fn may_redact(&self, who: &Identity, _: &RoomName, _: u64) -> Result<(), Error> {
        let is_moderator = who.user().as_str().starts_with("moderator");
        if is_moderator { Ok(()) } else { Err(Error::Forbidden) }
    }
}

async fn a_room_that_may_not_be_joined_is_forbidden(adapter: Adapter) {
    let (server, room) = (start(adapter).await, unique("private"));
    let mut member = server.user("member").await.connect_to(&[&room]).await;
    let mut stranger = server.user("stranger").await.connect_with(&format!("?room={room}")).await;
    let error = stranger.expect("error").await;
    assert_eq!((&error["code"], &error["room"]), (&json!("forbidden"), &json!(room)));
    let join = json!({"type": "join", "room": room});
    assert_eq!(stranger.refused("forbidden", join).await["room"], room);
    let send = json!({"type": "send", "room": room, "body": "let me in"});
    stranger.refused("not_in_room", send).await;
    stranger.join(&unique("public")).await;
    member.catch_up(&room).await;
    assert_eq!(member.trace().of("presence").count(), 0);
}

async fn nor_may_it_be_read_or_posted_to(adapter: Adapter) {
    let (server, room) = (start(adapter).await, unique("private"));
    let member = server.user("member").await;
    let mut client = member.connect_to(&[&room]).await;
    client.say(&room, "among us").await;
    let stranger = server.user("stranger").await;
    // Whether anybody is there is not told either.
    for room in [&room, &unique("private")] {
        let path = format!("/rooms/{}", encoded(room));
        stranger.get(&path).await.assert_error(403, "forbidden");
        stranger.get(&format!("{path}/messages")).await.assert_error(403, "forbidden");
        let posted = stranger.post(room, &json!({"body": "let me in"})).await;
        posted.assert_error(403, "forbidden");
    }
    member.post(&room, &json!({"body": "by post"})).await.assert_json(201);
    assert_eq!(bodies(&client.history(&room, json!({})).await), ["among us", "by post"]);
}

async fn a_refused_message_is_answered_with_the_hosts_own_code(adapter: Adapter) {
    let (server, room) = (start(adapter).await, unique("hall"));
    let user = server.user("sailor").await;
    let mut client = user.connect_to(&[&room]).await;
    let send = json!({"type": "send", "room": room, "body": "darn it"});
    let error = client.refused("x-impolite", send).await;
    assert_eq!(error["message"], "mind your words");
    assert_eq!(error["room"], room);
    let posted = user.post(&room, &json!({"body": "darn it"})).await;
    posted.assert_error(403, "x-impolite");
    assert_eq!(client.say(&room, "well").await, 1, "what was refused took no place");
}

async fn a_message_is_said_as_the_host_has_rewritten_it(adapter: Adapter) {
    let (server, room) = (start(adapter).await, unique("hall"));
    let mut client = server.user("poster").await.connect_to(&[&room]).await;
    client.say(&room, "see https://example.org").await;
    assert_eq!(client.expect("message").await["body"], "see (link) example.org");
    assert_eq!(bodies(&client.history(&room, json!({})).await), ["see (link) example.org"]);
}

async fn a_moderator_may_take_back_what_others_said(adapter: Adapter) {
    let (server, room) = (start(adapter).await, unique("hall"));
    let mut author = server.user("author").await.connect_to(&[&room]).await;
    let mut other = server.user("other").await.connect_to(&[&room]).await;
    let mut moderator = server.user("moderator").await.connect_to(&[&room]).await;
    author.say(&room, "spam").await;
    let redact = json!({"type": "redact", "room": room, "seq": 1});
    other.refused("forbidden", redact.clone()).await;
    moderator.granted("ok", redact).await;
    let redacted = author.expect("redacted").await;
    assert_eq!((&redacted["seq"], &redacted["by"]), (&json!(1), &json!(moderator.user)));
}

async fn a_policy_that_panics_harms_one_request(adapter: Adapter) {
    let (server, room) = (start(adapter).await, unique("hall"));
    let mut witness = server.user("witness").await.connect_to(&[&room]).await;
    let mut client = server.user("witch").await.connect_to(&[&room]).await;
    client.refused("internal", json!({"type": "join", "room": unique("cursed")})).await;
    client.refused("internal", json!({"type": "send", "room": room, "body": "a curse"})).await;
    assert_eq!(client.say(&room, "a blessing").await, 1, "it took no place");
    assert_eq!(witness.expect("message").await["body"], "a blessing");
    client.leave(&room).await;
    witness.expect_where("left", |frame| frame["left"] == json!([client.user])).await;
}

async fn start(adapter: Adapter) -> InProcess {
    InProcess::start(adapter, RoomRegistry::builder().policy(HouseRules)).await
}
