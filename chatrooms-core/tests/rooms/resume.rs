//! A client that comes back goes on exactly where it was, or is told that it cannot.

use chatrooms_core::{Epoch, Join, Post};

use crate::kit::{House, describe, lobby, resume};

#[tokio::test(start_paused = true)]
async fn a_resume_brings_exactly_what_was_missed() {
    let house = House::new().await;
    let ada = house.guest("ada").await;
    let bob = house.client("bob");
    let joined = bob.enter("lobby").await;
    ada.say("one").await.unwrap();
    drop(bob);
    ada.say("two").await.unwrap();
    ada.say("three").await.unwrap();
    let again = house.client("bob");
    let answer = again.join("lobby", resume(&joined, 1)).await.unwrap();
    assert_eq!(describe(&answer), "resumed at 3 [ada bob] (2 3) more");
    again.leave("lobby");
    let answer = again.join("lobby", resume(&joined, 3)).await.unwrap();
    assert_eq!(describe(&answer), "resumed at 3 [ada bob] more", "nothing was missed");
    again.leave("lobby");
    let answer = again.join("lobby", resume(&joined, 0)).await.unwrap();
    assert_eq!(describe(&answer), "resumed at 3 [ada bob] (1 2 3)");
}

#[tokio::test(start_paused = true)]
async fn a_resume_ignores_how_many_recent_messages_are_wanted() {
    let house = House::new().await;
    let ada = house.guest("ada").await;
    let joined = house.client("bob").enter("lobby").await;
    for n in 1..=100 {
        ada.say(&n.to_string()).await.unwrap();
    }
    let join = Join { history: Some(1), ..resume(&joined, 10) };
    let answer = house.client("bob").join("lobby", join).await.unwrap();
    assert!(answer.resumed);
    assert_eq!(answer.messages.len(), 90);
}

#[tokio::test(start_paused = true)]
async fn who_cannot_be_told_of_a_redaction_any_more_is_not_resumed() {
    let house = House::configured(|config| config.keep = 8).await;
    let ada = house.guest("ada").await;
    let joined = house.client("bob").enter("lobby").await;
    for n in 1..=8 {
        ada.say(&n.to_string()).await.unwrap();
    }
    // Bob has all eight and is away; the first is taken back, and trimmed by the ninth.
    ada.take_back(1).await.unwrap();
    ada.say("9").await.unwrap();
    let bob = house.client("bob");
    assert!(!bob.join("lobby", resume(&joined, 8)).await.unwrap().resumed);
    bob.leave("lobby");
    assert!(bob.join("lobby", resume(&joined, 9)).await.unwrap().resumed, "who was there knows");
}

#[tokio::test(start_paused = true)]
async fn a_resume_tells_what_was_taken_back_meanwhile() {
    let house = House::new().await;
    let ada = house.guest("ada").await;
    let joined = house.client("bob").enter("lobby").await;
    for n in 1..=4 {
        ada.say(&n.to_string()).await.unwrap();
    }
    for seq in [1, 2, 4] {
        ada.take_back(seq).await.unwrap();
    }
    let answer = house.client("bob").join("lobby", resume(&joined, 2)).await.unwrap();
    assert_eq!(describe(&answer), "resumed at 4 [ada bob] (3 4!) more taken back [1, 2]");
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_resumed_is_answered_like_a_plain_join() {
    let house = House::configured(|config| config.recent = 3).await;
    let ada = house.guest("ada").await;
    let here = house.client("bob").enter("lobby").await;
    let elsewhere = house.client("bob").enter("garden").await;
    for n in 1..=5 {
        ada.say(&n.to_string()).await.unwrap();
    }
    let plain = "joined at 5 [ada bob] (3 4 5) more";
    let answer = async |join| describe(&house.client("bob").join("lobby", join).await.unwrap());
    assert_eq!(answer(resume(&here, 2)).await, "resumed at 5 [ada bob] (3 4 5) more");
    assert_eq!(answer(resume(&here, 1)).await, plain, "too far back");
    assert_eq!(answer(resume(&here, 6)).await, plain, "beyond the newest");
    assert_eq!(answer(resume(&here, u64::MAX)).await, plain);
    assert_eq!(answer(resume(&elsewhere, 4)).await, plain, "of another room");
    let foreign = Join { resume: Some((Epoch::new(), 4)), ..Join::default() };
    assert_eq!(answer(foreign).await, plain, "of another life");
}

#[tokio::test(start_paused = true)]
async fn nobody_resumes_a_life_that_has_ended() {
    let house = House::new().await;
    let ada = house.client("ada");
    let joined = ada.enter("lobby").await;
    ada.say("one").await.unwrap();
    ada.leave("lobby");
    let answer = ada.join("lobby", resume(&joined, 1)).await.unwrap();
    assert_eq!(describe(&answer), "joined at 0 [ada]");
    assert_ne!(answer.epoch, joined.epoch);
    ada.say("of another life").await.unwrap();
    let answer = house.client("bob").join("lobby", resume(&joined, 0)).await.unwrap();
    assert_eq!(describe(&answer), "joined at 1 [ada bob] (1)");
}

#[tokio::test(start_paused = true)]
async fn a_resume_that_does_not_fit_is_none() {
    let house = House::configured(|config| config.send_burst = 1000).await;
    let ada = house.guest("ada").await;
    let joined = house.client("bob").enter("lobby").await;
    for _ in 0..80 {
        ada.session.publish(&lobby(), Post::new("x".repeat(4096))).await.unwrap();
        ada.told();
    }
    let answer = house.client("bob").join("lobby", resume(&joined, 70)).await.unwrap();
    assert!(answer.resumed);
    let answer = house.client("bob").join("lobby", resume(&joined, 10)).await.unwrap();
    assert!(!answer.resumed);
    assert_eq!(answer.messages.last().map(|message| message.seq), Some(80));
    assert!(answer.more);
}

#[tokio::test(start_paused = true)]
async fn what_was_taken_back_has_to_fit_into_a_resume_too() {
    let fit = 210;
    let house = House::configured(|config| {
        (config.body_bytes, config.data_bytes, config.meta_bytes) = (1, 0, 0);
        // The messages of an answer may take half of it but for a kilobyte; a number takes 21 bytes.
        config.reply_bytes = 2 * (fit * 21 + 1024);
        config.send_burst = 1000;
    })
    .await;
    let ada = house.guest("ada").await;
    let joined = house.client("bob").enter("lobby").await;
    let all = fit as u64 + 1;
    for _ in 1..=all {
        ada.say("x").await.unwrap();
    }
    for seq in 1..all {
        ada.take_back(seq).await.unwrap();
    }
    let answer = house.client("bob").join("lobby", resume(&joined, all)).await.unwrap();
    assert!(answer.resumed);
    assert_eq!(answer.redacted.len(), fit);
    ada.take_back(all).await.unwrap();
    let answer = house.client("bob").join("lobby", resume(&joined, all)).await.unwrap();
    assert!(!answer.resumed, "one too many");
}
