//! P4 and P5: one order, stored before shown, once.

use std::{
    sync::{Arc, Mutex, mpsc},
    task::{Context, Wake, Waker},
};

use chatrooms_core::{
    CloseReason, Data, Error, EventKind, Nonce, Post, RoomRegistry,
    testing::{Call, Fault},
};
use futures_util::FutureExt as _;
use tokio::time::Instant;

use crate::kit::{Client, House, bodies, lobby, millis, room, secs, settle};

async fn two_guests(house: &House) -> (Client, Client) {
    let (ada, bob) = (house.guest("ada").await, house.guest("bob").await);
    ada.told();
    (ada, bob)
}

#[tokio::test(start_paused = true)]
async fn everybody_is_told_the_same_in_the_same_order() {
    let house = House::new().await;
    let (ada, bob) = two_guests(&house).await;
    house.store.always(Call::Append, Fault::Slow(millis(3)));
    let mut receipts = Vec::new();
    for n in 0..20 {
        receipts.push(ada.begin(&format!("a{n}")).await);
        receipts.push(bob.begin(&format!("b{n}")).await);
    }
    for (receipt, seq) in receipts.into_iter().zip(1..) {
        assert_eq!(receipt.wait().await.unwrap().seq, seq);
    }
    let told = ada.told();
    assert_eq!(told.len(), 40);
    assert_eq!(told[..3], ["1 ada: a0", "2 bob: b0", "3 ada: a1"]);
    assert_eq!(told, bob.told());
}

#[tokio::test(start_paused = true)]
async fn what_is_sent_under_a_cork_is_stored_and_told_in_one_step() {
    let house = House::new().await;
    let (ada, bob) = two_guests(&house).await;
    let cork = ada.session.cork();
    let receipts = [ada.begin("1").await, ada.begin("2").await, ada.begin("3").await];
    // Whoever else speaks in the room has their turn behind it.
    let other = bob.begin("4").await;
    assert!(bob.told().is_empty());
    assert!(house.store.batches().is_empty());
    drop(cork);
    assert_eq!(bob.told(), ["1 ada: 1", "2 ada: 2", "3 ada: 3", "4 bob: 4"]);
    assert_eq!(house.store.batches(), [4]);
    for (receipt, seq) in receipts.into_iter().chain([other]).zip(1..) {
        assert_eq!(receipt.wait().await.unwrap().seq, seq);
    }
    // Without one, each is a step of its own again.
    drop((ada.begin("5").await, ada.begin("6").await));
    assert_eq!(house.store.batches(), [4, 1, 1]);
}

#[tokio::test(start_paused = true)]
async fn what_was_accepted_together_is_one_thing_in_each_queue_and_counts_as_what_it_holds() {
    let house = House::configured(|config| config.outbox_frames = 5).await;
    let (ada, mut bob) = two_guests(&house).await;
    bob.told();
    let cork = ada.session.cork();
    drop((ada.begin("1").await, ada.begin("2").await, ada.begin("3").await));
    drop(cork);
    let (frames, bytes) = bob.session.outbox().waiting();
    assert_eq!(frames, 3);
    let mut told = Vec::new();
    bob.session.outbox().try_take(&mut told, 1);
    assert_eq!(bob.session.outbox().waiting(), (0, 0));
    let [bundle] = &told[..] else { panic!("{told:?}") };
    assert_eq!((bundle.frames(), bundle.events().len()), (3, 3));
    assert_eq!(bytes, bundle.events().iter().map(|event| event.cost()).sum::<usize>());
    let single: Vec<_> = told.remove(0).apart().collect();
    assert!(single.iter().all(|one| one.frames() == 1 && one.events().len() == 1));
    assert_eq!(single.len(), 3);
    // One by one for whoever asks so.
    drop((ada.begin("4").await, ada.begin("5").await));
    assert_eq!([next(&mut bob).await, next(&mut bob).await], [4, 5]);
    // The bound is one of frames.
    let cork = ada.session.cork();
    for n in 6..12 {
        drop(ada.begin(&n.to_string()).await);
    }
    drop(cork);
    assert_eq!(bob.session.outbox().closed(), Some(CloseReason::SlowConsumer));
}

