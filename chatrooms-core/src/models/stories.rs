//! What happens at the same time. Whatever order it happens in, every promise holds.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use futures_util::future::{join, join_all};
use shuttle::{
    future::{block_on, yield_now},
    thread::{self, JoinHandle},
};

use super::{
    explore,
    house::{House, LOBBY, pass},
};
use crate::{
    CloseReason, Draft, Error, EventKind, Identity, Join, Member, Post, RoomEvent, RoomName,
    RoomPolicy, Session, UserName, Watch,
    testing::{TestClient, room, user},
};

const P1: &str = "P1 atomic membership";
const P2: &str = "P2 a life is purged once, and no other";
const P3: &str = "P3 a join is one cut";
const P4: &str = "P4 one order, the same for all";
const P6: &str = "P6 users, not tabs";
const P7: &str = "P7 slow readers harm only themselves";
const P8: &str = "P8 no ghosts, and a deploy loses nothing";
const P9: &str = "P9 a shutdown is graceful";
const P10: &str = "P10 nothing is unbounded";
const RULES: &str = "H the host's rules hold";

/// Somebody who acts at the same time as everybody else.
fn go<T: Send + 'static>(
    house: &House,
    act: impl FnOnce(&House) -> T + Send + 'static,
) -> JoinHandle<T> {
    let house = house.clone();
    thread::spawn(move || act(&house))
}

fn done<T>(actor: JoinHandle<T>) -> T {
    actor.join().unwrap()
}

/// Comes into the lobby, says something and looks at what was said.
fn visits(house: &House, name: &str) -> TestClient {
    let client = house.guest(name);
    block_on(async {
        client.say(LOBBY, "hello").await.unwrap();
        client.history(LOBBY, None, 9).await.unwrap();
    });
    client
}

/// Either it is the same life, with what was said in it, or it is the next one and empty.
#[test]
fn the_last_leave_against_the_first_join() {
    explore(P2, 2, || {
        let house = House::new(|_| ());
        let ada = house.guest("ada");
        block_on(ada.say(LOBBY, "one")).unwrap();
        let goes = go(&house, move |_| {
            ada.leave(LOBBY).unwrap();
            ada
        });
        let comes = go(&house, |house| visits(house, "bob"));
        house.end([done(goes), done(comes)]);
    });
}

/// The same with as little as possible around it, so that more ways can be tried.
#[test]
fn the_last_leave_against_the_first_join_bit_by_bit() {
    explore(P2, 3, || {
        let house = House::prompt(|_| ());
        let lobby = room(LOBBY);
        let ada = house.session("ada");
        let first = block_on(ada.join(&lobby, Join::default())).unwrap().epoch;
        block_on(ada.publish(&lobby, Post::new("one"))).unwrap();
        let goes = go(&house, move |_| ada.leave(&room(LOBBY)).unwrap());
        let bob = house.session("bob");
        let cut = block_on(bob.join(&lobby, Join::default())).unwrap();
        assert_eq!(
            (cut.epoch == first, cut.seq, cut.messages.len() as u64),
            match cut.seq {
                1 => (true, 1, 1),
                _ => (false, 0, 0),
            }
        );
        let sent = block_on(bob.publish(&lobby, Post::new("two"))).unwrap();
        assert_eq!(sent.seq, cut.seq + 1);
        done(goes);
        let page = block_on(bob.history(&lobby, None, 9)).unwrap();
        assert_eq!(page.messages.len() as u64, sent.seq);
        drop(bob);
        house.end([]);
    });
}

/// What is said while its room ends is in the room that ends, or nowhere.
#[test]
fn a_message_against_a_purge() {
    explore(P2, 1, || {
        let house = House::new(|_| ());
        let ada = house.guest("ada");
        let says = go(&house, move |_| {
            let _ = block_on(ada.say(LOBBY, "one"));
            ada
        });
        let ends = go(&house, |house| {
            house.remove("ada", false);
            visits(house, "bob")
        });
        house.end([done(says), done(ends)]);
    });
}

