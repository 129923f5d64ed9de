//! Runs in which everything is right, and those of which nothing can be told.

use super::{
    super::{Outcome, Request, check},
    kit::{Play, cut, cut_in, life, message, nonce, user, with_nonce},
};
use crate::{Joined, Members, Page, sync::Arc};

#[test]
fn a_good_run_passes() {
    let play = Play::complete();
    let (ada, bob, tab) = (play.socket("ada"), play.actor("bob"), play.actor("bob"));
    ada.joins(cut(0, &["ada"]));
    ada.says_and_hears("one", 1);
    bob.joins(cut_in(life(1), 1, vec![message(1, "ada", "one")], &["ada", "bob"]));
    ada.sees(&["bob"], &[]);
    tab.joins(cut(1, &["ada", "bob*2"]));
    let call = bob.begins_to_send(nonce(bob.draft("two"), "n"));
    bob.is_accepted(call, 2);
    let two = || with_nonce(message(2, "bob", "two"), "n");
    [&ada, &bob, &tab].iter().for_each(|actor| actor.hears(two()));
    let again = tab.begins_to_send(nonce(tab.draft("two"), "n"));
    tab.witness.answered(again, Outcome::Sent { seq: 2, duplicate: true });
    tab.leaves();
    ada.lists(&["ada", "bob"], false);
    ada.takes_back(1);
    bob.is_told_redacted(1);
    bob.reads(None, vec![message(1, "ada", "one").redact(), two()]);
    [&ada, &bob].iter().for_each(|actor| actor.settled());
    bob.leaves();
    ada.sees(&[], &["bob"]);
    tab.resumes(1, {
        let mut resumed = cut_in(life(1), 2, vec![two()], &["ada", "bob"]);
        (resumed.resumed, resumed.redacted) = (true, vec![1]);
        resumed
    });
    ada.sees(&["bob"], &[]);
    play.host().removes("bob");
    tab.is_removed();
    ada.sees(&[], &["bob"]);
    ada.settled();
    ada.leaves();
    ada.joins(cut_in(life(2), 0, vec![], &["ada"]));
    ada.bye("moved");
    ada.ends("moved");
    let judged = check(&play.run.trace()).unwrap();
    assert_eq!((judged.lives, judged.connections, judged.messages), (2, 5, 2));
}

#[test]
fn nothing_is_a_good_run() {
    assert_eq!(Play::complete().verdict(), []);
}

/// Requests that overlap may have been done either way.
#[test]
fn what_happens_at_the_same_time_may_happen_either_way() {
    let play = Play::complete();
    let (ada, bob) = (play.actor("ada"), play.actor("bob"));
    ada.joins(cut(0, &["ada"]));
    let (joining, saying) = (bob.asks_to_join(), ada.begins_to_say("one"));
    ada.is_accepted(saying, 1);
    bob.is_let_in(joining, cut(0, &["ada", "bob"]));
    bob.hears(message(1, "ada", "one"));
    ada.hears(message(1, "ada", "one"));
    ada.sees(&["bob"], &[]);
    let leaving = ada.witness.asks(Request::Leave { room: super::kit::lobby() });
    let coming = ada.at("garden").asks_to_join();
    ada.at("garden").is_let_in(coming, cut_in(life(2), 0, vec![], &["ada"]));
    bob.lists(&["ada", "bob"], false);
    ada.witness.answered(leaving, Outcome::Done);
    bob.sees(&[], &["ada"]);
    assert_eq!(play.verdict(), []);
}

#[test]
fn what_was_never_answered_may_have_been_done_or_not() {
    for shown in [true, false] {
        let play = Play::complete();
        let (ada, bob) = (play.actor("ada"), play.actor("bob"));
        ada.joins(cut(0, &["ada"]));
        let _dropped = ada.begins_to_say("one");
        let _cancelled = bob.asks_to_join();
        if shown {
            ada.hears(message(1, "ada", "one"));
            ada.sees(&["bob"], &[]);
        }
        ada.settled();
        assert_eq!(play.verdict(), []);
    }
}

