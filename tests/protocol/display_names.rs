//! Display names: what the host calls a user, wherever the user is shown.

use serde_json::json;

use crate::kit::{Adapter, InProcess, encoded, on_each_adapter, unique};

on_each_adapter!(a_display_name_is_shown_wherever_its_user_is, who_has_none_is_shown_without);

async fn a_display_name_is_shown_wherever_its_user_is(adapter: Adapter) {
    let (server, room) = (InProcess::shared(adapter).await, unique("hall"));
    let mut witness = server.user("witness").await.connect_to(&[&room]).await;
    let ada = server.user_with("ada", |identity| identity.display_name("Ada L\u{f6}velace"));
    let name = json!("Ada L\u{f6}velace");
    let mut client = ada.connect_to(&[&room]).await;
    assert_eq!(client.hello["name"], name);
    assert_eq!(ada.get("/session").await.assert_json(200)["name"], name);
    assert_eq!(witness.expect("presence").await["joined"][0]["name"], name);
    client.say(&room, "by socket").await;
    ada.post(&room, &json!({"body": "by post"})).await.assert_json(201);
    for body in ["by socket", "by post"] {
        let message = witness.expect("message").await;
        assert_eq!((&message["body"], &message["name"]), (&json!(body), &name));
        assert_eq!(message["user"], ada.name);
    }
    let path = format!("/rooms/{}", encoded(&room));
    let answers = [
        witness.members(&room).await,
        server.user("late").await.connect().await.join(&room).await,
        ada.get(&path).await.assert_json(200),
    ];
    for answer in answers {
        let members = answer["members"].as_array().expect("members");
        let own = members.iter().find(|member| member["user"] == ada.name);
        assert_eq!(own.expect("herself")["name"], name, "{answer}");
    }
    let read = ada.get(&format!("{path}/messages")).await.assert_json(200);
    assert_eq!(read["messages"][1]["name"], name);
}

async fn who_has_none_is_shown_without(adapter: Adapter) {
    let (server, room) = (InProcess::shared(adapter).await, unique("hall"));
    let user = server.user("plain").await;
    let mut client = user.connect_to(&[&room]).await;
    assert!(client.hello.get("name").is_none(), "{}", client.hello);
    client.say(&room, "hello").await;
    let message = client.expect("message").await;
    assert!(message.get("name").is_none(), "{message}");
    let session = user.get("/session").await.assert_json(200);
    assert!(session.get("name").is_none(), "{session}");
}