/// A room ends and begins again and again while its store has not yet done what was asked of it before.
#[test]
fn a_slow_store_against_a_refill() {
    explore(P2, 1, || {
        let house = House::new(|_| ());
        let ada = house.guest("ada");
        block_on(ada.say(LOBBY, "one")).unwrap();
        let returns = go(&house, move |_| {
            ada.leave(LOBBY).unwrap();
            block_on(ada.join(LOBBY)).unwrap();
            block_on(ada.say(LOBBY, "two")).unwrap();
            ada
        });
        let passes = go(&house, |house| {
            let bob = visits(house, "bob");
            bob.leave(LOBBY).unwrap();
            bob
        });
        house.end([done(returns), done(passes)]);
    });
}

/// Whoever comes has everything that was said, once, in its cut or behind it.
#[test]
fn messages_against_a_join() {
    explore(P3, 3, || {
        let house = House::new(|_| ());
        let ada = house.guest("ada");
        let says = go(&house, move |_| {
            block_on(ada.say(LOBBY, "one")).unwrap();
            block_on(ada.say(LOBBY, "two")).unwrap();
            ada
        });
        let comes = go(&house, |house| house.guest("bob"));
        house.end([done(says), done(comes)]);
    });
}

/// Whoever comes is told of what was taken back, by its cut or behind it.
#[test]
fn a_redaction_against_a_join() {
    explore(P3, 3, || {
        let house = House::new(|_| ());
        let ada = house.guest("ada");
        block_on(ada.say(LOBBY, "one")).unwrap();
        let takes_back = go(&house, move |_| {
            block_on(ada.redact(LOBBY, 1)).unwrap();
            ada
        });
        let comes = go(&house, |house| house.guest("bob"));
        house.end([done(takes_back), done(comes)]);
    });
}

/// Nobody's message is left in the queue, and all are told in one order.
#[test]
fn two_who_speak_at_once() {
    explore(P4, 3, || {
        let house = House::new(|_| ());
        let [ada, bob] = ["ada", "bob"].map(|name| house.guest(name));
        let speak = [ada, bob].map(|client| {
            go(&house, move |_| {
                block_on(client.say(LOBBY, "one")).unwrap();
                client
            })
        });
        house.end(speak.map(done));
    });
}

/// A list of members is what somebody has been told before it, and what they are told behind it are the changes.
#[test]
fn a_list_of_members_against_those_who_come_and_go() {
    explore(P4, 2, || {
        let house = House::prompt(|_| ());
        let [ada, bob] = ["ada", "bob"].map(|name| house.guest(name));
        let goes = go(&house, move |_| {
            ada.leave(LOBBY).unwrap();
            ada
        });
        let comes = go(&house, |house| house.guest("cyd"));
        let asks = go(&house, move |_| {
            bob.session.ask_members(&room(LOBBY), None, None).unwrap();
            bob
        });
        let [ada, cyd, bob] = [done(goes), done(comes), done(asks)];
        house.rest();
        let (mut there, mut lists) = (BTreeSet::new(), 0);
        let names = |members: &[Arc<Member>]| -> BTreeSet<UserName> {
            members.iter().map(|member| member.user.clone()).collect()
        };
        for event in bob.events() {
            match event.kind() {
                EventKind::Joined(cut) => there = names(&cut.members),
                EventKind::Presence { joined, left } => {
                    there.retain(|user| !left.contains(user));
                    there.extend(names(joined));
                }
                EventKind::Members { page, .. } => {
                    assert_eq!(names(&page.members), there);
                    lists += 1;
                }
                other => panic!("{other:?}"),
            }
        }
        assert_eq!((lists, there), (1, ["bob", "cyd"].map(user).into()));
        house.end([ada, cyd, bob]);
    });
}

/// A watch is told everything from where it begins, wherever that is.
#[test]
fn a_watch_against_a_life() {
    explore(P3, 2, || {
        let house = House::new(|_| ());
        let watches = go(&house, |house| {
            let watch = house.registry.watch_all();
            (watch, visits(house, "bob"))
        });
        let lives = go(&house, |house| visits(house, "ada"));
        let (mut watch, bob) = done(watches);
        let ada = done(lives);
        house.rest();
        let end = house.clone();
        house.end([ada, bob]);
        end.registry.shared().watchers.close();
        let told = block_on(told(&mut watch));
        assert!(told.contains(&"bob".to_owned()), "{told:?}");
    });
}