/// One of two may have been the one that is there, whichever is looked at first.
#[test]
fn of_several_of_unknown_outcome_each_is_counted_for_one_message() {
    let play = Play::complete();
    let ada = play.actor("ada");
    ada.joins(cut(0, &["ada"]));
    let early = ada.begins_to_say("x");
    ada.leaves();
    ada.joins(cut_in(life(2), 0, vec![], &["ada"]));
    let _late = ada.begins_to_say("x");
    ada.hears(message(1, "ada", "x"));
    ada.leaves();
    ada.joins(cut_in(life(3), 0, vec![], &["ada"]));
    ada.hears(message(1, "ada", "x"));
    ada.witness.answered(early, Outcome::Unknown);
    assert_eq!(play.verdict(), []);
}

#[test]
fn somebody_who_was_lost_may_be_there_a_little_longer() {
    let play = Play::complete();
    let (ada, bob) = (play.socket("ada"), play.actor("bob"));
    ada.joins(cut(0, &["ada"]));
    ada.ends("heartbeat_timeout");
    bob.joins(cut(0, &["ada", "bob"]));
    bob.sees(&[], &["ada"]);
    bob.settled();
    assert_eq!(play.verdict(), []);
}

#[test]
fn who_was_let_go_may_come_back_to_a_room_that_lingers() {
    let play = Play::complete();
    let (ada, bob) = (play.actor("ada"), play.actor("bob"));
    ada.witness.introduce(user("ada"), false, |bounds| bounds.lingers = true);
    ada.joins(cut(0, &["ada"]));
    let ending = ada.witness.asks(Request::End);
    ada.ends("shutting_down");
    ada.witness.answered(ending, Outcome::Done);
    bob.joins(cut(0, &["bob"]));
    assert_eq!(play.verdict(), []);
}

/// A room of which ten messages are kept, and answers of three.
#[test]
fn what_has_been_trimmed_need_not_be_shown() {
    let play = Play::complete();
    let (ada, bob) = (play.actor("ada"), play.actor("bob"));
    ada.joins(cut(0, &["ada"]));
    for seq in 1..=12 {
        let draft = if seq % 11 == 1 { nonce(ada.draft("x"), "n") } else { ada.draft("x") };
        ada.is_accepted(ada.begins_to_send(draft), seq);
        let is = message(seq, "ada", "x");
        ada.hears(if seq % 11 == 1 { with_nonce(is, "n") } else { is });
    }
    ada.reads(Some(3), vec![]);
    ada.reads_to_the_end(Some(4), vec![message(3, "ada", "x")]);
    ada.reads_a_part(Some(9), vec![message(8, "ada", "x")]);
    let newest = || [10, 11].map(|seq| message(seq, "ada", "x")).into_iter();
    let last = with_nonce(message(12, "ada", "x"), "n");
    bob.resumes(12, cut_in(life(1), 12, newest().chain([last]).collect(), &["ada", "bob"]));
    ada.sees(&["bob"], &[]);
    assert_eq!(play.verdict(), []);
}

#[test]
fn what_does_not_fit_need_not_be_shown() {
    let play = Play::complete();
    let (ada, bob, eve) = (play.actor("ada"), play.actor("bob"), play.actor("eve"));
    let large = "x".repeat(100_000);
    ada.joins(cut(0, &["ada"]));
    ada.says_and_hears(&large, 1);
    ada.says_and_hears(&large, 2);
    let last = || vec![message(2, "ada", &large)];
    bob.joins(cut_in(life(1), 2, last(), &["ada", "bob"]));
    eve.resumes(0, cut_in(life(1), 2, last(), &["ada", "bob", "eve"]));
    assert_eq!(play.verdict(), []);
}

#[test]
fn where_a_resume_does_not_fit_the_life_it_is_not_granted() {
    let play = Play::complete();
    let (ada, bob) = (play.actor("ada"), play.actor("bob"));
    ada.joins(cut(0, &["ada"]));
    let elsewhere = bob.asks_to_resume(Some((life(7), 0)), None);
    bob.is_let_in(elsewhere, cut(0, &["ada", "bob"]));
    bob.leaves();
    bob.resumes(1, cut(0, &["ada", "bob"]));
    assert_eq!(play.verdict(), []);
}

