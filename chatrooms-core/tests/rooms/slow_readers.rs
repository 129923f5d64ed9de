//! P7: who does not read harms only themselves.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use bytes::Bytes;
use chatrooms_core::{CloseReason, Config, Outgoing, Post};
use futures_util::FutureExt as _;
use tokio::time::Instant;

use crate::kit::{Client, House, lobby, millis, resume, secs};

/// Ada reads, bob does not; bounds of so many frames, and of so many bytes.
async fn house(set: impl FnOnce(&mut Config)) -> (House, Client, Client) {
    let house = House::configured(|config| {
        config.send_burst = 10_000;
        set(config);
    })
    .await;
    // Who is recorded takes what waits whenever they do something.
    let (ada, bob) = (house.guest("ada").await, house.unrecorded("bob"));
    bob.enter("lobby").await;
    bob.told();
    ada.told();
    (house, ada, bob)
}

async fn say(ada: &Client, times: usize, body: &str) {
    for _ in 0..times {
        ada.say(body).await.unwrap();
        ada.told();
    }
}

#[tokio::test(start_paused = true)]
async fn over_its_bound_of_frames_a_session_is_closed_and_out_of_its_rooms_at_once() {
    let (house, ada, bob) = house(|config| config.outbox_frames = 10).await;
    bob.enter("garden").await;
    bob.told();
    say(&ada, 10, "x").await;
    assert_eq!(bob.session.outbox().closed(), None);
    ada.say("one too many").await.unwrap();
    assert_eq!(bob.session.outbox().closed(), Some(CloseReason::SlowConsumer));
    assert_eq!(ada.told(), ["11 ada: one too many", "-bob"]);
    assert_eq!((bob.session.rooms().len(), house.registry.stats().rooms), (0, 1));
    assert_eq!(bob.told(), [""; 0], "what waited is of no use any more");
    assert_eq!(bob.say("late").await.unwrap_err().code(), "not_in_room");
}