/// Who came, as a watch was told; what it was told has to make sense.
async fn told(watch: &mut Watch) -> Vec<String> {
    let (mut there, mut came, mut head) = (Vec::new(), Vec::new(), None);
    while let Some(event) = watch.next().await {
        match event {
            RoomEvent::RoomFound { seq, members, .. } => {
                assert_eq!(head.replace(seq), None);
                there.extend(members.iter().map(|member| member.user.to_string()));
                came.clone_from(&there);
            }
            RoomEvent::RoomOpened { seq, .. } => assert_eq!(head.replace(seq), None),
            RoomEvent::UserJoined { member, .. } => {
                assert!(head.is_some() && !there.contains(&member.user.to_string()));
                there.push(member.user.to_string());
                came.push(member.user.to_string());
            }
            RoomEvent::Message { message, .. } => {
                assert_eq!(head.replace(message.seq), message.seq.checked_sub(1));
            }
            RoomEvent::UserLeft { user, .. } => {
                assert!(there.contains(&user.to_string()));
                there.retain(|one| *one != user.as_str());
            }
            RoomEvent::RoomClosed { .. } => {
                assert!(head.take().is_some() && there.is_empty());
            }
            other => panic!("{other:?}"),
        }
    }
    came
}

/// Whoever is let in is told to go, and nobody is in a room when the shutdown has ended.
#[test]
fn a_join_against_a_shutdown() {
    explore(P9, 3, || {
        let house = House::new(|_| ());
        let comes = go(&house, |house| {
            let Some(bob) = house.try_client("bob") else { return };
            let _ = block_on(bob.join(LOBBY));
            block_on(bob.session.outbox().closing());
        });
        let stops = go(&house, |house| block_on(house.registry.shutdown(Duration::from_secs(8))));
        let report = done(stops);
        assert_eq!((report.cut_off, report.unfinished_purges), (0, 0));
        done(comes);
        house.end([]);
    });
}

/// A life that the host ends just then has been purged when the shutdown has ended.
#[test]
fn a_kick_against_a_shutdown() {
    explore(P9, 2, || {
        let house = House::new(|_| ());
        let ada = house.guest("ada");
        let kicks = go(&house, |house| house.remove("ada", false));
        let goes = go(&house, |_| {
            block_on(ada.session.outbox().closing());
            drop(ada);
        });
        let report = block_on(house.registry.shutdown(Duration::from_secs(8)));
        assert_eq!((report.cut_off, report.unfinished_purges), (0, 0));
        done(kicks);
        done(goes);
        house.end([]);
    });
}

/// Whoever is banned is out when the ban has been spoken, and stays out.
#[test]
fn a_ban_against_a_join() {
    explore(RULES, 3, || {
        let house = House::prompt(|_| ());
        let bob = house.guest("bob");
        let comes = go(&house, |house| {
            let ada = house.client("ada");
            let _ = block_on(ada.join(LOBBY));
            ada
        });
        let bans = go(&house, |house| {
            house.remove("ada", true);
            assert_eq!(house.connections("ada"), 0);
        });
        done(bans);
        let ada = done(comes);
        assert_eq!(house.connections("ada"), 0);
        house.end([ada, bob]);
    });
}

/// A signal of somebody who is removed comes before their going is told, or not at all.
#[test]
fn a_signal_against_a_kick() {
    explore(RULES, 3, || {
        let house = House::prompt(|_| ());
        let [ada, bob] = ["ada", "bob"].map(|name| house.guest(name));
        bob.told();
        let signals = go(&house, move |_| {
            let signalled = ada.signal(LOBBY, "typing", None);
            (ada, signalled)
        });
        let kicks = go(&house, |house| house.remove("ada", false));
        let (ada, signalled) = done(signals);
        done(kicks);
        let heard: &[&str] = match signalled {
            Ok(()) => &["lobby: ada typing", "lobby: -ada"],
            Err(error) => {
                assert_eq!(error, Error::NotInRoom);
                &["lobby: -ada"]
            }
        };
        assert_eq!(bob.told(), heard);
        house.end([ada, bob]);
    });
}

/// Whoever is removed while the host is asked about what they say has not said it.
#[test]
fn a_kick_while_a_hook_is_asked() {
    explore(RULES, 2, || {
        let rules = Rules::default();
        let house = House::ruled(rules.clone());
        let [ada, bob] = ["ada", "bob"].map(|name| house.guest(name));
        let says = go(&house, move |_| {
            let said = block_on(ada.say(LOBBY, "one"));
            (ada, said)
        });
        let removed = rules.clone();
        let kicks = go(&house, move |house| {
            house.remove("ada", false);
            removed.is_imposed.store(true, Ordering::SeqCst);
        });
        let (ada, said) = done(says);
        done(kicks);
        if rules.was_imposed.load(Ordering::SeqCst) {
            assert_eq!(said, Err(Error::NotInRoom), "they were gone when the host had answered");
        }
        house.end([ada, bob]);
    });
}