async fn next(client: &mut Client) -> u64 {
    let event = client.session.next().await.unwrap();
    let EventKind::Message(message) = event.kind() else { panic!("{event:?}") };
    message.seq
}

#[tokio::test(start_paused = true)]
async fn a_bundle_is_read_event_by_event() {
    let house = House::new().await;
    let (ada, mut bob) = two_guests(&house).await;
    bob.told();
    let cork = ada.session.cork();
    drop((ada.begin("1").await, ada.begin("2").await));
    drop(cork);
    assert_eq!(next(&mut bob).await, 1);
    drop(ada.begin("3").await);
    assert_eq!([next(&mut bob).await, next(&mut bob).await], [2, 3]);
}

#[tokio::test(start_paused = true)]
async fn a_cork_that_is_dropped_unwound_or_held_twice_lets_everything_go() {
    let house = House::new().await;
    let (ada, bob) = two_guests(&house).await;
    let outer = ada.session.cork();
    let inner = ada.session.cork();
    drop(ada.begin("1").await);
    drop(inner);
    assert_eq!(bob.told(), ["1 ada: 1"], "the first to go lets go");
    drop(ada.begin("2").await);
    drop(outer);
    let future = async {
        let _cork = ada.session.cork();
        drop(ada.begin("3").await);
        std::future::pending::<()>().await;
    };
    assert!(future.now_or_never().is_none());
    assert_eq!(bob.told(), ["2 ada: 2", "3 ada: 3"]);
}

/// Notes who is woken.
struct Noting(&'static str, Arc<Mutex<Vec<&'static str>>>);

impl Wake for Noting {
    fn wake(self: Arc<Self>) {
        self.1.lock().unwrap().push(self.0);
    }
}