#[test]
fn who_is_not_in_a_room_is_refused() {
    let play = Play::complete();
    let (ada, bob) = (play.actor("ada"), play.actor("bob"));
    bob.joins(cut(0, &["bob"]));
    ada.is_refused(ada.asks_to_leave(), "not_in_room");
    ada.joins(cut(0, &["ada", "bob"]));
    let (first, second) = (ada.asks_to_leave(), ada.asks_to_leave());
    ada.witness.answered(first, Outcome::Done);
    ada.is_refused(second, "not_in_room");
    ada.joins(cut(0, &["ada", "bob"]));
    play.host().removes("ada");
    ada.is_refused(ada.begins_to_say("x"), "not_in_room");
    ada.is_removed();
    ada.settled();
    assert_eq!(play.verdict(), []);
}

/// Such as the host, and whoever looks in over HTTP.
#[test]
fn who_has_no_name_need_not_be_there() {
    let play = Play::complete();
    let (ada, host) = (play.actor("ada"), play.host());
    ada.joins(cut(0, &["ada"]));
    ada.says_and_hears("one", 1);
    host.lists(&["ada"], false);
    host.is_answered_redacted(1);
    ada.is_told_redacted(1);
    host.reads(None, vec![message(1, "ada", "one").redact()]);
    ada.settled();
    assert_eq!(play.verdict(), []);
}

#[test]
fn who_may_have_got_in_may_be_granted_what_members_are() {
    let play = Play::complete();
    let (ada, bob) = (play.actor("ada"), play.actor("bob"));
    ada.joins(cut(0, &["ada"]));
    ada.says_and_hears("one", 1);
    let _given_up = bob.asks_to_join();
    bob.signals();
    bob.reads(None, vec![message(1, "ada", "one")]);
    assert_eq!(play.verdict(), []);
}

/// What was lost may go on a little longer, and so may what is under way.
#[test]
fn who_is_about_to_go_may_be_granted_what_members_are() {
    let play = Play::complete();
    let (ada, bob) = (play.actor("ada"), play.actor("bob"));
    ada.joins(cut(0, &["ada"]));
    ada.ends("shutting_down");
    ada.says("last words", 1);
    bob.joins(cut_in(life(1), 1, vec![message(1, "ada", "last words")], &["ada", "bob"]));
    let (reading, leaving) = (bob.asks_to_read(), bob.asks_to_leave());
    bob.is_done(leaving);
    let page = Page { messages: vec![Arc::new(message(1, "ada", "last words"))], more: false };
    bob.witness.answered(reading, Outcome::History(page));
    for is_noted_before in [true, false] {
        let eve = play.actor("eve");
        let joining = eve.asks_to_join();
        if is_noted_before {
            eve.ends("shutting_down");
            eve.is_done(joining);
            eve.leaves();
        } else {
            eve.is_done(joining);
            eve.ends("shutting_down");
        }
    }
    assert_eq!(play.verdict(), []);
}

/// A leave without a number has no other answer.
#[test]
fn who_asks_to_leave_is_told_so() {
    for is_a_socket in [true, false] {
        let play = Play::complete();
        let ada = if is_a_socket { play.socket("ada") } else { play.actor("ada") };
        for number in [1, 2] {
            ada.joins(cut_in(life(number), 0, vec![], &["ada"]));
            let _without_a_number = ada.asks_to_leave();
            ada.is_told_left();
        }
        // Before it was told that it is in.
        let joining = ada.asks_to_join();
        let _without_a_number = ada.asks_to_leave();
        ada.is_let_in(joining, cut_in(life(3), 0, vec![], &["ada"]));
        ada.is_told_left();
        assert_eq!(play.verdict(), []);
    }
}

#[test]
fn who_is_not_on_this_page_is_on_another_one() {
    let play = Play::complete();
    let (ada, zoe) = (play.actor("ada"), play.actor("zoe"));
    ada.joins(cut(0, &["ada"]));
    zoe.joins(cut(0, &["ada", "zoe"]));
    ada.sees(&["zoe"], &[]);
    zoe.lists(&["ada"], true);
    let request = Request::Members { room: super::kit::lobby(), after: Some(user("bob")) };
    let rest = Members { members: super::kit::members(&["zoe"]), more: false };
    ada.witness.answered(ada.witness.asks(request), Outcome::Members(rest));
    [&ada, &zoe].iter().for_each(|actor| actor.settled());
    assert_eq!(play.verdict(), []);
}

