//! P6 in large rooms: above a bound, comings and goings are told in rounds, net.

use std::collections::BTreeSet;

use chatrooms_core::{EventKind, Members, Outgoing, UserName};

use crate::kit::{Client, House, describe, lobby, millis, names, secs};

/// A house where rooms of more than three users tell their presence in rounds of a second.
async fn house() -> House {
    House::configured(|config| config.presence_exact = 3).await
}

async fn guests<const N: usize>(house: &House, all: [&str; N]) -> [Client; N] {
    let mut guests = Vec::new();
    for name in all {
        guests.push(house.guest(name).await);
    }
    guests.iter().for_each(|guest| drop(guest.told()));
    guests.try_into().ok().unwrap()
}

async fn next_round() {
    tokio::time::sleep(millis(1001)).await;
}

#[tokio::test(start_paused = true)]
async fn up_to_the_bound_everything_is_told_at_once() {
    let house = house().await;
    let [ada, _bob] = guests(&house, ["ada", "bob"]).await;
    let eve = house.guest("eve").await;
    assert_eq!(ada.told(), ["+eve"]);
    drop(eve);
    assert_eq!(ada.told(), ["-eve"]);
}

#[tokio::test(start_paused = true)]
async fn above_the_bound_comings_and_goings_are_told_in_rounds() {
    let house = house().await;
    let [ada, bob, _eve] = guests(&house, ["ada", "bob", "eve"]).await;
    let joe = house.client("joe");
    assert_eq!(describe(&joe.enter("lobby").await), "joined at 0 [ada bob eve joe]");
    joe.told();
    let kim = house.client("kim");
    assert_eq!(
        describe(&kim.enter("lobby").await),
        "joined at 0 [ada bob eve kim]",
        "the list as last told, and oneself"
    );
    kim.told();
    drop(bob);
    assert_eq!(ada.told(), [""; 0]);
    tokio::time::sleep(millis(998)).await;
    assert_eq!(ada.told(), [""; 0]);
    tokio::time::sleep(millis(3)).await;
    assert_eq!(ada.told(), ["+joe +kim -bob"]);
    assert_eq!(joe.told(), ["+joe +kim -bob"], "a client ignores itself there");
    assert_eq!(kim.told(), ["+joe +kim -bob"]);
    next_round().await;
    assert_eq!(ada.told(), [""; 0], "a round without news is none");
}

#[tokio::test(start_paused = true)]
async fn who_comes_and_goes_within_a_round_is_not_told_at_all() {
    let house = house().await;
    let [ada, bob, _eve, _joe, _max] = guests(&house, ["ada", "bob", "eve", "joe", "max"]).await;
    next_round().await;
    ada.told();
    drop(house.guest("kim").await);
    bob.leave("lobby");
    let list = house.client("zoe");
    assert_eq!(
        describe(&list.enter("lobby").await),
        "joined at 0 [ada bob eve joe max zoe]",
        "who has left stands there until that is told"
    );
    bob.enter("lobby").await;
    next_round().await;
    assert_eq!(ada.told(), ["+zoe"]);
}

#[tokio::test(start_paused = true)]
async fn falling_to_the_bound_tells_at_once_what_was_waiting() {
    let house = house().await;
    let [ada, bob, _eve] = guests(&house, ["ada", "bob", "eve"]).await;
    let joe = house.guest("joe").await;
    assert_eq!(ada.told(), [""; 0]);
    drop(bob);
    assert_eq!(ada.told(), ["+joe -bob"]);
    assert_eq!(joe.told(), ["+joe -bob"]);
    next_round().await;
    assert_eq!((ada.told(), joe.told()), (vec![], vec![]));
    let kim = house.guest("kim").await;
    assert_eq!(ada.told(), [""; 0], "above the bound again");
    drop(kim);
    assert_eq!(ada.told(), [""; 0]);
    drop(joe);
    assert_eq!(ada.told(), ["-joe"]);
}

fn looked_at(client: &Client, after: Option<&UserName>) -> Members {
    client.session.members(&lobby(), after).unwrap()
}

/// In one order with what is told of the room.
fn asked_for(client: &Client, after: Option<&UserName>) -> Members {
    client.session.ask_members(&lobby(), after, None).unwrap();
    let mut told = Vec::new();
    client.session.outbox().try_take(&mut told, usize::MAX);
    let [Outgoing::Event(event)] = &told[..] else { panic!("one answer: {told:?}") };
    let EventKind::Members { page, .. } = event.kind() else { panic!("a page: {event:?}") };
    page.clone()
}

