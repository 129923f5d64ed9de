//! For each rule a run that breaks it, and no other.

use super::{
    super::{Fault, Outcome, Request, Told},
    kit::{Play, cut, cut_in, life, lobby, message, nonce, with_data, with_nonce},
};
use crate::{Epoch, Joined, Members, Message, Page};

/// Makes a test of each run, and of all of them the list.
macro_rules! broken {
    ($($(#[$doc:meta])* $name:ident: $fault:ident, $play:ident, $story:block)+) => {
        $(
            $(#[$doc])*
            #[test]
            fn $name() {
                let $play = Play::new();
                $story
                blamed_for(&$play, stringify!($fault));
            }
        )+

        #[test]
        fn there_is_a_run_for_every_rule() {
            let broken = [$(stringify!($fault)),+];
            let forgotten: Vec<_> =
                Fault::NAMES.iter().filter(|fault| !broken.contains(*fault)).collect();
            assert!(forgotten.is_empty(), "{forgotten:?}");
        }
    };
}

fn blamed_for(play: &Play, fault: &str) {
    let found = play.verdict();
    let names: Vec<_> = found.iter().map(|violation| violation.fault.name()).collect();
    assert_eq!(names, [fault], "{found:#?}");
}

fn one() -> Message {
    message(1, "ada", "one")
}

fn two() -> Message {
    message(2, "ada", "two")
}

fn resumed(epoch: Epoch, seq: u64, messages: Vec<Message>) -> Joined {
    Joined { resumed: true, ..cut_in(epoch, seq, messages, &["ada", "bob"]) }
}

broken! {
    a_message_after_it_has_left: NotInRoom, play, {
        let ada = play.actor("ada");
        ada.joins(cut(0, &["ada"]));
        ada.leaves();
        ada.hears(one());
    }
    a_signal_from_elsewhere: NotInRoom, play, {
        play.actor("ada").is_signalled_by("bob");
    }
    a_message_after_it_was_removed: NotInRoom, play, {
        let ada = play.actor("ada");
        ada.joins(cut(0, &["ada"]));
        ada.is_removed();
        ada.hears(one());
    }
    a_leave_of_a_room_in_which_it_is_not: NotInRoom, play, {
        play.actor("ada").leaves();
    }
    a_page_for_one_who_never_was_there: NotInRoom, play, {
        play.actor("ada").reads(None, vec![one()]);
    }
    members_for_one_who_never_was_there: NotInRoom, play, {
        play.actor("ada").lists(&["bob"], false);
    }
    a_signal_of_one_who_never_was_there: NotInRoom, play, {
        play.actor("ada").signals();
    }
    a_message_of_one_who_never_was_there: NotInRoom, play, {
        play.actor("ada").says("one", 1);
    }
    a_redaction_of_one_who_never_was_there: NotInRoom, play, {
        play.actor("ada").is_answered_redacted(1);
    }
    a_page_for_one_who_has_left: NotInRoom, play, {
        let ada = play.socket("ada");
        ada.joins(cut(0, &["ada", "bob"]));
        ada.leaves();
        ada.reads(None, vec![one()]);
    }
    a_second_join_without_a_leave: JoinedTwice, play, {
        let ada = play.actor("ada");
        ada.joins(cut(0, &["ada"]));
        ada.joins(cut(0, &["ada"]));
    }
    a_join_whose_messages_stop_short: TornCut, play, {
        play.actor("ada").joins(cut_in(life(1), 2, vec![one()], &["ada", "bob"]));
    }
    a_join_with_a_gap_in_its_messages: TornCut, play, {
        let messages = vec![one(), message(3, "ada", "three")];
        play.actor("ada").joins(cut_in(life(1), 3, messages, &["ada", "bob"]));
    }
    a_join_without_oneself: TornMembers, play, {
        play.actor("ada").joins(cut(0, &["bob"]));
    }
    a_join_with_somebody_twice: TornMembers, play, {
        play.actor("ada").joins(cut(0, &["ada", "bob", "bob"]));
    }
    a_list_of_members_without_oneself: TornMembers, play, {
        let ada = play.actor("ada");
        ada.joins(cut(0, &["ada", "bob"]));
        ada.lists(&["bob"], false);
    }
    a_part_of_the_members_without_oneself: TornMembers, play, {
        let bob = play.actor("bob");
        bob.joins(cut(0, &["ada", "bob", "eve"]));
        bob.lists(&["ada", "eve"], true);
    }
    a_list_of_members_without_oneself_where_all_is_known: TornMembers, play, {
        play.run.complete();
        let (ada, bob) = (play.actor("ada"), play.actor("bob"));
        ada.joins(cut(0, &["ada"]));
        bob.joins(cut(0, &["ada", "bob"]));
        bob.lists(&["ada"], false);
        bob.settled();
    }
    a_gap: Gap, play, {
        let ada = play.actor("ada");
        ada.joins(cut(0, &["ada"]));
        ada.hears(two());
    }
    /// History that is loaded before the room is listened to lacks what comes in between.
    a_gap_between_the_cut_and_what_follows: Gap, play, {
        let ada = play.actor("ada");
        ada.joins(cut_in(life(1), 1, vec![one()], &["ada", "bob"]));
        ada.hears(message(3, "bob", "three"));
    }
    a_message_twice: Repeat, play, {
        let ada = play.actor("ada");
        ada.joins(cut(0, &["ada"]));
        ada.hears(one());
        ada.hears(one());
    }
    /// History that is loaded after the room is listened to has what comes in between twice.
    a_message_in_the_cut_and_after_it: Repeat, play, {
        let ada = play.actor("ada");
        ada.joins(cut_in(life(1), 1, vec![one()], &["ada", "bob"]));
        ada.hears(one());
    }
    a_join_that_lacks_what_was_accepted_before: Stale, play, {
        let (ada, bob) = (play.actor("ada"), play.actor("bob"));
        ada.joins(cut(0, &["ada"]));
        ada.says("one", 1);
        bob.joins(cut(0, &["ada", "bob"]));
    }
    a_page_that_lacks_what_was_seen_before: Stale, play, {
        let ada = play.actor("ada");
        ada.joins(cut(0, &["ada"]));
        ada.hears(one());
        ada.hears(two());
        ada.reads(None, vec![one()]);
    }
    /// Accepted means seen by everybody who stays.
    a_message_that_never_came_to_somebody_who_stayed: Missed, play, {
        let (ada, bob) = (play.actor("ada"), play.actor("bob"));
        ada.joins(cut(0, &["ada"]));
        bob.joins(cut(0, &["ada", "bob"]));
        ada.says_and_hears("one", 1);
        bob.settled();
    }
    a_message_that_never_came_to_somebody_who_stayed_until_later: Missed, play, {
        let (ada, bob) = (play.actor("ada"), play.actor("bob"));
        ada.joins(cut(0, &["ada"]));
        bob.joins(cut(0, &["ada", "bob"]));
        ada.says_and_hears("one", 1);
        bob.leaves();
    }
    a_list_of_members_that_overtakes_a_message: Missed, play, {
        let (ada, bob) = (play.actor("ada"), play.actor("bob"));
        ada.joins(cut(0, &["ada"]));
        bob.joins(cut(0, &["ada", "bob"]));
        ada.says_and_hears("one", 1);
        bob.lists(&["ada", "bob"], false);
        bob.hears(one());
    }
    a_page_with_a_gap: TornPage, play, {
        let ada = play.actor("ada");
        ada.joins(cut(0, &["ada"]));
        ada.reads(None, vec![one(), message(3, "ada", "three")]);
    }
    a_page_that_goes_beyond_its_bound: TornPage, play, {
        let ada = play.actor("ada");
        ada.joins(cut_in(life(1), 2, vec![], &["ada", "bob"]));
        ada.reads(Some(2), vec![one(), two()]);
    }
    a_page_that_is_not_just_before_what_was_named: TornPage, play, {
        let ada = play.actor("ada");
        ada.joins(cut(0, &["ada"]));
        (1..=5).for_each(|seq| ada.hears(message(seq, "ada", "x")));
        ada.reads(Some(5), vec![message(1, "ada", "x"), message(2, "ada", "x")]);
    }
    a_page_with_nothing_though_messages_are_kept: Short, play, {
        play.run.complete();
        let ada = play.actor("ada");
        ada.joins(cut(0, &["ada"]));
        (1..=3).for_each(|seq| ada.says_and_hears("x", seq));
        ada.reads(Some(3), vec![]);
    }
    a_join_without_messages_though_it_wants_some: Short, play, {
        let ada = play.actor("ada");
        ada.is_let_in(ada.asks_to_join(), cut(2, &["ada", "bob"]));
    }
    a_join_with_the_last_message_only: Short, play, {
        play.run.complete();
        let (ada, bob) = (play.actor("ada"), play.actor("bob"));
        ada.joins(cut(0, &["ada"]));
        ada.says_and_hears("one", 1);
        ada.says_and_hears("two", 2);
        bob.joins(cut_in(life(1), 2, vec![two()], &["ada", "bob"]));
    }
    a_page_that_says_to_be_all_and_is_not: OlderUntold, play, {
        play.run.complete();
        let ada = play.actor("ada");
        ada.joins(cut(0, &["ada"]));
        ada.says_and_hears("one", 1);
        ada.says_and_hears("two", 2);
        ada.reads_to_the_end(None, vec![two()]);
    }
    /// What is shown later was kept before.
    a_join_that_says_to_be_all_and_is_not: OlderUntold, play, {
        let ada = play.actor("ada");
        let call = ada.asks_to_resume(None, Some(1));
        let cut = cut_in(life(1), 2, vec![two()], &["ada", "bob"]);
        ada.is_let_in(call, Joined { more: false, ..cut });
        ada.reads(None, vec![one(), two()]);
    }
    a_join_that_says_there_is_more_than_all: NothingOlder, play, {
        let cut = cut_in(life(1), 1, vec![one()], &["ada", "bob"]);
        play.actor("ada").joins(Joined { more: true, ..cut });
    }
    a_page_that_says_there_is_more_than_all: NothingOlder, play, {
        let ada = play.actor("ada");
        ada.joins(cut(0, &["ada"]));
        ada.hears(one());
        ada.reads_a_part(None, vec![one()]);
    }
    a_member_whose_leave_is_refused: Disowned, play, {
        let ada = play.actor("ada");
        ada.joins(cut(0, &["ada"]));
        ada.is_refused(ada.asks_to_leave(), "not_in_room");
        ada.settled();
    }
    two_who_see_different_messages: Differs, play, {
        let (ada, bob) = (play.actor("ada"), play.actor("bob"));
        ada.joins(cut(0, &["ada"]));
        bob.joins(cut(0, &["ada", "bob"]));
        ada.hears(message(1, "ada", "one"));
        bob.hears(message(1, "ada", "other"));
    }
    a_message_before_one_that_was_known: OutOfTurn, play, {
        let ada = play.actor("ada");
        ada.joins(cut(0, &["ada"]));
        ada.hears(one());
        ada.hears(two());
        ada.says("one", 1);
    }
    a_socket_whose_messages_were_swapped: Reordered, play, {
        let ada = play.socket("ada");
        ada.joins(cut(0, &["ada"]));
        let (first, second) = (ada.begins_to_say("one"), ada.begins_to_say("two"));
        ada.is_accepted(first, 2);
        ada.is_accepted(second, 1);
    }

    two_messages_in_one_place: OnePlaceForTwo, play, {
        let (ada, bob) = (play.actor("ada"), play.actor("bob"));
        ada.joins(cut(0, &["ada"]));
        bob.joins(cut(0, &["ada", "bob"]));
        let (first, second) = (ada.begins_to_say("x"), bob.begins_to_say("x"));
        ada.is_accepted(first, 1);
        bob.is_accepted(second, 1);
    }
    a_message_that_became_another_one: Changed, play, {
        play.run.complete();
        let ada = play.actor("ada");
        ada.joins(cut(0, &["ada"]));
        ada.says("one", 1);
        ada.hears(message(1, "ada", "won"));
    }
    a_nonce_in_two_places: NonceTwice, play, {
        let ada = play.actor("ada");
        ada.joins(cut(0, &["ada"]));
        ada.hears(with_nonce(message(1, "ada", "x"), "n"));
        ada.hears(with_nonce(message(2, "ada", "x"), "n"));
    }
    /// Nobody has been shown them yet.
    a_nonce_that_is_accepted_twice: NonceTwice, play, {
        let ada = play.actor("ada");
        ada.joins(cut(0, &["ada"]));
        for seq in [1, 2] {
            let call = ada.begins_to_send(nonce(ada.draft("x"), "n"));
            ada.is_accepted(call, seq);
        }
    }
    a_duplicate_of_nothing: DuplicateOfNothing, play, {
        play.run.complete();
        let (ada, bob) = (play.actor("ada"), play.actor("bob"));
        ada.joins(cut(0, &["ada"]));
        bob.joins(cut(0, &["ada", "bob"]));
        bob.says("x", 1);
        let call = ada.begins_to_send(nonce(ada.draft("x"), "n"));
        ada.witness.answered(call, Outcome::Sent { seq: 1, duplicate: true });
    }
    a_message_that_is_there_twice: Doubled, play, {
        play.run.complete();
        let ada = play.actor("ada");
        ada.joins(cut(0, &["ada"]));
        ada.says_and_hears("one", 1);
        ada.hears(message(2, "ada", "one"));
    }
    a_message_that_was_refused_and_is_shown: RefusedButShown, play, {
        play.run.complete();
        let ada = play.actor("ada");
        ada.joins(cut(0, &["ada"]));
        let call = ada.begins_to_say("one");
        ada.witness.answered(call, Outcome::Refused { code: "store_unavailable".into() });
        ada.hears(one());
    }
    a_message_that_nobody_has_said: Invented, play, {
        play.run.complete();
        let ada = play.actor("ada");
        ada.joins(cut(0, &["ada"]));
        ada.hears(one());
    }
    /// It was said in the life before.
    a_message_of_another_life: Invented, play, {
        play.run.complete();
        let ada = play.actor("ada");
        ada.joins(cut(0, &["ada"]));
        ada.says_and_hears("one", 1);
        ada.leaves();
        ada.joins(cut_in(life(2), 0, vec![], &["ada"]));
        ada.hears(one());
    }
    more_messages_than_were_said: TooMany, play, {
        play.run.complete();
        let (ada, bob) = (play.actor("ada"), play.actor("bob"));
        ada.joins(cut(0, &["ada"]));
        bob.joins(cut(1, &["ada", "bob"]));
    }

    a_signal_that_nobody_sent: SignalOfNobody, play, {
        play.run.complete();
        let (ada, bob) = (play.actor("ada"), play.actor("bob"));
        ada.joins(cut(0, &["ada"]));
        bob.joins(cut(0, &["ada", "bob"]));
        bob.is_signalled_by("ada");
        ada.signals();
    }
    a_signal_that_comes_back_to_its_sender: SignalOfNobody, play, {
        play.run.complete();
        let ada = play.actor("ada");
        ada.joins(cut(0, &["ada"]));
        ada.signals();
        ada.is_signalled_by("ada");
    }

    one_epoch_in_two_rooms: EpochOfTwoRooms, play, {
        let ada = play.actor("ada");
        ada.joins(cut(0, &["ada"]));
        ada.at("garden").joins(cut(0, &["ada"]));
    }
    /// The room was ended under somebody who was there.
    a_new_life_while_the_old_one_lasts: TwoLives, play, {
        let (ada, bob) = (play.actor("ada"), play.actor("bob"));
        ada.joins(cut(0, &["ada"]));
        bob.joins(cut_in(life(2), 0, vec![], &["bob"]));
        ada.leaves();
    }
    /// Somebody came in after the room had ended.
    a_life_that_goes_on_after_its_end: TwoLives, play, {
        let (ada, bob, eve) = (play.actor("ada"), play.actor("bob"), play.actor("eve"));
        ada.joins(cut(0, &["ada"]));
        bob.joins(cut_in(life(2), 0, vec![], &["bob"]));
        eve.joins(cut(0, &["ada", "eve"]));
    }
    a_purge_that_left_something: NotEmpty, play, {
        play.actor("ada").joins(cut_in(life(1), 1, vec![one()], &["ada"]));
    }
    a_life_that_outlives_its_last_member: Outlived, play, {
        play.run.complete();
        let (ada, bob) = (play.actor("ada"), play.actor("bob"));
        ada.joins(cut(0, &["ada"]));
        ada.leaves();
        bob.joins(cut(0, &["bob"]));
    }

    a_user_who_comes_twice: CameTwice, play, {
        let ada = play.actor("ada");
        ada.joins(cut(0, &["ada", "bob"]));
        ada.sees(&["bob"], &[]);
    }
    a_user_who_goes_twice: WentTwice, play, {
        let ada = play.actor("ada");
        ada.joins(cut(0, &["ada", "bob"]));
        ada.sees(&[], &["bob"]);
        ada.sees(&[], &["bob"]);
    }
    a_user_who_comes_and_goes_at_once: CameAndWent, play, {
        let ada = play.actor("ada");
        ada.joins(cut(0, &["ada"]));
        ada.sees(&["bob"], &["bob"]);
    }
    a_joiner_who_is_told_of_itself: ToldOfItself, play, {
        let ada = play.actor("ada");
        ada.joins(cut(0, &["ada"]));
        ada.sees(&["ada"], &[]);
    }
    /// The other tab is still there.
    a_user_who_goes_with_a_tab: ToldOfItself, play, {
        let ada = play.actor("ada");
        ada.joins(cut(0, &["ada*2"]));
        ada.sees(&[], &["ada"]);
    }
    members_that_are_not_those_who_came: NotOneCut, play, {
        let ada = play.actor("ada");
        ada.joins(cut(0, &["ada"]));
        ada.sees(&["bob"], &[]);
        ada.lists(&["ada"], false);
    }
    members_out_of_order: NotOneCut, play, {
        let ada = play.actor("ada");
        ada.joins(cut(0, &["ada", "bob"]));
        ada.lists(&["bob", "ada"], false);
    }
    a_member_who_has_gone: Ghost, play, {
        play.run.complete();
        let (ada, bob, eve) = (play.actor("ada"), play.actor("bob"), play.actor("eve"));
        ada.joins(cut(0, &["ada"]));
        bob.joins(cut(0, &["ada", "bob"]));
        bob.leaves();
        eve.joins(cut(0, &["ada", "bob", "eve"]));
    }
    /// After a crash somebody is still there.
    a_member_of_a_life_before: Ghost, play, {
        play.run.complete();
        let (ada, bob) = (play.actor("ada"), play.actor("bob"));
        ada.joins(cut(0, &["ada"]));
        ada.ends("internal");
        bob.joins(cut_in(life(2), 0, vec![], &["ada", "bob"]));
    }
    somebody_who_comes_and_is_not_there: Ghost, play, {
        play.run.complete();
        let ada = play.actor("ada");
        ada.joins(cut(0, &["ada"]));
        ada.sees(&["bob"], &[]);
    }
    somebody_who_is_there_and_never_came: Unseen, play, {
        play.run.complete();
        let (ada, bob) = (play.actor("ada"), play.actor("bob"));
        ada.joins(cut(0, &["ada"]));
        bob.joins(cut(0, &["ada", "bob"]));
        [&ada, &bob].iter().for_each(|actor| actor.settled());
    }
    /// One of two tabs closes.
    somebody_who_goes_and_is_still_there: Unseen, play, {
        play.run.complete();
        let (bob, tab, ada) = (play.actor("bob"), play.actor("bob"), play.actor("ada"));
        bob.joins(cut(0, &["bob"]));
        tab.joins(cut(0, &["bob*2"]));
        ada.joins(cut(0, &["ada", "bob*2"]));
        tab.leaves();
        ada.sees(&[], &["bob"]);
        ada.leaves();
        bob.leaves();
    }
    a_user_with_a_tab_too_many: Miscounted, play, {
        play.run.complete();
        let (ada, bob) = (play.actor("ada"), play.actor("bob"));
        ada.joins(cut(0, &["ada"]));
        bob.joins(cut(0, &["ada*2", "bob"]));
    }
    /// One of the tabs that are told of has gone.
    a_user_who_comes_with_a_tab_too_many: Miscounted, play, {
        play.run.complete();
        let (ada, bob) = (play.actor("ada"), play.actor("bob"));
        ada.joins(cut(0, &["ada"]));
        bob.joins(cut(0, &["ada", "bob"]));
        ada.sees(&["bob*2"], &[]);
    }
    a_user_who_comes_without_a_tab: Miscounted, play, {
        play.run.complete();
        let (ada, bob) = (play.actor("ada"), play.actor("bob"));
        ada.joins(cut(0, &["ada"]));
        bob.joins(cut(0, &["ada", "bob"]));
        ada.sees(&["bob*0"], &[]);
    }
    a_first_one_who_is_not: NotFirst, play, {
        let cut = Joined { first_in_room: true, ..cut(0, &["ada", "bob"]) };
        play.actor("ada").joins(cut);
    }
    a_first_tab_that_is_not: NotFirst, play, {
        let cut = Joined { first_connection_of_user: true, ..cut(0, &["ada*2"]) };
        play.actor("ada").joins(cut);
    }

    a_first_one_who_is_not_told_so: IsFirst, play, {
        let ada = play.actor("ada");
        ada.joins(Joined { first_in_room: false, ..cut(0, &["ada"]) });
    }
    a_first_tab_that_is_not_told_so: IsFirst, play, {
        let ada = play.actor("ada");
        ada.is_told_in(ada.asks_to_join(), cut(0, &["ada", "bob"]));
    }

    a_resume_that_is_refused_though_nothing_was_missed: NotResumed, play, {
        let cut = cut_in(life(1), 2, vec![one(), two()], &["ada", "bob"]);
        play.actor("ada").resumes(2, cut);
    }
    a_resume_that_is_refused_though_all_is_at_hand: NotResumed, play, {
        let cut = cut_in(life(1), 2, vec![one(), two()], &["ada", "bob"]);
        play.actor("ada").resumes(1, cut);
    }
    a_resume_of_another_life: ResumedElsewhere, play, {
        let ada = play.actor("ada");
        let call = ada.asks_to_resume(Some((life(7), 0)), None);
        ada.is_let_in(call, resumed(life(1), 0, vec![]));
    }
    a_resume_that_was_not_asked_for: ResumedElsewhere, play, {
        play.actor("ada").joins(resumed(life(1), 0, vec![]));
    }
    a_resume_that_lacks_a_message: Partial, play, {
        play.actor("ada").resumes(0, resumed(life(1), 2, vec![two()]));
    }
    a_resume_with_a_message_that_was_known: Partial, play, {
        play.actor("ada").resumes(1, resumed(life(1), 2, vec![one(), two()]));
    }
    a_resume_from_the_future: Partial, play, {
        play.actor("ada").resumes(3, resumed(life(1), 2, vec![]));
    }
    a_resume_that_does_not_tell_what_was_taken_back: RedactionUntold, play, {
        let (ada, bob) = (play.actor("ada"), play.actor("bob"));
        bob.joins(cut(1, &["ada", "bob"]));
        bob.is_told_redacted(1);
        ada.resumes(1, resumed(life(1), 1, vec![]));
    }

    a_redaction_before_its_message: TooEarly, play, {
        let ada = play.actor("ada");
        ada.joins(cut(0, &["ada"]));
        ada.is_told_redacted(1);
    }
    a_message_that_comes_back: Undone, play, {
        let (ada, bob) = (play.actor("ada"), play.actor("bob"));
        ada.joins(cut(0, &["ada"]));
        ada.hears(one());
        ada.is_told_redacted(1);
        bob.joins(cut_in(life(1), 1, vec![one()], &["ada", "bob"]));
    }
    a_message_that_comes_back_in_a_page: Undone, play, {
        let ada = play.actor("ada");
        ada.joins(cut(0, &["ada"]));
        ada.hears(one());
        ada.is_told_redacted(1);
        ada.reads(None, vec![one()]);
    }
    a_message_that_comes_back_to_one_who_comes_after: Undone, play, {
        let (ada, bob) = (play.actor("ada"), play.actor("bob"));
        ada.joins(cut(0, &["ada"]));
        ada.hears(one());
        ada.is_answered_redacted(1);
        bob.joins(cut_in(life(1), 1, vec![one()], &["ada", "bob"]));
    }
    a_redaction_that_one_who_has_settled_is_not_told: RedactionMissed, play, {
        let (ada, bob) = (play.actor("ada"), play.actor("bob"));
        ada.joins(cut(0, &["ada"]));
        ada.hears(one());
        bob.joins(cut_in(life(1), 1, vec![one()], &["ada", "bob"]));
        ada.is_told_redacted(1);
        bob.settled();
    }
    a_redaction_that_one_who_leaves_is_not_told: RedactionMissed, play, {
        let (ada, bob) = (play.actor("ada"), play.actor("bob"));
        ada.joins(cut(0, &["ada"]));
        bob.joins(cut(0, &["ada", "bob"]));
        [&ada, &bob].iter().for_each(|actor| actor.hears(one()));
        ada.is_told_redacted(1);
        bob.leaves();
    }
    a_list_of_members_that_overtakes_a_redaction: RedactionMissed, play, {
        let (ada, bob) = (play.actor("ada"), play.actor("bob"));
        ada.joins(cut(0, &["ada"]));
        ada.hears(one());
        bob.joins(cut_in(life(1), 1, vec![one()], &["ada", "bob"]));
        ada.is_told_redacted(1);
        bob.lists(&["ada", "bob"], false);
        bob.is_told_redacted(1);
    }
    a_message_that_is_taken_back_and_speaks: StillSpeaks, play, {
        let ada = play.actor("ada");
        ada.joins(cut_in(life(1), 1, vec![with_data(one().redact())], &["ada", "bob"]));
    }
    a_message_that_nobody_took_back: ByNobody, play, {
        play.run.complete();
        let ada = play.actor("ada");
        ada.joins(cut(0, &["ada"]));
        ada.says_and_hears("one", 1);
        ada.is_told_redacted(1);
    }

    a_message_that_nobody_took_back_in_a_page: ByNobody, play, {
        play.run.complete();
        let ada = play.actor("ada");
        ada.joins(cut(0, &["ada"]));
        ada.says_and_hears("one", 1);
        ada.reads(None, vec![one().redact()]);
    }
    a_message_that_nobody_took_back_in_a_join: ByNobody, play, {
        play.run.complete();
        let (ada, bob) = (play.actor("ada"), play.actor("bob"));
        ada.joins(cut(0, &["ada"]));
        ada.says("one", 1);
        bob.joins(cut_in(life(1), 1, vec![one().redact()], &["ada", "bob"]));
    }
    a_message_that_nobody_took_back_in_a_resume: ByNobody, play, {
        play.run.complete();
        let (ada, bob) = (play.actor("ada"), play.actor("bob"));
        ada.joins(cut(0, &["ada"]));
        ada.says("one", 1);
        bob.resumes(1, Joined { redacted: vec![1], ..resumed(life(1), 1, vec![]) });
    }
    a_message_that_nobody_took_back_when_it_came: ByNobody, play, {
        play.run.complete();
        let ada = play.actor("ada");
        ada.joins(cut(0, &["ada"]));
        ada.says("one", 1);
        ada.hears(one().redact());
    }
    a_message_that_was_taken_back_before_anybody_asked_for_it: ByNobody, play, {
        play.run.complete();
        let ada = play.actor("ada");
        ada.joins(cut(0, &["ada"]));
        ada.says_and_hears("one", 1);
        ada.reads(None, vec![one().redact()]);
        ada.takes_back(1);
    }

    a_redaction_of_what_nobody_said: RedactedNothing, play, {
        play.run.complete();
        let ada = play.actor("ada");
        ada.joins(cut(0, &["ada"]));
        ada.is_answered_redacted(1);
    }
    a_redaction_of_no_number: RedactedNothing, play, {
        let ada = play.actor("ada");
        ada.joins(cut(0, &["ada"]));
        ada.is_answered_redacted(0);
    }
    a_redaction_of_what_those_who_come_do_not_find: RedactedNothing, play, {
        let (ada, bob) = (play.actor("ada"), play.actor("bob"));
        ada.joins(cut(0, &["ada"]));
        ada.is_answered_redacted(1);
        bob.joins(cut(0, &["ada", "bob"]));
    }
    a_redaction_of_what_somebody_who_stays_is_never_told: RedactedNothing, play, {
        let ada = play.actor("ada");
        ada.joins(cut(0, &["ada"]));
        ada.hears(one());
        ada.is_answered_redacted(2);
        ada.settled();
    }
    a_redaction_of_what_is_said_only_then: RedactedNothing, play, {
        let ada = play.actor("ada");
        ada.joins(cut(0, &["ada"]));
        ada.is_answered_redacted(1);
        ada.says("one", 1);
    }

    a_message_that_is_said_to_be_done: MisAnswered, play, {
        let ada = play.actor("ada");
        ada.joins(cut(0, &["ada"]));
        ada.is_done(ada.begins_to_say("one"));
    }
    a_leave_that_is_said_to_be_sent: MisAnswered, play, {
        let ada = play.actor("ada");
        ada.joins(cut(0, &["ada"]));
        ada.is_accepted(ada.asks_to_leave(), 1);
    }
    a_redaction_that_is_said_to_be_sent: MisAnswered, play, {
        let ada = play.actor("ada");
        ada.joins(cut_in(life(1), 1, vec![one()], &["ada", "bob"]));
        ada.is_accepted(ada.asks_to_take_back(1), 1);
    }
    a_page_that_is_said_to_be_done: MisAnswered, play, {
        let ada = play.actor("ada");
        ada.joins(cut(0, &["ada"]));
        ada.is_done(ada.asks_to_read());
    }
    members_instead_of_messages: MisAnswered, play, {
        let ada = play.actor("ada");
        ada.joins(cut(0, &["ada"]));
        ada.witness.answered(ada.asks_to_read(), Outcome::Members(Members::default()));
    }
    messages_instead_of_members: MisAnswered, play, {
        let ada = play.actor("ada");
        ada.joins(cut(0, &["ada"]));
        ada.witness.answered(ada.asks_for_members(), Outcome::History(Page::default()));
    }
    a_join_that_is_said_to_be_sent: MisAnswered, play, {
        let ada = play.actor("ada");
        ada.is_accepted(ada.asks_to_join(), 1);
    }
    a_join_that_is_granted_and_never_told: MisAnswered, play, {
        let ada = play.actor("ada");
        ada.is_done(ada.asks_to_join());
    }
    /// It knows only how things stood.
    a_join_that_is_granted_and_was_told_before: MisAnswered, play, {
        let ada = play.socket("ada");
        ada.joins(cut(0, &["ada"]));
        ada.leaves();
        ada.is_done(ada.asks_to_join());
        ada.ends("moved");
    }
    an_end_without_a_wish: LeftUnasked, play, {
        let ada = play.socket("ada");
        ada.joins(cut(0, &["ada"]));
        ada.is_told_left();
    }
    /// That leave has an answer of its own.
    an_end_beside_the_answer_to_a_leave: LeftUnasked, play, {
        let ada = play.socket("ada");
        ada.joins(cut(0, &["ada"]));
        let call = ada.asks_to_leave();
        ada.is_told_left();
        ada.is_refused(call, "not_in_room");
    }
    a_second_end_for_one_wish: LeftUnasked, play, {
        let ada = play.actor("ada");
        let _without_a_number = ada.asks_to_leave();
        for _ in 0..2 {
            ada.joins(cut(0, &["ada", "bob"]));
            ada.is_told_left();
        }
    }
    /// That leave had its answer before the join had.
    an_end_by_a_leave_from_before_the_join: LeftUnasked, play, {
        let ada = play.socket("ada");
        let _without_a_number = ada.asks_to_leave();
        ada.joins(cut(0, &["ada"]));
        ada.is_told_left();
    }

    an_answer_to_nothing: AnswerToNothing, play, {
        play.actor("ada").witness.answered(7, Outcome::Done);
    }
    a_second_answer: AnswerToNothing, play, {
        let ada = play.actor("ada");
        let call = ada.witness.asks(Request::Other);
        ada.witness.answered(call, Outcome::Done);
        ada.witness.answered(call, Outcome::Done);
    }
    a_request_that_is_never_answered: Unanswered, play, {
        let ada = play.socket("ada");
        ada.joins(cut(0, &["ada"]));
        let call = ada.asks_to_leave();
        ada.settled();
        ada.witness.unanswered(call);
    }
    answers_that_are_swapped: AnsweredOutOfTurn, play, {
        let ada = play.socket("ada");
        ada.joins(cut(0, &["ada"]));
        let first = ada.begins_to_say("one");
        let second = ada.witness.asks(Request::Signal { room: lobby() });
        ada.witness.answered(second, Outcome::Done);
        ada.is_accepted(first, 1);
    }

    a_frame_after_bye: AfterTheEnd, play, {
        let ada = play.socket("ada");
        ada.joins(cut(0, &["ada"]));
        ada.bye("shutting_down");
        ada.hears(one());
    }
    an_answer_after_bye: AfterTheEnd, play, {
        let ada = play.socket("ada");
        let call = ada.witness.asks(Request::Other);
        ada.bye("shutting_down");
        ada.witness.answered(call, Outcome::Done);
    }
    a_farewell_of_another_name: MisnamedEnd, play, {
        let ada = play.socket("ada");
        ada.bye("shutting_down");
        ada.ends("slow_consumer");
    }

    more_messages_than_an_answer_has: TooManyMessages, play, {
        let messages = (1..=4).map(|seq| message(seq, "bob", "x")).collect();
        play.actor("ada").joins(cut_in(life(1), 4, messages, &["ada", "bob"]));
    }
    more_messages_than_were_wanted: TooManyMessages, play, {
        let ada = play.actor("ada");
        let call = ada.asks_to_resume(None, Some(1));
        ada.is_let_in(call, cut_in(life(1), 2, vec![one(), two()], &["ada", "bob"]));
    }
    an_answer_that_is_too_long: TooLong, play, {
        let ada = play.actor("ada");
        let call = ada.asks_to_join();
        let cut = Joined { first_connection_of_user: true, ..cut(0, &["ada"]) };
        let cut = crate::sync::Arc::new(cut);
        ada.witness.told(Told::Joined { call: Some(call), room: lobby(), cut });
        ada.witness.took(1 << 20);
    }
    a_session_in_too_many_rooms: TooManyRooms, play, {
        let ada = play.actor("ada");
        for room in 0..=32 {
            ada.at(&format!("room {room}")).joins(cut_in(life(room), 0, vec![], &["ada"]));
        }
    }
}