#[tokio::test(start_paused = true)]
async fn over_its_bound_of_bytes_a_session_is_closed_and_may_resume() {
    let (house, ada, bob) = house(|config| config.outbox_bytes = 20_000).await;
    let joined = house.client("eve").enter("lobby").await;
    ada.told();
    bob.told();
    say(&ada, 4, &"x".repeat(4000)).await;
    assert_eq!(bob.session.outbox().closed(), None);
    say(&ada, 1, &"x".repeat(4000)).await;
    assert_eq!(bob.session.outbox().closed(), Some(CloseReason::SlowConsumer));
    drop(bob);
    let bob = house.client("bob");
    let again = bob.join("lobby", resume(&joined, 3)).await.unwrap();
    assert!(again.resumed);
    assert_eq!(again.messages.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_for_a_slow_session() {
    let (_house, ada, _bob) = house(|config| config.outbox_frames = 10).await;
    let began = Instant::now();
    say(&ada, 100, "x").await;
    assert_eq!(began.elapsed(), millis(0));
}

#[tokio::test(start_paused = true)]
async fn the_end_of_slow_sessions_may_be_too_much_for_others() {
    let (house, ada, bob) = house(|config| config.outbox_frames = 10).await;
    let mut slow = vec![bob];
    for n in 0..20 {
        slow.push(house.guest(&format!("slow {n}")).await);
        slow.iter().for_each(|client| drop(client.told()));
        ada.told();
    }
    say(&ada, 10, "x").await;
    ada.say("the last").await.unwrap();
    let told = ada.session.outbox().closed();
    assert_eq!(told, Some(CloseReason::SlowConsumer), "21 departures are over ada's own bound");
    assert_eq!(house.registry.stats().rooms, 0);
}

#[tokio::test(start_paused = true)]
async fn half_of_the_bound_without_progress_closes_at_the_next_push() {
    let (_house, ada, bob) = house(|config| config.outbox_frames = 10).await;
    tokio::time::sleep(secs(100)).await;
    say(&ada, 6, "x").await;
    assert_eq!(bob.session.outbox().closed(), None, "there was nothing to take before");
    tokio::time::sleep(millis(4999)).await;
    say(&ada, 1, "x").await;
    assert_eq!(bob.session.outbox().closed(), None);
    tokio::time::sleep(millis(1)).await;
    ada.say("x").await.unwrap();
    assert_eq!(bob.session.outbox().closed(), Some(CloseReason::SlowConsumer));
    assert_eq!(ada.told(), ["8 ada: x", "-bob"]);
}

#[tokio::test(start_paused = true)]
async fn half_of_the_bound_without_progress_closes_without_a_push_too() {
    let (_house, ada, bob) = house(|config| config.outbox_frames = 10).await;
    let outbox = bob.session.outbox();
    let began = Instant::now();
    let push = async {
        tokio::time::sleep(secs(7)).await;
        say(&ada, 6, "x").await;
        tokio::time::sleep(secs(3)).await;
        outbox.meter().progress();
    };
    let (reason, ()) = tokio::join!(outbox.closing(), push);
    assert_eq!((reason, began.elapsed().as_secs()), (CloseReason::SlowConsumer, 7 + 3 + 5));
    assert_eq!(ada.told(), [""; 0], "the room learns of it from whoever drives the session");
    bob.session.close(CloseReason::SlowConsumer);
    assert_eq!(ada.told(), ["-bob"]);
}

#[tokio::test(start_paused = true)]
async fn a_session_that_takes_slowly_but_steadily_is_let_be() {
    let (_house, ada, bob) = house(|config| config.outbox_frames = 20).await;
    say(&ada, 15, "x").await;
    let mut batch = Vec::new();
    for _ in 0..40 {
        tokio::time::sleep(secs(4)).await;
        bob.session.outbox().take(&mut batch, 1).await.unwrap();
        bob.session.outbox().meter().progress();
        say(&ada, 1, "x").await;
    }
    assert_eq!(bob.session.outbox().closed(), None);
    assert_eq!(batch.len(), 40);
}

#[tokio::test(start_paused = true)]
async fn taking_enough_ends_a_stall() {
    let (_house, ada, bob) = house(|config| config.outbox_frames = 10).await;
    say(&ada, 6, "x").await;
    tokio::time::sleep(secs(4)).await;
    let mut batch = Vec::new();
    bob.session.outbox().try_take(&mut batch, 1);
    tokio::time::sleep(secs(4)).await;
    say(&ada, 2, "x").await;
    assert_eq!(bob.session.outbox().closed(), None, "half of the bound waits only since now");
}

#[tokio::test(start_paused = true)]
async fn signals_go_first_and_answers_never() {
    let (_house, ada, bob) = house(|config| config.outbox_frames = 16).await;
    say(&ada, 4, "x").await;
    ada.session.signal(&lobby(), "typing", None).unwrap();
    assert_eq!(bob.session.outbox().waiting().0, 5);
    ada.session.signal(&lobby(), "typing", None).unwrap();
    assert_eq!(bob.session.outbox().waiting().0, 5, "a quarter of the bound waits");
    for _ in 0..8 {
        bob.session.outbox().answer(Bytes::from_static(b"pong"));
    }
    assert_eq!(bob.session.outbox().closed(), None);
    let told = bob.told();
    assert_eq!(told.iter().filter(|line| *line == "answer pong").count(), 8);
    ada.session.signal(&lobby(), "typing", None).unwrap();
    assert_eq!(bob.told(), ["ada typing"]);
}

#[tokio::test(start_paused = true)]
async fn answers_count_against_the_bound_too() {
    let (_house, _ada, bob) = house(|config| config.outbox_bytes = 1000).await;
    bob.session.outbox().answer(Bytes::from(vec![b'x'; 1000]));
    assert_eq!(bob.session.outbox().waiting(), (1, 1000));
    bob.session.outbox().answer(Bytes::from_static(b"x"));
    assert_eq!(bob.session.outbox().closed(), Some(CloseReason::SlowConsumer));
}

const PAGE: usize = 1000;

/// So many who do not read, and one who does; all together may have 200 pages there, and nothing else is bounded.
async fn reading_room(deaf: usize) -> (House, Vec<Client>, Client) {
    let house = House::configured(|config| {
        config.answer_bytes_in_all = 200 * PAGE;
        (config.outbox_bytes, config.outbox_frames) = (usize::MAX, usize::MAX);
        config.outbox_stall = secs(3600);
    })
    .await;
    let deaf = (0..deaf).map(|n| house.unrecorded(&format!("deaf {n}"))).collect();
    let reader = house.unrecorded("reader");
    (house, deaf, reader)
}

fn give(client: &Client, pages: usize) {
    (0..pages).for_each(|_| client.session.outbox().answer(vec![b'x'; PAGE].into()));
}

fn is_slow(client: &Client) -> bool {
    client.session.outbox().closed() == Some(CloseReason::SlowConsumer)
}

fn pages_there(clients: &[Client]) -> usize {
    clients.iter().map(|client| client.session.outbox().waiting().1).sum::<usize>() / PAGE
}

#[tokio::test(start_paused = true)]
async fn answers_that_many_do_not_take_are_bounded_for_all_together() {
    let (_house, deaf, reader) = reading_room(20).await;
    for round in 1..=201 {
        for client in &deaf {
            give(client, 1);
            assert!(pages_there(&deaf) <= 200 + 1, "in round {round}");
        }
        if round == 10 {
            assert!(!deaf.iter().any(is_slow), "it is all that may be there, and no more");
        }
        // A share is more than nine pages as long as all are there.
        give(&reader, 9);
        assert!(!is_slow(&reader), "who reads is let be, in round {round}");
        assert_eq!(reader.told().len(), 9);
    }
    assert!(deaf.iter().all(is_slow));
    assert_eq!(pages_there(&deaf), 0, "nothing of it is kept");
    give(&reader, 200);
    assert!(!is_slow(&reader), "all of it is free again");
}

#[tokio::test(start_paused = true)]
async fn an_answer_is_there_until_it_is_written() {
    let (_house, deaf, reader) = reading_room(1).await;
    give(&deaf[0], 150);
    let mut writing = Vec::new();
    deaf[0].session.outbox().take(&mut writing, usize::MAX).await.unwrap();
    assert_eq!(deaf[0].session.outbox().waiting(), (0, 0));
    give(&deaf[0], 50);
    assert!(!is_slow(&deaf[0]));
    give(&reader, 1);
    assert!(!is_slow(&reader), "over the bound, and not a hundred pages");
    give(&deaf[0], 1);
    assert!(is_slow(&deaf[0]), "what is being written is there");
    give(&reader, 50);
    assert!(!is_slow(&reader), "over the bound, and not a hundred pages");
    writing.truncate(100);
    give(&reader, 49);
    assert!(!is_slow(&reader), "a hundred pages, and not over the bound any more");
    give(&reader, 1);
    assert!(is_slow(&reader));
}

#[tokio::test(start_paused = true)]
async fn who_hoards_answers_goes_when_a_room_tells_them_something() {
    let (_house, deaf, reader) = reading_room(1).await;
    deaf[0].enter("lobby").await;
    reader.enter("lobby").await;
    reader.told();
    give(&deaf[0], 200);
    give(&reader, 1);
    assert!(!is_slow(&deaf[0]));
    reader.say("hello").await.unwrap();
    assert!(is_slow(&deaf[0]) && !is_slow(&reader));
    assert_eq!(reader.told().last().map(String::as_str), Some("-deaf 0"));
}

#[tokio::test(start_paused = true)]
async fn a_batch_takes_what_is_there_up_to_so_many_bytes() {
    let (_house, ada, bob) = house(|_| ()).await;
    say(&ada, 3, &"x".repeat(4000)).await;
    let mut batch = Vec::new();
    bob.session.outbox().take(&mut batch, 5000).await.unwrap();
    assert_eq!(batch.len(), 2);
    bob.session.outbox().take(&mut batch, 1).await.unwrap();
    assert_eq!(batch.len(), 3, "one at least");
    assert!(bob.session.outbox().take(&mut batch, 1).now_or_never().is_none());
    bob.session.outbox().answer(Bytes::from_static(b"pong"));
    bob.session.outbox().close(CloseReason::Moved);
    bob.session.outbox().answer(Bytes::from_static(b"too late"));
    bob.session.outbox().take(&mut batch, 1).await.unwrap();
    assert_eq!(bob.session.outbox().take(&mut batch, 1).await, Err(CloseReason::Moved));
    assert!(matches!(&batch[3], Outgoing::Answer(answer) if ***answer == "pong"));
}

#[tokio::test(start_paused = true)]
async fn the_first_reason_stands() {
    let (_house, _ada, bob) = house(|_| ()).await;
    bob.session.outbox().close(CloseReason::HeartbeatTimeout);
    bob.session.close(CloseReason::Kicked);
    assert_eq!(bob.session.outbox().closed(), Some(CloseReason::HeartbeatTimeout));
    assert_eq!(bob.session.outbox().closing().await, CloseReason::HeartbeatTimeout);
}

#[tokio::test(start_paused = true)]
async fn whoever_waits_is_woken_by_a_push_and_by_the_end() {
    let (_house, ada, mut bob) = house(|_| ()).await;
    let seen = Arc::new(AtomicUsize::new(0));
    let bobs = tokio::spawn({
        let seen = Arc::clone(&seen);
        async move {
            while bob.session.next().await.is_some() {
                seen.fetch_add(1, Ordering::Relaxed);
            }
        }
    });
    for n in 1..=5 {
        ada.session.publish(&lobby(), Post::new(n.to_string())).await.unwrap();
        crate::kit::settle().await;
        assert_eq!(seen.load(Ordering::Relaxed), n);
    }
    ada.session.registry().end_sessions(&crate::kit::user("bob"), &CloseReason::LoggedOut);
    bobs.await.unwrap();
}