#[test]
fn who_comes_with_several_tabs_at_once_is_told_of_with_all() {
    let play = Play::complete();
    let (ada, bob, tab) = (play.actor("ada"), play.actor("bob"), play.actor("bob"));
    ada.joins(cut(0, &["ada"]));
    let (first, second) = (bob.asks_to_join(), tab.asks_to_join());
    ada.sees(&["bob*2"], &[]);
    bob.is_let_in(first, cut(0, &["ada", "bob"]));
    tab.is_let_in(second, cut(0, &["ada", "bob*2"]));
    assert_eq!(play.verdict(), []);
}

/// He may have taken it back in the life in which he was without having been told.
#[test]
fn what_was_taken_back_by_somebody_who_may_have_been_there_was_taken_back() {
    let play = Play::complete();
    let (ada, bob) = (play.actor("ada"), play.actor("bob"));
    ada.joins(cut(0, &["ada"]));
    ada.says_and_hears("one", 1);
    let _given_up = bob.asks_to_join();
    let _open = bob.asks_to_take_back(1);
    ada.reads(None, vec![message(1, "ada", "one").redact()]);
    ada.is_told_redacted(1);
    ada.leaves();
    bob.joins(cut_in(life(2), 0, vec![], &["bob"]));
    assert_eq!(play.verdict(), []);
}

#[test]
fn what_is_taken_back_while_somebody_comes_need_not_have_been_said_then() {
    let play = Play::complete();
    let (ada, bob) = (play.actor("ada"), play.actor("bob"));
    ada.joins(cut(0, &["ada"]));
    let joining = bob.asks_to_join();
    ada.says_and_hears("one", 1);
    ada.takes_back(1);
    bob.is_let_in(joining, cut(0, &["ada", "bob"]));
    bob.hears(message(1, "ada", "one").redact());
    bob.is_told_redacted(1);
    // Whether this has been done is not known.
    ada.witness.answered(ada.asks_to_take_back(2), Outcome::Unknown);
    bob.settled();
    assert_eq!(play.verdict(), []);
}

/// The wire does not say it.
#[test]
fn over_a_socket_nobody_is_told_who_was_the_first() {
    let play = Play::complete();
    let ada = play.socket("ada");
    ada.is_told_in(ada.asks_to_join(), Joined { first_in_room: false, ..cut(0, &["ada"]) });
    assert_eq!(play.verdict(), []);
}

#[test]
fn a_signal_comes_to_the_other_tabs() {
    let play = Play::complete();
    let (ada, tab) = (play.actor("ada"), play.actor("ada"));
    ada.joins(cut(0, &["ada"]));
    tab.joins(cut(0, &["ada*2"]));
    ada.signals();
    tab.is_signalled_by("ada");
    assert_eq!(play.verdict(), []);
}

#[test]
fn after_an_end_no_answer_is_due() {
    for bye in [true, false] {
        let play = Play::complete();
        let ada = play.socket("ada");
        ada.joins(cut(0, &["ada"]));
        let call = ada.asks_to_leave();
        if bye {
            ada.bye("moved")
        } else {
            ada.ends("moved")
        }
        ada.witness.unanswered(call);
        assert_eq!(play.verdict(), []);
    }
}

#[test]
fn in_a_large_room_everybody_is_told_later() {
    let play = Play::complete();
    let (ada, bob) = (play.actor("ada"), play.actor("bob"));
    for actor in [&ada, &bob] {
        let name = if std::ptr::eq(actor, &ada) { "ada" } else { "bob" };
        actor.witness.introduce(user(name), false, |bounds| bounds.presence_exact = 1);
    }
    ada.joins(cut(0, &["ada"]));
    bob.joins(cut(0, &["ada", "bob"]));
    ada.lists(&["ada"], false);
    ada.sees(&["bob"], &[]);
    bob.sees(&["bob"], &[]);
    ada.lists(&["ada", "bob"], false);
    assert_eq!(play.verdict(), []);
}
