//! The host's rules: what they may decide, and that nothing breaks where they do (F15).

use std::pin::Pin;

use chatrooms_core::{
    Draft, Epoch, Error, Identity, Join, Post, RoomEnd, RoomName, RoomPolicy, async_trait,
};
use tokio::time::Instant;

use crate::kit::{House, lobby, millis, secs, user};

/// How a hook behaves, after the name of the user who asks.
#[derive(Debug)]
struct Moody;

async fn mood(who: &Identity) -> Result<(), Error> {
    match who.user().as_str() {
        "panics" => panic!("told to panic"),
        "hangs" => std::future::pending().await,
        "slow" => tokio::time::sleep(secs(1)).await,
        "refused" => return Err(Error::Refused { code: "x-no".into(), message: "no".into() }),
        _ => {}
    }
    Ok(())
}

#[async_trait]
impl RoomPolicy for Moody {
    async fn may_join(&self, who: &Identity, room: &RoomName) -> Result<(), Error> {
        if room.as_str() == "moody" { mood(who).await } else { Ok(()) }
    }

    async fn before_publish(
        &self,
        who: &Identity,
        _: &RoomName,
        mut draft: Draft,
    ) -> Result<Draft, Error> {
        mood(who).await?;
        if who.user().as_str() == "loud" {
            draft.body = draft.body.to_uppercase().into();
        }
        if who.user().as_str() == "endless" {
            draft.body = "x".repeat(1_000_000).into();
        }
        Ok(draft)
    }

    async fn may_redact(&self, who: &Identity, _: &RoomName, _: u64) -> Result<(), Error> {
        mood(who).await?;
        if who.user().as_str() == "mighty" { Ok(()) } else { Err(Error::Forbidden) }
    }
}

/// Panics before there is a future at all, as a hook that is written by hand can.
#[derive(Debug)]
struct Abrupt;

impl RoomPolicy for Abrupt {
    fn may_join<'a, 'b, 'c, 'd>(
        &'a self,
        _: &'b Identity,
        _: &'c RoomName,
    ) -> Pin<Box<dyn Future<Output = Result<(), Error>> + Send + 'd>>
    where
        'a: 'd,
        'b: 'd,
        'c: 'd,
    {
        panic!("told to panic")
    }
}

/// Panics when it is told of a beginning or an end.
#[derive(Debug)]
struct Startled;

#[async_trait]
impl RoomPolicy for Startled {
    async fn room_opened(&self, _: &Identity, _: &RoomName, _: Epoch) {
        panic!("told to panic")
    }

    async fn room_closed(&self, _: &RoomName, _: Epoch, _: RoomEnd) {
        panic!("told to panic")
    }
}

#[tokio::test(start_paused = true)]
async fn a_hook_that_panics_when_it_is_told_something_harms_nothing() {
    let house = House::with(|builder| builder.policy(Startled)).await;
    for _ in 0..2 {
        let (ada, bob) = (house.guest("ada").await, house.guest("bob").await);
        ada.say("fine").await.unwrap();
        drop((ada, bob));
        house.emptied().await;
    }
}

async fn house() -> House {
    House::with(|builder| builder.policy(Moody)).await
}

#[tokio::test(start_paused = true)]
async fn a_hook_that_panics_or_hangs_fails_its_own_request_only() {
    let house = house().await;
    let ada = house.guest("ada").await;
    for (name, takes) in [("panics", millis(0)), ("hangs", secs(5))] {
        let client = house.guest(name).await;
        ada.told();
        let began = Instant::now();
        assert_eq!(client.join("moody", Join::default()).await.unwrap_err(), Error::Internal);
        assert_eq!(began.elapsed(), takes);
        assert_eq!(client.say("lost").await, Err(Error::Internal));
        assert_eq!(client.take_back(1).await, Err(Error::NotFound), "it still may be its own");
        let who = Identity::new(user(name));
        let refused = house.registry.visit(&who, &crate::kit::room("moody")).await.err();
        assert_eq!(refused, Some(Error::Internal));
        assert_eq!(ada.told(), [""; 0]);
        drop(client);
        assert_eq!(ada.told(), [format!("-{name}")]);
    }
    ada.say("fine").await.unwrap();
    drop(ada);
    house.emptied().await;
}