/// Whoever is banned while the host is asked whether they may come does not.
#[test]
fn a_ban_while_a_hook_is_asked() {
    explore(RULES, 2, || {
        let rules = Rules::default();
        let house = House::ruled(rules.clone());
        let bob = house.guest("bob");
        let comes = go(&house, |house| {
            let ada = house.client("ada");
            let joined = block_on(ada.join(LOBBY)).map(drop);
            (ada, joined)
        });
        let banned = rules.clone();
        let bans = go(&house, move |house| {
            house.remove("ada", true);
            banned.is_imposed.store(true, Ordering::SeqCst);
        });
        let (ada, joined) = done(comes);
        done(bans);
        if rules.was_imposed.load(Ordering::SeqCst) {
            assert!(matches!(joined, Err(Error::Banned { .. })), "{joined:?}");
        }
        assert_eq!(house.connections("ada"), 0);
        house.end([ada, bob]);
    });
}

/// A host whose rules take their time, and see whether something was imposed on somebody meanwhile.
#[derive(Clone, Debug, Default)]
struct Rules {
    /// It has been by now.
    is_imposed: Arc<AtomicBool>,
    /// It had been when a hook had its answer.
    was_imposed: Arc<AtomicBool>,
}

impl Rules {
    async fn think(&self) {
        yield_now().await;
        self.was_imposed.store(self.is_imposed.load(Ordering::SeqCst), Ordering::SeqCst);
    }
}

#[async_trait]
impl RoomPolicy for Rules {
    async fn may_join(&self, _: &Identity, _: &RoomName) -> Result<(), Error> {
        self.think().await;
        Ok(())
    }

    async fn before_publish(
        &self,
        _: &Identity,
        _: &RoomName,
        draft: Draft,
    ) -> Result<Draft, Error> {
        self.think().await;
        Ok(draft)
    }
}

/// Whoever is kicked on the way in is in or out, and everybody is told the same.
#[test]
fn a_kick_against_a_join() {
    explore(P1, 2, || {
        let house = House::new(|_| ());
        let comes = go(&house, |house| {
            let ada = house.client("ada");
            block_on(ada.join(LOBBY)).unwrap();
            ada
        });
        let kicks = go(&house, |house| {
            let bob = house.guest("bob");
            house.remove("ada", false);
            bob
        });
        house.end([done(comes), done(kicks)]);
    });
}

/// A session that is ended is in no room, however late its joins run.
#[test]
fn the_end_of_a_session_against_its_joins() {
    explore(P1, 2, || end_against_joins(House::prompt(|_| ())));
}

/// The same while the rooms are being opened.
#[test]
fn the_end_of_a_session_against_its_slow_joins() {
    explore(P1, 1, || end_against_joins(House::new(|_| ())));
}

fn end_against_joins(house: House) {
    let ada = house.client("ada");
    let comes = go(&house, move |_| {
        let outcomes = block_on(join(ada.join(LOBBY), ada.join("garden")));
        let _ = block_on(ada.say(LOBBY, "one"));
        drop(outcomes);
        ada
    });
    let ends = go(&house, |house| {
        house.log_out("ada");
        assert_eq!(house.connections("ada"), 0);
    });
    done(ends);
    let ada = done(comes);
    assert_eq!((house.connections("ada"), ada.session.rooms().len()), (0, 0));
    house.end([ada]);
}

/// Two who end the same session both see it gone from all rooms when they are done.
#[test]
fn two_ends_of_one_session() {
    explore(P1, 3, || {
        let house = House::prompt(|_| ());
        let ada = house.session("ada");
        let _ = block_on(ada.join(&room(LOBBY), Join::default()));
        let ends = [CloseReason::LoggedOut, CloseReason::Moved].map(|reason| {
            go(&house, move |house| {
                house.registry.end_sessions(&user("ada"), &reason);
                assert_eq!(house.connections("ada"), 0);
            })
        });
        ends.into_iter().for_each(done);
        drop(ada);
        house.end([]);
    });
}