#[tokio::test(start_paused = true)]
async fn everybody_who_waits_is_woken_and_the_author_last() {
    let house = House::new().await;
    let (ada, bob) = two_guests(&house).await;
    bob.told();
    let woken = Arc::default();
    let mut waits = [("ada", &ada), ("bob", &bob)]
        .map(|(name, guest)| (name, Box::pin(guest.session.outbox().filled())));
    for (name, filled) in &mut waits {
        let waker = Waker::from(Arc::new(Noting(name, Arc::clone(&woken))));
        assert!(filled.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    }
    drop(ada.begin("hello").await);
    assert_eq!(*woken.lock().unwrap(), ["bob", "ada"]);
}

/// Notes whether the room could be looked at while it woke somebody.
struct Looking(RoomRegistry, Arc<Mutex<Vec<bool>>>);

impl Wake for Looking {
    fn wake(self: Arc<Self>) {
        let (registry, (looked, has_looked)) = (self.0.clone(), mpsc::channel());
        // Where the room is locked meanwhile, only this thread hangs, and not for ever.
        std::thread::spawn(move || looked.send(registry.room(&lobby()).now_or_never()));
        self.1.lock().unwrap().push(has_looked.recv_timeout(secs(5)).is_ok());
    }
}

/// What wakes a task is the host's code.
#[tokio::test(start_paused = true)]
async fn who_waits_when_a_room_ends_is_woken_under_no_lock() {
    let house = House::new().await;
    let ada = house.guest("ada").await;
    house.store.always(Call::Append, Fault::Hold);
    drop(ada.begin("on its way").await);
    let mut behind = Box::pin(ada.begin("behind it").await.wait());
    let looked = Arc::default();
    let waker = Waker::from(Arc::new(Looking(house.registry.clone(), Arc::clone(&looked))));
    assert!(behind.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    house.close_room("lobby");
    assert_eq!(*looked.lock().unwrap(), [true]);
    assert_eq!(behind.await, Err(Error::NotInRoom));
}

#[tokio::test(start_paused = true)]
async fn what_one_session_sends_stays_in_order_also_when_nobody_waits_for_it() {
    let house = House::new().await;
    let (ada, bob) = two_guests(&house).await;
    house.store.always(Call::Append, Fault::Slow(millis(3)));
    for n in 1..=9 {
        drop(ada.begin(&n.to_string()).await);
    }
    tokio::time::sleep(secs(1)).await;
    let expected: Vec<_> = (1..=9).map(|n| format!("{n} ada: {n}")).collect();
    assert_eq!(bob.told(), expected);
}

#[tokio::test(start_paused = true)]
async fn those_who_send_while_the_store_is_busy_share_its_next_batch() {
    let house = House::new().await;
    let (ada, bob) = two_guests(&house).await;
    house.store.next(Call::Append, Fault::Slow(millis(3)));
    let mut receipts = vec![ada.begin("alone").await];
    for _ in 0..10 {
        receipts.push(ada.begin("together").await);
        receipts.push(bob.begin("together").await);
    }
    for receipt in receipts {
        receipt.wait().await.unwrap();
    }
    assert_eq!(house.store.batches(), [1, 20]);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_shown_before_it_is_stored() {
    let house = House::new().await;
    let (ada, bob) = two_guests(&house).await;
    house.store.next(Call::Append, Fault::Slow(secs(1)));
    let receipt = ada.begin("slowly").await;
    tokio::time::sleep(millis(999)).await;
    assert_eq!((ada.told(), bob.told()), (vec![], vec![]));
    assert_eq!(receipt.wait().await.unwrap().seq, 1);
    assert_eq!(
        (ada.told(), bob.told()),
        (vec!["1 ada: slowly".into()], vec!["1 ada: slowly".into()])
    );
}

#[tokio::test(start_paused = true)]
async fn a_refused_message_leaves_no_hole_and_nobody_sees_it() {
    let house = House::new().await;
    let (ada, bob) = two_guests(&house).await;
    ada.say("one").await.unwrap();
    house.store.next(Call::Append, Fault::Fail);
    assert_eq!(ada.say("refused").await, Err(Error::StoreUnavailable));
    assert_eq!(ada.say("two").await.unwrap().seq, 2);
    assert_eq!(bob.told(), ["1 ada: one", "2 ada: two"]);
}

#[tokio::test(start_paused = true)]
async fn a_message_under_a_known_nonce_is_stored_and_shown_once() {
    let house = House::new().await;
    let (ada, bob) = two_guests(&house).await;
    let first = ada.say_once("hello", "n").await.unwrap();
    let again = ada.say_once("hello", "n").await.unwrap();
    assert_eq!((first.seq, first.duplicate), (1, false));
    assert_eq!((again.seq, again.at, again.duplicate), (1, first.at, true));
    let other_tab = house.guest("ada").await;
    assert!(other_tab.say_once("hello", "n").await.unwrap().duplicate, "a nonce is the user's");
    assert!(!bob.say_once("hello", "n").await.unwrap().duplicate, "and nobody else's");
    assert_eq!(bob.told(), ["1 ada: hello", "2 bob: hello"]);

    [ada, bob, other_tab].iter().for_each(|client| client.leave("lobby"));
    let anew = house.guest("ada").await;
    assert!(!anew.say_once("hello", "n").await.unwrap().duplicate, "a nonce is the life's");
}

#[tokio::test(start_paused = true)]
async fn a_message_that_still_waits_at_its_deadline_is_withdrawn() {
    let house = House::new().await;
    let (ada, bob) = two_guests(&house).await;
    house.store.next(Call::Append, Fault::Slow(secs(20)));
    let begun = ada.begin("begun").await;
    tokio::time::sleep(secs(1)).await;
    let waiting = bob.begin("waiting").await;
    let began = Instant::now();
    assert_eq!(begun.wait().await, Err(Error::OutcomeUnknown));
    assert_eq!(began.elapsed(), secs(5), "its deadline and a grace of a second");
    assert_eq!(waiting.wait().await, Err(Error::StoreUnavailable));
    assert_eq!(began.elapsed(), secs(5));
    tokio::time::sleep(secs(30)).await;
    assert_eq!(house.store.batches(), [1], "what is withdrawn never comes to the store");
    assert_eq!(ada.say("works again").await.unwrap().seq, 1);
    assert_eq!(bob.told(), ["1 ada: works again"]);
}

#[tokio::test(start_paused = true)]
async fn what_nobody_waits_for_any_more_is_withdrawn_at_its_deadline_too() {
    let house = House::new().await;
    let (ada, bob) = two_guests(&house).await;
    house.store.next(Call::Append, Fault::Slow(secs(6)));
    drop(ada.begin("refused by the store itself").await);
    drop(ada.begin("never begun").await);
    tokio::time::sleep(secs(2)).await;
    drop(bob.begin("in time").await);
    tokio::time::sleep(secs(20)).await;
    assert_eq!(house.store.batches(), [1, 1]);
    assert_eq!(ada.told(), ["1 bob: in time"]);
}

#[tokio::test(start_paused = true)]
async fn a_message_of_unknown_outcome_shows_before_anything_newer() {
    for fault in [Fault::Unsure, Fault::PanicAfter] {
        let house = House::new().await;
        let (ada, bob) = two_guests(&house).await;
        house.store.next(Call::ReadAfter, Fault::Fail);
        house.store.next(Call::Append, fault);
        assert_eq!(ada.say_once("hidden", "n").await, Err(Error::OutcomeUnknown));
        assert_eq!(bob.told(), [""; 0], "the store could not be asked either");
        assert_eq!(ada.say("newer").await.unwrap().seq, 2);
        assert_eq!(bob.told(), ["1 ada: hidden", "2 ada: newer"]);
        assert!(ada.say_once("hidden", "n").await.unwrap().duplicate);
        assert_eq!(bob.told(), [""; 0]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_message_of_unknown_outcome_shows_at_once_where_the_store_can_tell() {
    let house = House::new().await;
    let (ada, bob) = two_guests(&house).await;
    house.store.next(Call::Append, Fault::Unsure);
    assert_eq!(ada.say("kept after all").await, Err(Error::OutcomeUnknown));
    assert_eq!(bob.told(), ["1 ada: kept after all"]);
}

#[tokio::test(start_paused = true)]
async fn sending_again_under_the_same_nonce_shows_what_was_kept() {
    let house = House::new().await;
    let (ada, bob) = two_guests(&house).await;
    house.store.next(Call::ReadAfter, Fault::Fail);
    house.store.next(Call::Append, Fault::Unsure);
    ada.say_once("hidden", "n").await.unwrap_err();
    let again = ada.say_once("hidden", "n").await.unwrap();
    assert_eq!((again.seq, again.duplicate), (1, true));
    assert_eq!(bob.told(), ["1 ada: hidden"]);
}

#[tokio::test(start_paused = true)]
async fn nothing_newer_is_shown_until_what_is_missing_can_be_read() {
    let house = House::new().await;
    let (ada, bob) = two_guests(&house).await;
    house.store.always(Call::ReadAfter, Fault::Fail);
    house.store.next(Call::Append, Fault::Unsure);
    ada.say("hidden").await.unwrap_err();
    let newer = ada.begin("newer").await;
    settle().await;
    assert_eq!(bob.told(), [""; 0]);
    house.store.heal();
    assert_eq!(newer.wait().await.unwrap().seq, 2);
    assert_eq!(bob.told(), ["1 ada: hidden", "2 ada: newer"]);
}

#[tokio::test(start_paused = true)]
async fn a_store_that_panics_fails_that_batch_and_no_other() {
    let house = House::new().await;
    let (ada, bob) = two_guests(&house).await;
    house.store.next(Call::Append, Fault::Panic);
    assert_eq!(ada.say("lost").await, Err(Error::OutcomeUnknown));
    assert_eq!(ada.say("kept").await.unwrap().seq, 1);
    assert_eq!(bob.told(), ["1 ada: kept"]);
}

#[tokio::test(start_paused = true)]
async fn a_store_that_never_returns_stops_one_room_and_no_other() {
    let house = House::new().await;
    let (ada, bob) = two_guests(&house).await;
    house.store.always_in("garden", Call::Append, Fault::Hang);
    ada.enter("garden").await;
    ada.told();
    let stuck = ada.session.send(&room("garden"), Post::new("stuck")).await.unwrap();
    let behind = ada.session.send(&room("garden"), Post::new("behind")).await.unwrap();
    assert_eq!(ada.say("fine").await.unwrap().seq, 1);
    assert_eq!(bob.told(), ["1 ada: fine"]);
    assert_eq!(stuck.wait().await.unwrap_err(), Error::OutcomeUnknown);
    assert_eq!(behind.wait().await.unwrap_err(), Error::StoreUnavailable);
    // Its people can still come, go and see each other, and the next life works.
    bob.enter("garden").await;
    bob.leave("garden");
    assert_eq!(ada.told(), ["1 ada: fine", "garden: +bob", "garden: -bob"]);
    ada.leave("garden");
    house.store.heal();
    ada.enter("garden").await;
    ada.session.publish(&room("garden"), Post::new("anew")).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_slow_append_holds_up_neither_joins_nor_other_rooms() {
    let house = House::new().await;
    let (ada, bob) = two_guests(&house).await;
    house.store.next(Call::Append, Fault::Slow(secs(4)));
    let slow = ada.begin("slow").await;
    let began = Instant::now();
    let eve = house.guest("eve").await;
    eve.enter("garden").await;
    eve.session.publish(&room("garden"), Post::new("quick")).await.unwrap();
    eve.session.signal(&lobby(), "typing", None).unwrap();
    bob.leave("lobby");
    assert_eq!(ada.told(), ["+eve", "eve typing", "-bob"]);
    assert_eq!(began.elapsed(), millis(0));
    assert_eq!(slow.wait().await.unwrap().seq, 1);
}

#[tokio::test(start_paused = true)]
async fn a_full_queue_says_busy_and_takes_more_once_it_has_room() {
    let house = House::configured(|config| config.store_queue = 3).await;
    let (ada, bob) = two_guests(&house).await;
    house.store.next(Call::Append, Fault::Slow(secs(1)));
    let mut receipts = Vec::new();
    for n in 0..4 {
        receipts.push(ada.begin(&n.to_string()).await);
    }
    assert_eq!(bob.say("one too many").await.unwrap_err(), Error::Busy);
    for receipt in receipts {
        receipt.wait().await.unwrap();
    }
    assert_eq!(bob.say("fits").await.unwrap().seq, 5);
}

#[tokio::test(start_paused = true)]
async fn sending_faster_than_allowed_is_refused_with_the_time_to_wait() {
    let house = House::configured(|config| {
        config.sends_per_second = 2;
        config.send_burst = 3;
    })
    .await;
    let (ada, bob) = two_guests(&house).await;
    ada.say("one").await.unwrap();
    ada.take_back(1).await.unwrap();
    ada.session.signal(&lobby(), "typing", None).unwrap();
    let Err(Error::RateLimited { retry_after }) = ada.say("too fast").await else { panic!() };
    assert!(retry_after >= millis(1) && retry_after <= millis(500), "{retry_after:?}");
    assert!(ada.session.signal(&lobby(), "typing", None).is_err());
    assert!(ada.session.redact(&lobby(), 1).await.is_err());
    bob.say("others may").await.unwrap();
    tokio::time::sleep(retry_after).await;
    ada.say("slow enough").await.unwrap();
    ada.say("too fast again").await.unwrap_err();
}

#[tokio::test(start_paused = true)]
async fn a_message_is_held_to_its_bounds() {
    let house = House::configured(|config| {
        config.body_bytes = 10;
        config.data_bytes = 5;
    })
    .await;
    let (ada, _bob) = two_guests(&house).await;
    ada.say("éééééé").await.unwrap_err();
    let post = |body: &str, data: &str| Post::new(body).data(Some(Data::new(data)));
    let send = async |post| ada.session.publish(&lobby(), post).await;
    assert_eq!(
        send(post("12345678901", "1")).await,
        Err(Error::TooLarge { what: "body", limit: 10 })
    );
    assert_eq!(
        send(post("1234567890", "123456")).await,
        Err(Error::TooLarge { what: "data", limit: 5 })
    );
    assert_eq!(send(post("1234567890", "12345")).await.unwrap().seq, 1);
    let signal = |name, data| ada.session.signal(&lobby(), name, Some(Data::new(data)));
    for (name, data) in [("typing", "1"), ("t", "12345")] {
        assert_eq!(signal(name, data), Err(Error::TooLarge { what: "data", limit: 5 }));
    }
    assert_eq!(signal("type", "1"), Ok(()));
}

#[tokio::test(start_paused = true)]
async fn only_members_send() {
    let house = House::new().await;
    let (ada, bob) = two_guests(&house).await;
    bob.leave("lobby");
    assert_eq!(bob.say("from outside").await, Err(Error::NotInRoom));
    assert_eq!(bob.take_back(1).await, Err(Error::NotInRoom));
    assert_eq!(bob.session.signal(&lobby(), "typing", None), Err(Error::NotInRoom));
    assert_eq!(bob.session.history(&lobby(), None, 9).await.unwrap_err(), Error::NotInRoom);
    assert_eq!(bob.session.members(&lobby(), None).unwrap_err(), Error::NotInRoom);
    assert_eq!(ada.told(), ["-bob"]);
}

#[tokio::test(start_paused = true)]
async fn a_signal_goes_to_all_sessions_but_the_sending_one_and_is_not_kept() {
    let house = House::new().await;
    let (ada, bob) = two_guests(&house).await;
    let other_tab = house.guest("ada").await;
    ada.session.signal(&lobby(), "typing", None).unwrap();
    assert_eq!((ada.told(), bob.told()), (vec![], vec!["ada typing".into()]));
    assert_eq!(other_tab.told(), ["ada typing"]);
    assert_eq!(ada.history().await, [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn the_host_speaks_without_a_session_and_never_opens_a_room() {
    let house = House::new().await;
    let announce = async |text| house.registry.announce(&lobby(), Post::new(text)).await;
    assert_eq!(announce("nobody hears").await, Err(Error::NotFound));
    let (ada, _bob) = two_guests(&house).await;
    assert_eq!(announce("welcome").await.unwrap().seq, 1);
    assert_eq!(ada.told(), ["1 host: welcome"]);
    let nonce = Post::new("twice").nonce(Nonce::new("n"));
    for seq in 2..=3 {
        assert_eq!(house.registry.announce(&lobby(), nonce.clone()).await.unwrap().seq, seq);
    }
    let long = Post::new("x".repeat(5000));
    let refused = house.registry.announce(&lobby(), long).await.unwrap_err();
    assert_eq!(refused.code(), "too_large");
}

#[tokio::test(start_paused = true)]
async fn authors_take_back_what_they_said_and_nobody_elses() {
    let house = House::new().await;
    let (ada, bob) = two_guests(&house).await;
    ada.say("regretted").await.unwrap();
    assert_eq!(bob.take_back(1).await, Err(Error::Forbidden));
    assert_eq!(bob.take_back(2).await, Err(Error::NotFound));
    assert_eq!(bob.take_back(u64::MAX).await, Err(Error::NotFound));
    ada.take_back(1).await.unwrap();
    ada.take_back(1).await.unwrap();
    assert_eq!(bob.told(), ["1 ada: regretted", "1 taken back by ada"], "told once");
    assert_eq!(ada.history().await, [""], "it keeps its place");
    house.registry.announce(&lobby(), Post::new("host")).await.unwrap();
    assert_eq!(ada.take_back(2).await, Err(Error::Forbidden));
    house.registry.redact(&lobby(), 2).await.unwrap();
    assert_eq!(bob.told(), ["2 host: host", "2 taken back by host"]);
    assert_eq!(house.registry.redact(&lobby(), 3).await, Err(Error::NotFound));
    assert_eq!(house.registry.redact(&room("garden"), 1).await, Err(Error::NotFound));
}

#[tokio::test(start_paused = true)]
async fn a_redaction_waits_its_turn_behind_its_message() {
    let house = House::new().await;
    let (ada, bob) = two_guests(&house).await;
    house.store.next(Call::Append, Fault::Slow(secs(1)));
    let sent = ada.begin("hasty").await;
    let redacted = ada.session.redact(&lobby(), 1).await.unwrap();
    let after = ada.begin("after").await;
    redacted.wait().await.unwrap();
    sent.wait().await.unwrap();
    after.wait().await.unwrap();
    assert_eq!(bob.told(), ["1 ada: hasty", "1 taken back by ada", "2 ada: after"]);
}

#[tokio::test(start_paused = true)]
async fn what_nobody_has_seen_cannot_be_taken_back() {
    let house = House::new().await;
    let (ada, bob) = two_guests(&house).await;
    house.store.next(Call::ReadAfter, Fault::Fail);
    house.store.next(Call::Append, Fault::Unsure);
    ada.say("hidden").await.unwrap_err();
    assert_eq!(ada.take_back(1).await, Err(Error::NotFound));
    assert_eq!(bob.told(), [""; 0]);
    ada.say("newer").await.unwrap();
    ada.take_back(1).await.unwrap();
    assert_eq!(bob.told(), ["1 ada: hidden", "2 ada: newer", "1 taken back by ada"]);
}

#[tokio::test(start_paused = true)]
async fn a_redaction_that_fails_is_told_to_nobody() {
    for (fault, error) in [
        (Fault::Fail, Error::StoreUnavailable),
        (Fault::Panic, Error::OutcomeUnknown),
        (Fault::Unsure, Error::OutcomeUnknown),
    ] {
        let house = House::new().await;
        let (ada, bob) = two_guests(&house).await;
        ada.say("here to stay").await.unwrap();
        bob.told();
        house.store.next(Call::Redact, fault);
        assert_eq!(ada.take_back(1).await, Err(error));
        assert_eq!(bob.told(), [""; 0]);
        ada.take_back(1).await.unwrap();
        assert_eq!(bob.told(), ["1 taken back by ada"]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_room_keeps_so_many_messages_and_forgets_the_oldest() {
    let house = House::configured(|config| config.keep = 16).await;
    let ada = house.guest("ada").await;
    for n in 1..=40 {
        ada.say(&n.to_string()).await.unwrap();
    }
    let kept = ada.history().await;
    assert!((14..=16).contains(&kept.len()), "{kept:?}");
    assert_eq!(kept.last().map(String::as_str), Some("40"));
    let joined = house.client("bob").enter("lobby").await;
    assert_eq!(bodies(&joined.messages), kept, "what is forgotten is not shown to a joiner either");
    assert!(!joined.more);
    assert_eq!(house.registry.redact(&lobby(), 1).await, Err(Error::NotFound));
}

/// The store has trimmed and cannot say so, each time: its next answer tells.
#[tokio::test(start_paused = true)]
async fn what_the_store_has_forgotten_is_shown_to_nobody() {
    let house = House::configured(|config| config.keep = 8).await;
    house.store.always(Call::Trim, Fault::Unsure);
    let ada = house.guest("ada").await;
    for n in 1..=10 {
        ada.say(&n.to_string()).await.unwrap();
    }
    let kept = ada.history().await;
    let joined = house.client("bob").enter("lobby").await;
    assert_eq!(bodies(&joined.messages), kept);
    assert!(!joined.more);
    assert_eq!(kept.len(), 8);
    assert_eq!(house.store.calls(Call::Trim), 1, "what is gone is not removed again");
}

#[tokio::test(start_paused = true)]
async fn a_room_whose_messages_cannot_be_trimmed_tries_again_with_the_next_one() {
    let house = House::configured(|config| config.keep = 8).await;
    let ada = house.guest("ada").await;
    house.store.next(Call::Trim, Fault::Fail);
    house.store.next(Call::Trim, Fault::Panic);
    for n in 1..=10 {
        ada.say(&n.to_string()).await.unwrap();
    }
    assert_eq!(ada.history().await.len(), 10);
    ada.say("11").await.unwrap();
    assert_eq!(ada.history().await.len(), 7);
}