#[tokio::test(start_paused = true)]
async fn a_hook_that_panics_without_a_future_fails_its_own_request_only() {
    let house = House::with(|builder| builder.policy(Abrupt)).await;
    let ada = house.client("ada");
    assert_eq!(ada.join("lobby", Join::default()).await.unwrap_err(), Error::Internal);
    drop(ada);
    house.emptied().await;
}

#[tokio::test(start_paused = true)]
async fn a_refusal_reaches_the_one_who_asked_with_the_hosts_own_code() {
    let house = house().await;
    let client = house.guest("refused").await;
    assert_eq!(client.join("moody", Join::default()).await.unwrap_err().code(), "x-no");
    assert_eq!(client.say("no").await.unwrap_err().code(), "x-no");
    assert_eq!(house.registry.stats().rooms, 1, "who may not join opens nothing");
    let visit = house.registry.visit(client.session.identity(), &lobby()).await.unwrap();
    assert_eq!(visit.publish(Post::new("no")).await.unwrap_err().code(), "x-no");
}

#[tokio::test(start_paused = true)]
async fn a_message_can_be_rewritten_within_its_bounds() {
    let house = house().await;
    let loud = house.guest("loud").await;
    loud.say("hello").await.unwrap();
    assert_eq!(loud.told(), ["1 loud: HELLO"]);
    let endless = house.guest("endless").await;
    assert_eq!(endless.say("hello").await.unwrap_err().code(), "too_large");
}

#[tokio::test(start_paused = true)]
async fn whom_the_host_lets_takes_back_what_others_said() {
    let house = house().await;
    let (ada, mighty) = (house.guest("ada").await, house.guest("mighty").await);
    ada.say("hm").await.unwrap();
    mighty.say("hm").await.unwrap();
    ada.told();
    assert_eq!(ada.take_back(2).await, Err(Error::Forbidden));
    mighty.take_back(1).await.unwrap();
    assert_eq!(ada.told(), ["1 taken back by mighty"]);
}

#[tokio::test(start_paused = true)]
async fn membership_is_asked_again_after_a_slow_hook() {
    let house = house().await;
    let (ada, slow) = (house.guest("ada").await, house.guest("slow").await);
    let (sent, ()) = tokio::join!(slow.say("too late"), async { slow.leave("lobby") });
    assert_eq!(sent, Err(Error::NotInRoom));
    assert_eq!(ada.told(), ["+slow", "-slow"]);

    let end = async { slow.session.close(chatrooms_core::CloseReason::Kicked) };
    let (joined, ()) = tokio::join!(slow.join("moody", Join::default()), end);
    assert_eq!(joined.unwrap_err(), Error::SessionEnded);
    assert_eq!(house.registry.stats().rooms, 1);
}

#[tokio::test(start_paused = true)]
async fn a_code_that_is_not_the_hosts_to_give_is_told_as_forbidden() {
    #[derive(Debug)]
    struct Presumptuous;

    #[async_trait]
    impl RoomPolicy for Presumptuous {
        async fn before_publish(
            &self,
            _: &Identity,
            _: &RoomName,
            draft: Draft,
        ) -> Result<Draft, Error> {
            Err(Error::Refused { code: draft.body.to_string().into(), message: "no".into() })
        }
    }

    let house = House::with(|builder| builder.policy(Presumptuous)).await;
    let ada = house.guest("ada").await;
    for (given, told) in [
        ("rate_limited", "forbidden"),
        ("", "forbidden"),
        ("bad_request", "bad_request"),
        ("x-no", "x-no"),
    ] {
        assert_eq!(ada.say(given).await.unwrap_err().code(), told);
    }
}
