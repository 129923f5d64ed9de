//! `notice`: what the host tells a user on all of their sessions, whatever rooms they are in.

use chatrooms::{Data, Error, UserName};
use serde_json::{Value, json};

use crate::kit::{Adapter, InProcess, on_each_adapter, unique};

on_each_adapter!(
    a_notice_reaches_all_of_the_users_sockets_and_nobody_elses,
    a_notice_is_never_kept,
    a_notice_is_bounded_like_the_data_of_a_signal,
);

async fn a_notice_reaches_all_of_the_users_sockets_and_nobody_elses(adapter: Adapter) {
    let (server, room) = (InProcess::shared(adapter).await, unique("hall"));
    let (user, other) = (server.user("told").await, server.user("other").await);
    let in_a_room = user.connect_to(&[&room]).await;
    let in_two = user.connect_to(&[&room, &unique("hall")]).await;
    let in_none = user.connect().await;
    let mut elsewhere = other.connect_to(&[&room]).await;
    let name = UserName::new(&user.name).expect("a valid name");
    let details = json!({"by": "bob", "rooms": [1, 2.50]});
    let data = Data::new(details.to_string());
    assert_eq!(server.registry().notify(&name, "invited", Some(data)), Ok(3));
    assert_eq!(server.registry().notify(&name, "maintenance", None), Ok(3));
    for mut client in [in_a_room, in_two, in_none] {
        let invited = client.expect("notice").await;
        assert_eq!((&invited["name"], &invited["data"]), (&json!("invited"), &details));
        assert_eq!(invited.get("room"), None, "{invited}");
        let bare = client.expect("notice").await;
        assert_eq!(bare, json!({"type": "notice", "name": "maintenance"}));
    }
    elsewhere.catch_up(&room).await;
    assert_eq!(elsewhere.trace().of("notice").count(), 0);
}

async fn a_notice_is_never_kept(adapter: Adapter) {
    let (server, room) = (InProcess::shared(adapter).await, unique("hall"));
    let user = server.user("told").await;
    let name = UserName::new(&user.name).expect("a valid name");
    assert_eq!(server.registry().notify(&name, "missed", None), Ok(0), "nobody is there");
    let mut client = user.connect_to(&[&room]).await;
    server.registry().notify(&name, "heard", None).expect("told");
    assert_eq!(client.expect("notice").await["name"], "heard");
    client.catch_up(&room).await;
    assert_eq!(
        client.history(&room, json!({})).await["messages"].as_array().map(Vec::len),
        Some(1)
    );
    assert_eq!(client.trace().of("notice").count(), 1);
}

async fn a_notice_is_bounded_like_the_data_of_a_signal(adapter: Adapter) {
    let server = InProcess::shared(adapter).await;
    let user = server.user("told").await;
    let name = UserName::new(&user.name).expect("a valid name");
    let mut client = user.connect().await;
    let limit = usize::try_from(client.limit("data_bytes")).expect("a size");
    let text = |bytes| Data::new(Value::from("x".repeat(bytes)).to_string());
    let fits = server.registry().notify(&name, "n", text(limit - 3).into());
    assert_eq!(fits, Ok(1), "two quotes and a name");
    let too_large = server.registry().notify(&name, "n", text(limit - 2).into());
    assert_eq!(too_large, Err(Error::TooLarge { what: "data", limit }));
    let told = client.expect("notice").await;
    assert_eq!(told["data"].as_str().map(str::len), Some(limit - 3));
}