#[tokio::test(start_paused = true)]
async fn members_are_paged_as_they_were_told_and_with_oneself() {
    let house = House::configured(|config| {
        config.presence_exact = 3;
        config.meta_bytes = 0;
        config.body_bytes = 0;
        config.data_bytes = 0;
        config.reply_bytes = 0;
    })
    .await;
    let mut others = Vec::new();
    for n in 100..400 {
        let name = format!("{n} {}", "long".repeat(15));
        others.push(house.guest(&name).await);
        others.iter().for_each(|guest| drop(guest.told()));
    }
    next_round().await;
    drop(others.remove(0));
    let zoe = house.unrecorded("zoe");
    let joined = zoe.enter("lobby").await;
    assert!(joined.members_more);
    assert_eq!(names(&joined.members)[0], "zoe");
    zoe.told();
    for page_after in [looked_at, asked_for] {
        let mut all = Vec::new();
        let mut more = true;
        while more {
            let after = all.last().map(|name: &String| crate::kit::user(name));
            let page = page_after(&zoe, after.as_ref());
            more = page.more;
            all.extend(names(&page.members));
        }
        assert_eq!(all.len(), 301, "the one who has left is still on it, and oneself");
        assert!(all.is_sorted());
        assert_eq!(all.last().map(String::as_str), Some("zoe"));
    }
}

#[tokio::test(start_paused = true)]
async fn news_that_are_too_many_for_one_frame_come_in_several() {
    let house = House::configured(|config| {
        config.presence_exact = 0;
        config.meta_bytes = 0;
        config.body_bytes = 0;
        config.data_bytes = 0;
        config.reply_bytes = 0;
    })
    .await;
    let ada = house.guest("ada").await;
    next_round().await;
    ada.told();
    let mut others = Vec::new();
    for n in 100..400 {
        others.push(house.guest(&format!("{n} {}", "long".repeat(15))).await);
    }
    next_round().await;
    let told = ada.told();
    assert!(told.len() > 1);
    assert_eq!(told.iter().map(|frame| frame.matches('+').count()).sum::<usize>(), 300);
    drop(others);
    assert!(ada.told().is_empty());
    next_round().await;
    assert_eq!(ada.told().join(" ").matches('-').count(), 300);
}

#[tokio::test(start_paused = true)]
async fn everybodys_list_comes_true_whatever_happens_around_the_bound() {
    let house = house().await;
    let mut seed = 7_u64;
    let mut random = move |below: u64| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) % below
    };
    let mut here: Vec<Viewer> = Vec::new();
    for _ in 0..3_000 {
        match random(5) {
            0 | 1 if here.len() < 12 => {
                here.push(Viewer::enter(&house, &format!("user {}", random(7))).await);
            }
            2 | 3 if !here.is_empty() => {
                here.swap_remove(random(here.len() as u64) as usize);
            }
            _ => tokio::time::sleep(millis(random(1500))).await,
        }
        here.iter_mut().for_each(Viewer::read);
    }
    tokio::time::sleep(secs(2)).await;
    let everybody: BTreeSet<_> = here.iter().map(Viewer::name).collect();
    for viewer in &mut here {
        viewer.read();
        assert_eq!(viewer.list, everybody, "{}'s list", viewer.name());
    }
}

/// A client that keeps a list of members as the protocol says.
struct Viewer {
    client: Client,
    list: BTreeSet<String>,
}

impl Viewer {
    async fn enter(house: &House, name: &str) -> Self {
        let client = house.unrecorded(name);
        client.enter("lobby").await;
        Self { client, list: BTreeSet::new() }
    }

    fn name(&self) -> String {
        self.client.session.identity().user().to_string()
    }

    fn read(&mut self) {
        let mut batch = Vec::new();
        self.client.session.outbox().try_take(&mut batch, usize::MAX);
        for event in batch.iter().flat_map(Outgoing::events) {
            match event.kind() {
                EventKind::Joined(joined) => {
                    self.list =
                        joined.members.iter().map(|member| member.user.to_string()).collect();
                    assert_eq!(self.list.len(), joined.members.len());
                }
                EventKind::Presence { joined, left } => self.apply(
                    joined.iter().map(|member| member.user.to_string()).collect(),
                    left.iter().map(ToString::to_string).collect(),
                ),
                _ => {}
            }
        }
    }

    /// For each user but oneself, the two alternate.
    fn apply(&mut self, joined: Vec<String>, left: Vec<String>) {
        let me = self.name();
        assert!(joined.iter().all(|user| !left.contains(user)));
        for user in joined.into_iter().filter(|user| *user != me) {
            assert!(self.list.insert(user.clone()), "{user} joined twice");
        }
        for user in left.into_iter().filter(|user| *user != me) {
            assert!(self.list.remove(&user), "{user} left without having joined");
        }
    }
}
