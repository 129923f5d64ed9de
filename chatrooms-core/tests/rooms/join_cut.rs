//! P3: a join is one cut through members, messages and what follows.

use std::sync::Arc;

use chatrooms_core::{
    Data, Event, EventKind, Identity, Join, Outgoing, Post,
    testing::{Call, Fault},
};

use crate::kit::{Client, House, describe, lobby, meta, names, seqs, user};

#[tokio::test(start_paused = true)]
async fn what_a_join_returns_is_also_the_first_that_is_told() {
    let house = House::new().await;
    let ada = house.guest("ada").await;
    ada.say("one").await.unwrap();
    let mut bob = house.unrecorded("bob");
    let joined = bob.join("lobby", Join { tag: Some(7), ..Join::default() }).await.unwrap();
    assert_eq!(joined.tag, Some(7));
    ada.say("two").await.unwrap();
    let event = bob.session.next().await.unwrap();
    let EventKind::Joined(told) = event.kind() else { panic!("{event:?}") };
    assert!(Arc::ptr_eq(told, &joined));
    assert_eq!(describe(told), "joined at 1 [ada bob] (1)");
    assert_eq!(bob.told(), ["2 ada: two"]);
}

#[tokio::test(start_paused = true)]
async fn a_join_tells_who_is_first() {
    let house = House::new().await;
    let flags = async |client: &Client| {
        let joined = client.enter("lobby").await;
        (joined.first_in_room, joined.first_connection_of_user)
    };
    let (ada, other_tab, bob) = (house.client("ada"), house.client("ada"), house.client("bob"));
    assert_eq!(flags(&ada).await, (true, true));
    assert_eq!(flags(&other_tab).await, (false, false));
    assert_eq!(flags(&bob).await, (false, true));
}

#[tokio::test(start_paused = true)]
async fn a_join_brings_as_many_recent_messages_as_it_asks_for() {
    let house = House::configured(|config| config.history = 60).await;
    let ada = house.guest("ada").await;
    for n in 0..70 {
        ada.begin(&n.to_string()).await.wait().await.unwrap();
    }
    let joined = async |history| {
        let bob = house.client("bob");
        let joined = bob.join("lobby", Join { history, ..Join::default() }).await.unwrap();
        let seqs = seqs(&joined.messages);
        (seqs.first().copied(), seqs.last().copied(), seqs.len(), joined.more)
    };
    assert_eq!(joined(None).await, (Some(21), Some(70), 50, true));
    assert_eq!(joined(Some(0)).await, (None, None, 0, true));
    assert_eq!(joined(Some(3)).await, (Some(68), Some(70), 3, true));
    assert_eq!(joined(Some(usize::MAX)).await, (Some(11), Some(70), 60, true));
}

#[tokio::test(start_paused = true)]
async fn nothing_older_is_promised_where_nothing_older_is_kept() {
    let house = House::new().await;
    let ada = house.guest("ada").await;
    let bob = house.client("bob");
    assert_eq!(describe(&bob.enter("lobby").await), "joined at 0 [ada bob]");
    bob.leave("lobby");
    ada.say("one").await.unwrap();
    assert_eq!(describe(&bob.enter("lobby").await), "joined at 1 [ada bob] (1)");
}

#[tokio::test(start_paused = true)]
async fn the_meta_of_a_user_is_that_of_their_oldest_connection() {
    let house = House::new().await;
    let (old, young) = (house.client("ada"), house.client("ada"));
    old.join("lobby", meta("1")).await.unwrap();
    young.join("lobby", meta("2")).await.unwrap();
    let shown = || young.session.members(&lobby(), None).unwrap().members[0].meta.clone();
    assert_eq!(shown(), Some(Data::new("1")));
    old.leave("lobby");
    assert_eq!(shown(), Some(Data::new("2")));
}

#[tokio::test(start_paused = true)]
async fn joins_among_busy_senders_have_no_gap_and_no_duplicate() {
    let house = House::configured(|config| {
        (config.sends_per_second, config.joins_per_second) = (u32::MAX, u32::MAX);
    })
    .await;
    house.store.always(Call::Append, Fault::Slow(std::time::Duration::from_micros(700)));
    let mut senders = tokio::task::JoinSet::new();
    for name in ["ada", "bob", "eve", "joe"] {
        let sender = house.guest(name).await;
        senders.spawn(async move {
            for n in 0..250 {
                sender.say(&n.to_string()).await.unwrap();
                sender.told();
            }
        });
    }
    let mut joiners = Vec::new();
    for _ in 0..500 {
        let joiner = house.client("zoe");
        let joined = joiner.enter("lobby").await;
        assert_eq!(seqs(&joined.messages).last().copied().unwrap_or_default(), joined.seq);
        assert!(seqs(&joined.messages).is_sorted_by(|a, b| a + 1 == *b));
        joiners.push((joiner, joined.seq));
        if joiners.len() == 50 {
            let (joiner, seq) = joiners.remove(0);
            check_tail(&joiner, seq);
        }
        tokio::time::sleep(std::time::Duration::from_micros(900)).await;
    }
    while senders.join_next().await.transpose().unwrap().is_some() {}
    for (joiner, seq) in joiners {
        assert_eq!(check_tail(&joiner, seq), 1000);
    }
}

