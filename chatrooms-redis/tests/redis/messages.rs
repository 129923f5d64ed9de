//! What is said: one order, kept once.

use std::time::Duration;

use chatrooms_core::{
    Appended, Budget, Cluster, Data, Draft, EdgeKind, Life, Nonce, People, Redaction, StoreError,
};
use chatrooms_redis::RedisCluster;
use tokio::time::Instant;

use crate::support::{ALL, Server, bodies, draft, edges, enter, known, room, say, user};

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(10)
}

async fn append(node: &RedisCluster, life: &Life, drafts: Vec<Draft>) -> Vec<Appended> {
    let results = node.append(life, drafts, soon()).await;
    results.into_iter().map(Result::unwrap).collect()
}

fn short(results: &[Appended]) -> String {
    let short = results.iter().map(|result| match result {
        Appended::Stored { message, .. } => format!("{}", message.seq),
        Appended::Duplicate { seq, .. } => format!("={seq}"),
    });
    short.collect::<Vec<_>>().join(" ")
}

#[tokio::test]
async fn messages_of_all_nodes_have_one_dense_order() {
    let server = Server::start().await;
    let nodes = [server.node().await, server.node().await, server.node().await];
    let life = enter(&nodes[0], "ada").await.0.life;
    let tasks: Vec<_> = (0..90)
        .map(|n| {
            let (node, life) = (nodes[n % 3].clone(), life.clone());
            tokio::spawn(async move { say(&node, &life, draft("ada", &format!("-{n}"))).await })
        })
        .collect();
    let mut places = Vec::new();
    for task in tasks {
        places.push(task.await.unwrap());
    }
    let read = nodes[1].read_after(&life, 0, ALL).await.unwrap().messages;
    for (n, seq) in places.iter().enumerate() {
        let at = usize::try_from(*seq).unwrap() - 1;
        assert_eq!(*read[at].draft.body, format!("-{n}"));
    }
    places.sort_unstable();
    assert_eq!(places, (1..=90).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_message_is_read_as_it_was_written() {
    let server = Server::start().await;
    let (a, b) = (server.node().await, server.node().await);
    let life = enter(&a, "ada").await.0.life;
    let full = Draft {
        user: Some(user("käse {3:x}")),
        name: Some("Ada L.".into()),
        body: "-\n5:abc\u{1F600}".into(),
        data: Some(Data::new("{\"a\":[1,2]}")),
        nonce: Nonce::new("n:1"),
    };
    let hosts = Draft { user: None, name: None, body: "".into(), data: None, nonce: None };
    let written = append(&a, &life, vec![full.clone(), hosts.clone()]).await;
    let read = b.read_before(&life, None, ALL).await.unwrap().messages;
    assert_eq!(read.iter().map(|message| &message.draft).collect::<Vec<_>>(), [&full, &hosts]);
    let Appended::Stored { message, oldest: 1 } = &written[0] else { panic!("{written:?}") };
    assert_eq!(**message, *read[0], "its time and number, too");
}

#[tokio::test]
async fn a_nonce_is_kept_once_on_all_nodes_and_in_one_batch() {
    let server = Server::start().await;
    let (a, b) = (server.node().await, server.node().await);
    let life = enter(&a, "ada").await.0.life;
    let marked = |name: &str, body: &str| Draft { nonce: Nonce::new("n"), ..draft(name, body) };
    let results =
        append(&a, &life, vec![marked("ada", "one"), marked("ada", "two"), draft("ada", "x")])
            .await;
    assert_eq!(short(&results), "1 =1 2");
    let again = append(&b, &life, vec![marked("ada", "three"), marked("bob", "four")]).await;
    assert_eq!(short(&again), "=1 3");
    let Appended::Duplicate { at, .. } = again[0] else { panic!("{again:?}") };
    let Appended::Stored { message, .. } = &results[0] else { panic!("{results:?}") };
    assert_eq!(at, message.at);
    // What the host says without a user has none.
    let hosts = || Draft { user: None, ..marked("ada", "host") };
    assert_eq!(short(&append(&a, &life, vec![hosts(), hosts()]).await), "4 5");
    // Two texts that would run together.
    let one = Draft { nonce: Nonce::new("ab"), ..draft("x", "") };
    let other = Draft { nonce: Nonce::new("b"), ..draft("xa", "") };
    assert_eq!(short(&append(&a, &life, vec![one, other]).await), "6 7");
}

#[tokio::test]
async fn pages_are_gap_free_in_both_directions() {
    let server = Server::start().await;
    let node = server.node().await;
    let life = enter(&node, "ada").await.0.life;
    let drafts = (1..=10).map(|_| draft("ada", "")).collect();
    append(&node, &life, drafts).await;
    let two = Budget { messages: 2, bytes: usize::MAX };
    let before = async |before, budget| {
        let page = node.read_before(&life, before, budget).await.unwrap();
        (bodies(&page.messages), page.more)
    };
    let after = async |after, budget| {
        let page = node.read_after(&life, after, budget).await.unwrap();
        (bodies(&page.messages), page.more)
    };
    assert_eq!(before(None, two).await, ("9 10".into(), true));
    assert_eq!(before(Some(3), two).await, ("1 2".into(), false));
    assert_eq!(before(Some(1), two).await, (String::new(), false));
    assert_eq!(before(Some(u64::MAX >> 12), two).await, ("9 10".into(), true));
    assert_eq!(after(0, two).await, ("1 2".into(), true));
    assert_eq!(after(8, two).await, ("9 10".into(), false));
    assert_eq!(after(10, two).await, (String::new(), false));
    let tiny = Budget { messages: 5, bytes: 0 };
    assert_eq!(after(4, tiny).await, ("5".into(), true), "one fits always");
    let none = Budget { messages: 0, bytes: 100 };
    assert_eq!(before(None, none).await, (String::new(), true));
}

#[tokio::test]
async fn trimming_takes_the_oldest_and_frees_their_nonces() {
    let server = Server::start().await;
    let node = server.node().await;
    let (entered, _) = enter(&node, "ada").await;
    let life = entered.life.clone();
    let marked = |n: usize| Draft { nonce: Nonce::new(&n.to_string()), ..draft("ada", "") };
    append(&node, &life, (1..=2500).map(marked).collect()).await;
    node.redact(&life, 3, None, None).await.unwrap();
    node.trim(&life, 2498).await.unwrap();
    let page = node.read_before(&life, None, ALL).await.unwrap();
    assert_eq!((bodies(&page.messages), page.more), ("2499 2500".into(), false));
    let results = node.append(&life, vec![marked(7), marked(2499)], soon()).await;
    let Ok(Appended::Stored { message, oldest }) = &results[0] else { panic!("{results:?}") };
    assert_eq!((message.seq, *oldest), (2501, 2499));
    assert!(matches!(results[1], Ok(Appended::Duplicate { seq: 2499, .. })), "{results:?}");
    // Who has not read them cannot go on from there.
    let seen = known(&life, &entered.news, None);
    let lost = node.news(&room("tea"), &seen, ALL).await;
    assert!(matches!(lost, Err(chatrooms_core::ClusterError::Lost)), "{lost:?}");
    node.trim(&life, 1_000_000).await.unwrap();
    assert_eq!(say(&node, &life, draft("ada", "")).await, 2502, "numbers go on");
}

#[tokio::test]
async fn a_redacted_message_says_nothing_anywhere_and_keeps_its_place() {
    let server = Server::start().await;
    let (a, b) = (server.node().await, server.node().await);
    let (entered, _) = enter(&a, "ada").await;
    let life = &entered.life;
    let secret = Draft {
        nonce: Nonce::new("n"),
        data: Some(Data::new("\"secret\"")),
        ..draft("ada", "secret")
    };
    append(&a, life, vec![secret.clone(), draft("bob", "b")]).await;
    let (ada, bob) = (user("ada"), user("bob"));
    assert_eq!(b.redact(life, 1, Some(&bob), None).await.unwrap(), Redaction::NotAuthor);
    assert_eq!(b.redact(life, 9, None, None).await.unwrap(), Redaction::NotFound);
    assert_eq!(b.redact(life, 1, Some(&ada), Some(&ada)).await.unwrap(), Redaction::Done);
    assert_eq!(a.redact(life, 1, None, None).await.unwrap(), Redaction::Already);
    assert_eq!(a.redact(life, 2, None, None).await.unwrap(), Redaction::Done);
    let read = a.read_after(life, 0, ALL).await.unwrap().messages;
    assert!(read[0].redacted && read[0].draft.body.is_empty() && read[0].draft.data.is_none());
    assert_eq!(read[0].draft.nonce, Nonce::new("n"));
    assert_eq!(short(&append(&a, life, vec![secret]).await), "=1");
    let news = b.news(&room("tea"), &known(life, &entered.news, None), ALL).await.unwrap();
    assert_eq!(edges(&news), "2~1:ada 3~2:host");
    let (late, _) = enter(&b, "eve").await;
    let People::All { redacted, .. } = late.news.people else { panic!("{late:?}") };
    assert_eq!(redacted, [1, 2]);
    for key in server.keys_of_rooms() {
        let all = server.ask(&["HGETALL", &key]);
        assert!(!all.is_empty() && !all.contains("secret"), "{key} still has it");
    }
}

/// What is told of messages comes in pages, what is told of edges never goes ahead of them.
#[tokio::test]
async fn no_redaction_is_told_before_its_message() {
    let server = Server::start().await;
    let node = server.node().await;
    let (entered, _) = enter(&node, "ada").await;
    let life = &entered.life;
    for seq in 1..=4 {
        say(&node, life, draft("ada", "")).await;
        node.redact(life, seq, None, None).await.unwrap();
    }
    let mut seen = known(life, &entered.news, None);
    let two = Budget { messages: 2, bytes: usize::MAX };
    for (messages, told, more) in
        [("1 2", "2~1:host 3~2:host", true), ("3 4", "4~3:host 5~4:host", false), ("", "", false)]
    {
        let news = node.news(&room("tea"), &seen, two).await.unwrap();
        assert_eq!(
            (bodies(&news.messages), edges(&news), news.more),
            (messages.into(), told.into(), more)
        );
        seen = known(life, &news, Some(seen));
    }
}

#[tokio::test]
async fn each_edge_says_after_which_message_it_stands() {
    let server = Server::start().await;
    let node = server.node().await;
    let (entered, _) = enter(&node, "ada").await;
    say(&node, &entered.life, draft("ada", "")).await;
    say(&node, &entered.life, draft("ada", "")).await;
    enter(&node, "bob").await;
    let news =
        node.news(&room("tea"), &known(&entered.life, &entered.news, None), ALL).await.unwrap();
    let People::Changed(edges) = news.people else { panic!("{news:?}") };
    assert!(
        matches!(&edges[..], [edge] if edge.seq == 2 && matches!(edge.kind, EdgeKind::Entered(_)))
    );
}

#[tokio::test]
async fn what_has_not_begun_at_its_deadline_is_withdrawn() {
    let server = Server::start().await;
    let node = server.node().await;
    let life = enter(&node, "ada").await.0.life;
    let late = node.append(&life, vec![draft("ada", ""); 2], Instant::now()).await;
    assert!(late.iter().all(|one| matches!(one, Err(StoreError::Unavailable { .. }))), "{late:?}");
    assert_eq!(late.len(), 2);
    assert_eq!(say(&node, &life, draft("ada", "")).await, 1);
}

#[tokio::test]
async fn a_batch_of_thousands_goes_at_once() {
    let server = Server::start().await;
    let node = server.node().await;
    let life = enter(&node, "ada").await.0.life;
    let results = append(&node, &life, vec![draft("ada", "x"); 5000]).await;
    assert!(matches!(&results[4999], Appended::Stored { message, .. } if message.seq == 5000));
}