/// A session that joins a room twice at the same time is in it once.
#[test]
fn the_same_join_twice() {
    explore(P1, 3, || {
        let house = House::prompt(|_| ());
        let ada = Arc::new(house.session("ada"));
        let joins = [(); 2].map(|()| {
            let ada = Arc::clone(&ada);
            go(&house, move |_| block_on(ada.join(&room(LOBBY), Join::default())).map(drop))
        });
        let mut outcomes = joins.map(done);
        outcomes.sort_by_key(Result::is_err);
        assert_eq!(outcomes, [Ok(()), Err(Error::AlreadyInRoom)]);
        assert_eq!(house.connections("ada"), 1);
        drop(ada);
        house.end([]);
    });
}

/// A user comes once and goes once for everybody else, whatever their tabs do.
#[test]
fn tabs_that_come_and_go() {
    explore(P6, 2, || {
        let house = House::prompt(|_| ());
        let bob = house.guest("bob");
        let tabs = [(); 2].map(|()| house.guest("ada"));
        let go_away = tabs.map(|tab| go(&house, move |_| drop(tab)));
        let comes = go(&house, |house| house.guest("ada"));
        go_away.into_iter().for_each(done);
        house.end([done(comes), bob]);
    });
}

/// One place is given to one.
#[test]
fn two_for_one_place() {
    explore(P10, 2, || {
        let house = House::prompt(|config| {
            (config.members_per_room, config.sessions_per_user) = (1, 1);
        });
        let come = ["ada", "ada", "bob"].map(|name| {
            go(&house, move |house| {
                let session = house.try_session(name)?;
                let is_in = block_on(session.join(&room(LOBBY), Join::default())).is_ok();
                Some((session, is_in))
            })
        });
        let came: Vec<(Session, bool)> = come.map(done).into_iter().flatten().collect();
        assert_eq!(came.len(), 2, "each user has a session");
        assert_eq!(came.iter().filter(|(_, is_in)| *is_in).count(), 1);
        drop(came);
        house.end([]);
    });
}

/// Whoever comes back to a room that lingers comes in time or too late, and is never thrown out.
#[test]
fn a_return_against_the_end_of_a_linger() {
    explore(P8, 2, || {
        let house = House::prompt(|config| config.linger = Duration::from_secs(30));
        let ada = house.guest("ada");
        block_on(ada.say(LOBBY, "one")).unwrap();
        drop(ada);
        let runs_out = go(&house, |_| pass(Duration::from_secs(31)));
        let returns = go(&house, |house| {
            let bob = house.client("bob");
            // It has taken too long where the time passes just then.
            while block_on(bob.join(LOBBY)).is_err() {}
            let _ = block_on(bob.say(LOBBY, "two"));
            block_on(bob.history(LOBBY, None, 9)).unwrap();
            bob
        });
        let bob = done(returns);
        done(runs_out);
        house.rest();
        assert_eq!(house.connections("bob"), 1);
        bob.leave(LOBBY).unwrap();
        house.end([bob]);
    });
}

/// A session that is too slow is out of all rooms, those included that it was joining.
#[test]
fn the_end_of_a_slow_session_against_its_joins() {
    explore(P7, 3, || {
        let house = House::prompt(|config| config.outbox_frames = 2);
        let lobby = room(LOBBY);
        let [slow, quick] = ["slow", "quick"].map(|name| {
            let session = house.session(name);
            block_on(session.join(&lobby, Join::default())).unwrap();
            session
        });
        let talks = go(&house, move |_| {
            let lobby = room(LOBBY);
            for text in ["one", "two"] {
                quick.outbox().try_take(&mut Vec::new(), usize::MAX);
                block_on(quick.publish(&lobby, Post::new(text))).unwrap();
            }
            quick
        });
        let joins = go(&house, move |_| {
            let rooms = ["garden", "cellar"].map(room);
            block_on(join_all(rooms.iter().map(|room| slow.join(room, Join::default()))));
            slow
        });
        let (slow, quick) = (done(joins), done(talks));
        assert_eq!(slow.outbox().closed(), Some(CloseReason::SlowConsumer));
        assert_eq!((house.connections("slow"), slow.rooms().len()), (0, 0));
        assert_eq!(house.registry.stats().rooms, 1);
        drop((slow, quick));
        house.end([]);
    });
}