/// Checks that messages go on from the join, one by one; returns the last one's number.
fn check_tail(joiner: &Client, mut seq: u64) -> u64 {
    let mut batch = Vec::new();
    joiner.session.outbox().try_take(&mut batch, usize::MAX);
    for event in batch.iter().flat_map(Outgoing::events) {
        if let EventKind::Message(message) = event.kind() {
            assert_eq!(message.seq, seq + 1);
            seq = message.seq;
        }
    }
    seq
}

#[tokio::test(start_paused = true)]
async fn an_answer_stays_within_its_bound_however_much_there_is() {
    let house = House::configured(|config| {
        config.sends_per_second = 1000;
        config.send_burst = 1000;
        config.presence_exact = 0;
        config.history = 1000;
        config.recent = 1000;
    })
    .await;
    let mut members = Vec::new();
    for n in 0..300 {
        let name = "\u{1}".repeat(256);
        let who = Identity::new(user(&format!("{n:03}{}", "\"".repeat(61)))).display_name(&name);
        let client = Client::with_identity(&house.registry, who);
        let large = Data::new("1".repeat(1024));
        client
            .join("lobby", Join { meta: Some(large), history: Some(0), ..Join::default() })
            .await
            .unwrap();
        members.push(client);
        members.iter().for_each(|client| drop(client.told()));
    }
    for n in 0..60 {
        let post = Post::new("\u{1}".repeat(4096)).data(Some(Data::new("1".repeat(4096))));
        members[n].session.publish(&lobby(), post).await.unwrap();
        members.iter().for_each(|client| drop(client.told()));
    }
    tokio::time::sleep(crate::kit::secs(2)).await;
    let last = house.unrecorded("~zoe");
    let join = Join { history: Some(1000), ..Join::default() };
    let joined = last.join("lobby", join).await.unwrap();
    assert!(joined.members_more && joined.more);
    assert_eq!(joined.members[0].user, user("~zoe"), "oneself is always among them");
    assert!(joined.members.len() > 20 && joined.messages.len() > 3, "{}", describe(&joined));
    assert_eq!(joined.messages.last().map(|message| message.seq), Some(60));
    let limit = house.registry.config().reply_bytes;
    assert!(cost_of_first(&last) <= limit);

    let page = last.session.history(&lobby(), None, 1000).await.unwrap();
    assert!(page.more && page.messages.len() >= 7);
    let mut seen = Vec::new();
    let mut after = None;
    loop {
        let page = last.session.members(&lobby(), after.as_ref()).unwrap();
        seen.extend(names(&page.members));
        after = page.members.last().map(|member| member.user.clone());
        if !page.more {
            break;
        }
    }
    assert_eq!(seen.len(), 301);
    assert!(seen.is_sorted());
    last.session.ask_members(&lobby(), None, None).unwrap();
    assert!(cost_of_first(&last) <= limit);
}

fn cost_of_first(client: &Client) -> usize {
    let mut batch = Vec::new();
    client.session.outbox().try_take(&mut batch, 1);
    let [Outgoing::Event(event)] = &batch[..] else { panic!("{batch:?}") };
    Event::cost(event)
}

#[tokio::test(start_paused = true)]
async fn members_that_are_asked_for_come_in_order_with_who_comes_and_goes() {
    let house = House::new().await;
    let ada = house.guest("ada").await;
    let bob = house.guest("bob").await;
    ada.session.ask_members(&lobby(), None, Some(4)).unwrap();
    drop(bob);
    ada.session.ask_members(&lobby(), None, Some(5)).unwrap();
    assert_eq!(ada.told(), ["+bob", "members [ada bob]", "-bob", "members [ada]"]);
    ada.leave("lobby");
    assert!(ada.session.ask_members(&lobby(), None, None).is_err());
}

#[tokio::test(start_paused = true)]
async fn history_goes_back_page_by_page_and_never_beyond_what_was_told() {
    let house = House::new().await;
    let ada = house.guest("ada").await;
    for n in 1..=7 {
        ada.say(&n.to_string()).await.unwrap();
    }
    let page = async |before, limit| {
        let page = ada.session.history(&lobby(), before, limit).await.unwrap();
        (seqs(&page.messages), page.more)
    };
    assert_eq!(page(None, 3).await, (vec![5, 6, 7], true));
    assert_eq!(page(Some(5), 3).await, (vec![2, 3, 4], true));
    assert_eq!(page(Some(2), 3).await, (vec![1], false));
    assert_eq!(page(Some(1), 3).await, (vec![], false));
    assert_eq!(page(Some(u64::MAX), 1).await, (vec![7], true));
    assert_eq!(page(None, 0).await, (vec![7], true), "one at least");

    house.store.next(Call::Append, Fault::HangAfter);
    let _never = ada.begin("stored, not told").await;
    assert_eq!(page(None, 1).await, (vec![7], true));
}
