//! What the host says and asks without being in a room.

use chatrooms_core::{CloseReason, Data, Error, EventKind, Identity, Join, Nonce, Post};

use crate::kit::{House, lobby, names, room, secs, user};

#[tokio::test(start_paused = true)]
async fn the_host_says_things_as_any_user_and_nothing_stands_in_its_way() {
    let house = House::configured(|config| config.send_burst = 1).await;
    let ada = house.guest("ada").await;
    let bridge = Identity::new(user("eve")).display_name("Eve on the other side");
    house.registry.moderation(&lobby()).mute(&user("eve"), None).await.unwrap();
    for n in 1..=3 {
        let post = Post::new(n.to_string()).nonce(Nonce::new(&n.to_string()));
        for is_duplicate in [false, true] {
            let sent = house.registry.publish_as(&bridge, &lobby(), post.clone()).await.unwrap();
            assert_eq!((sent.seq, sent.duplicate), (n, is_duplicate));
        }
    }
    assert_eq!(ada.told(), ["1 eve: 1", "2 eve: 2", "3 eve: 3"]);
    let nowhere = house.registry.publish_as(&bridge, &room("nowhere"), Post::new("?")).await;
    assert_eq!(nowhere, Err(Error::NotFound));
    let endless = Post::new("x".repeat(5000));
    let refused = house.registry.publish_as(&bridge, &lobby(), endless).await.unwrap_err();
    assert_eq!(refused.code(), "too_large");
}

#[tokio::test(start_paused = true)]
async fn a_user_is_told_on_all_sessions_and_nobody_else_is() {
    let house = House::new().await;
    let (ada, tab, bob) = (house.client("ada"), house.guest("ada").await, house.guest("bob").await);
    tab.told();
    let data = Data::new("{\"unread\":3}");
    assert_eq!(house.registry.notify(&user("ada"), "mail", Some(data.clone())), Ok(2));
    assert_eq!(bob.told(), [""; 0]);
    for mut client in [ada, tab] {
        let event = client.session.next().await.unwrap();
        assert_eq!(event.room(), None);
        let EventKind::Notice { name, data: told } = event.kind() else { panic!("{event:?}") };
        assert_eq!((&**name, told.as_ref()), ("mail", Some(&data)));
    }
    assert_eq!(house.registry.notify(&user("nobody"), "mail", None), Ok(0));
    let endless = Data::new("x".repeat(5000));
    let refused = house.registry.notify(&user("ada"), "mail", Some(endless)).unwrap_err();
    assert_eq!(refused.code(), "too_large");
}

#[tokio::test(start_paused = true)]
async fn one_who_does_not_read_notices_is_closed_as_slow() {
    let house = House::configured(|config| config.outbox_frames = 3).await;
    let ada = house.guest("ada").await;
    for _ in 0..4 {
        house.registry.notify(&user("ada"), "mail", None).unwrap();
    }
    assert_eq!(ada.session.outbox().closed(), Some(CloseReason::SlowConsumer));
    assert_eq!(house.registry.room(&lobby()).await, Err(Error::NotFound), "and out of all rooms");
}

#[tokio::test(start_paused = true)]
async fn the_host_knows_who_is_where() {
    let house = House::configured(|config| {
        config.presence_exact = 1;
        config.presence_interval = secs(60);
    })
    .await;
    let registry = &house.registry;
    assert_eq!(registry.room(&lobby()).await, Err(Error::NotFound));
    assert_eq!(registry.members(&lobby(), None).await.err(), Some(Error::NotFound));
    let ada = house.guest("ada").await;
    let _tab = house.guest("ada").await;
    let bob = house.guest("bob").await;
    ada.enter("garden").await;
    ada.say("one").await.unwrap();
    let summary = registry.room(&lobby()).await.unwrap();
    assert_eq!((summary.users, summary.connections, summary.seq), (2, 3, 1));
    let here = async |after: Option<&str>| {
        let after = after.map(user);
        names(&registry.members(&lobby(), after.as_ref()).await.unwrap().members).join(" ")
    };
    assert_eq!((&*here(None).await, &*here(Some("ada")).await), ("adax2 bob", "bob"), "as of now");
    assert_eq!(registry.connections(&lobby(), &user("ada")).await, Ok(2));
    assert_eq!(registry.connections(&lobby(), &user("eve")).await, Ok(0));
    assert_eq!(registry.rooms_of(&user("ada")), [room("garden"), lobby()]);
    assert_eq!(registry.rooms_of(&user("eve")), []);
    drop(bob);
    assert_eq!(here(None).await, "adax2");
    let page = registry.history(&lobby(), None, 10).await.unwrap();
    assert_eq!(page.messages.len(), 1);
    assert_eq!(registry.history(&room("nowhere"), None, 1).await.unwrap_err(), Error::NotFound);
}

#[tokio::test(start_paused = true)]
async fn one_device_is_logged_out_and_not_the_others() {
    struct Device(u8);
    let house = House::new().await;
    let sessions = [1, 2, 2].map(|device| {
        let identity = Identity::new(user("ada")).claims(Device(device));
        house.registry.open_session(identity).unwrap()
    });
    for session in &sessions {
        session.join(&lobby(), Join::default()).await.unwrap();
    }
    let is_second = |identity: &Identity| identity.claim::<Device>().is_some_and(|it| it.0 == 2);
    let ended = house.registry.end_sessions_where(&user("ada"), &CloseReason::LoggedOut, is_second);
    assert_eq!(ended, 2);
    let closed = sessions.each_ref().map(|session| session.outbox().closed());
    assert_eq!(closed, [None, Some(CloseReason::LoggedOut), Some(CloseReason::LoggedOut)]);
    assert_eq!(house.registry.connections(&lobby(), &user("ada")).await, Ok(1));
}
