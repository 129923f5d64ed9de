//! Who is in a room, when its life ends, and what everybody in it is told.

use super::{Bug, change, core, rooms};

const LIVE: &str = "chatrooms-core/src/live.rs";
const ROOM: &str = "chatrooms-core/src/room.rs";
const ROSTER: &str = "chatrooms-core/src/roster.rs";
const SHARED: &str = "chatrooms-core/src/shared.rs";
const WRITER: &str = "chatrooms-core/src/writer.rs";

pub(super) const BUGS: &[Bug] = &[
    Bug {
        name: "a room is forgotten by its name",
        promise: "P2 a life is purged once, and no other",
        changes: &[change(SHARED, "Arc::ptr_eq(there, room)", "there.name() == room.name()")],
        caught_by: rooms("purge::a_life_that_is_opened_too_late_is_closed_again"),
    },
    Bug {
        name: "an ended life is not purged",
        promise: "P2 a life is purged once, and no other",
        changes: &[change(
            ROOM,
            "(is_ours && reason.purges()).then(|| shared.sweeper.owe(live.life.clone()));",
            "(is_ours && reason == RoomEnd::Closed).then(|| shared.sweeper.owe(live.life.clone()));",
        )],
        caught_by: rooms("purge::a_life_is_purged_exactly_once"),
    },
    Bug {
        name: "the emptied room lives on",
        promise: "P2 a life is purged once, and no other",
        changes: &[change(ROOM, "Departure::Left => RoomEnd::Left,", "Departure::Left => return,")],
        caught_by: rooms("purge::a_join_after_the_last_exit_starts_a_new_life"),
    },
    Bug {
        name: "a room is ended while its first guest is on the way",
        promise: "P1 atomic membership",
        changes: &[change(
            ROOM,
            "self.arriving == 0 && live.roster.is_empty()",
            "live.roster.is_empty()",
        )],
        caught_by: rooms(
            "purge::who_gives_up_does_not_end_the_room_for_those_who_are_on_their_way",
        ),
    },
    Bug {
        name: "a join that is dropped is waited for for ever",
        promise: "P1 atomic membership",
        changes: &[change(
            ROOM,
            "        if self.is_on_its_way {",
            "        if self.is_on_its_way && self.room.opened.get().is_some() {",
        )],
        caught_by: rooms("cancellation::a_cancelled_join_leaves_nothing_or_a_member"),
    },
    Bug {
        name: "a life that nobody waits for any more is opened",
        promise: "P1 atomic membership",
        changes: &[change(
            ROOM,
            "(state.arriving > 0 || kept.is_some())",
            "(state.arriving < usize::MAX || kept.is_some())",
        )],
        caught_by: rooms("cancellation::a_cancelled_join_leaves_nothing_or_a_member"),
    },
    Bug {
        name: "a leave takes all of the user's tabs",
        promise: "P6 users, not tabs",
        changes: &[change(
            ROSTER,
            "let is_last = user.others.is_empty();",
            "let is_last = is_it(&user.oldest);",
        )],
        caught_by: rooms("membership::a_user_with_thirty_tabs_comes_once_and_goes_once"),
    },
    Bug {
        name: "who goes with their oldest tab is shown as their youngest has it",
        promise: "P6 users, not tabs",
        changes: &[change(
            ROSTER,
            "std::mem::replace(&mut self.oldest, self.others.remove(0))",
            "std::mem::replace(&mut self.oldest, self.others.swap_remove(0))",
        )],
        caught_by: core("roster::tests::a_user_is_shown_as_their_oldest_connection_has_it"),
    },
    Bug {
        name: "what the end of a session has caused does not count",
        promise: "P10 nothing is unbounded",
        changes: &[change(
            "chatrooms-core/src/effects.rs",
            "            self.tally.add(&effects.tally);\n",
            "",
        )],
        caught_by: core(
            "effects::tests::the_end_of_a_session_counts_what_it_has_caused_in_its_rooms",
        ),
    },
    Bug {
        name: "whoever comes back within a round is told as new",
        promise: "P6 users, not tabs",
        changes: &[change(
            ROSTER,
            "self.departed.remove(user).is_some();",
            "self.departed.contains_key(user) && false;",
        )],
        caught_by: rooms("presence::who_comes_and_goes_within_a_round_is_not_told_at_all"),
    },
    Bug {
        name: "a kick takes one tab",
        promise: "P6 users, not tabs",
        changes: &[change(
            ROOM,
            "live.roster.peers_of(user).cloned().collect()",
            "live.roster.peers_of(user).take(1).cloned().collect()",
        )],
        caught_by: rooms(
            "moderation::a_kicked_user_is_told_and_out_with_all_tabs_and_may_come_again",
        ),
    },
    Bug {
        name: "the joiner is told of itself",
        promise: "P3 a join is one cut",
        changes: &[change(
            LIVE,
            "self.tell(room, Some(peer), shared, effects);",
            "self.tell(room, None, shared, effects);",
        )],
        caught_by: rooms("membership::those_who_are_there_and_those_who_come_learn_of_each_other"),
    },
    Bug {
        name: "the cut names the message that comes next",
        promise: "P3 a join is one cut",
        changes: &[change(
            LIVE,
            "            seq: self.head,\n            resumed:",
            "            seq: self.head + 1,\n            resumed:",
        )],
        caught_by: rooms("join_cut::joins_among_busy_senders_have_no_gap_and_no_duplicate"),
    },
    Bug {
        name: "history shows what has not been told yet",
        promise: "P3 a join is one cut",
        changes: &[change(
            "chatrooms-core/src/reading.rs",
            "before.map_or(head + 1, |before| before.min(head + 1));",
            "before.unwrap_or(head + 2);",
        )],
        caught_by: rooms("join_cut::history_goes_back_page_by_page_and_never_beyond_what_was_told"),
    },
    Bug {
        name: "a foreign life is resumed",
        promise: "R a resume is whole or none",
        changes: &[change(
            LIVE,
            "if epoch != self.life.epoch || (self.forgotten > 0",
            "let _ = epoch;\n        if (self.forgotten > 0",
        )],
        caught_by: rooms("resume::nobody_resumes_a_life_that_has_ended"),
    },
    Bug {
        name: "a resume begins one message too late",
        promise: "R a resume is whole or none",
        changes: &[change(
            "chatrooms-core/src/recent.rs",
            "usize::try_from(head.checked_sub(seq)?).ok()?;",
            "usize::try_from(head.checked_sub(seq)?.saturating_sub(1)).ok()?;",
        )],
        caught_by: rooms("resume::a_resume_brings_exactly_what_was_missed"),
    },
    Bug {
        name: "a resume does not say what was taken back",
        promise: "R a resume is whole or none",
        changes: &[change(
            LIVE,
            "self.redacted.range(..=seq).map(|(seq, _)| *seq).collect();",
            "self.redacted.range(..=seq.min(0)).map(|(seq, _)| *seq).collect();",
        )],
        caught_by: rooms("resume::a_resume_tells_what_was_taken_back_meanwhile"),
    },
    Bug {
        name: "a redaction is forgotten with its message",
        promise: "R a resume is whole or none",
        changes: &[change(
            LIVE,
            "trimmed.into_values().fold(self.forgotten, u64::max);",
            "trimmed.into_values().fold(self.forgotten, u64::min);",
        )],
        caught_by: rooms("resume::who_cannot_be_told_of_a_redaction_any_more_is_not_resumed"),
    },
    Bug {
        name: "a redaction is told to nobody",
        promise: "P4 one order, the same for all",
        changes: &[change(
            LIVE,
            "            self.push(&[event], None, effects);\n        }\n    }\n\n    /// Forgets",
            "            drop(event);\n        }\n    }\n\n    /// Forgets",
        )],
        caught_by: rooms("sending::authors_take_back_what_they_said_and_nobody_elses"),
    },
    Bug {
        name: "the head does not move with a message",
        promise: "P4 one order, the same for all",
        changes: &[change(LIVE, "            self.head = message.seq;\n", "")],
        caught_by: rooms("sending::everybody_is_told_the_same_in_the_same_order"),
    },
    Bug {
        name: "a message is delivered as often as it is read",
        promise: "P4 one order, the same for all",
        changes: &[change(
            LIVE,
            "            if message.seq <= self.head {\n                continue;\n            }\n",
            "",
        )],
        caught_by: rooms("sending::a_message_of_unknown_outcome_shows_before_anything_newer"),
    },
    Bug {
        name: "what the store kept in silence is not read",
        promise: "P5 stored before shown, once",
        changes: &[change(
            WRITER,
            "if !is_dense || fresh.messages.is_empty() {",
            "if !is_dense && fresh.messages.is_empty() {",
        )],
        caught_by: rooms("sending::a_message_of_unknown_outcome_shows_before_anything_newer"),
    },
    Bug {
        name: "a catch-up that fails gives up",
        promise: "P4 one order, the same for all",
        changes: &[change(
            WRITER,
            "                Err(Unread) => {\n",
            "                Err(Unread) if newest > 0 => return,\n                Err(Unread) => {\n",
        )],
        caught_by: rooms("sending::nothing_newer_is_shown_until_what_is_missing_can_be_read"),
    },
    Bug {
        name: "a late answer of the store goes to the room of that name",
        promise: "P2 a life is purged once, and no other",
        changes: &[
            change(
                WRITER,
                "let Some(head) = self.room.head() else { return };\n        let is_dense",
                "let head = self.room.head().unwrap_or(0);\n        let is_dense",
            ),
            change(
                WRITER,
                "self.room.deliver(fresh.messages, self.shared);",
                "if let Some(room) = self.shared.find(self.room.name()) {\n            room.deliver(fresh.messages, self.shared);\n        }",
            ),
        ],
        caught_by: rooms("purge::what_the_store_answers_too_late_reaches_no_other_life"),
    },
    Bug {
        name: "the number is taken before the append",
        promise: "P5 stored before shown, once",
        changes: &[change(
            WRITER,
            "        let results = self.shared.store.append(self.life, drafts, deadline).await;\n",
            "        let shown = drafts.iter().zip(self.room.head().unwrap_or(0) + 1..);\n        let shown = shown.map(|(draft, seq)| {\n            Arc::new(Message::new(seq, crate::Timestamp::now(), draft.clone()))\n        });\n        self.room.deliver(shown.collect(), self.shared);\n        let results = self.shared.store.append(self.life, drafts, deadline).await;\n",
        )],
        caught_by: rooms("sending::a_refused_message_leaves_no_hole_and_nobody_sees_it"),
    },
    Bug {
        name: "what nobody has seen can be taken back",
        promise: "P4 one order, the same for all",
        changes: &[change(
            WRITER,
            "self.room.head().is_none_or(|head| redact.seq > head)",
            "self.room.head().is_none()",
        )],
        caught_by: rooms("sending::what_nobody_has_seen_cannot_be_taken_back"),
    },
    Bug {
        name: "two writers write to one life",
        promise: "P4 one order, the same for all",
        changes: &[change(
            "chatrooms-core/src/writes.rs",
            "!std::mem::replace(&mut self.running, true)",
            "std::mem::replace(&mut self.running, true) || true",
        )],
        caught_by: rooms("sending::those_who_send_while_the_store_is_busy_share_its_next_batch"),
    },
    Bug {
        name: "what still waits is not answered when the room ends",
        promise: "P5 stored before shown, once",
        changes: &[change(
            "chatrooms-core/src/writes.rs",
            "write.job.refuse(Error::NotInRoom);",
            "std::mem::forget(write);",
        )],
        caught_by: rooms("purge::what_still_waits_when_the_room_ends_is_answered_and_never_stored"),
    },
    Bug {
        name: "what waits at its deadline cannot be withdrawn",
        promise: "P5 stored before shown, once",
        changes: &[change(
            "chatrooms-core/src/writes.rs",
            "found.ok().and_then(|index| self.queue.remove(index)).is_some()",
            "found.ok().and_then(|index| self.queue.get(index)).is_none()",
        )],
        caught_by: rooms("sending::a_message_that_still_waits_at_its_deadline_is_withdrawn"),
    },
    Bug {
        name: "what is late is written all the same",
        promise: "P5 stored before shown, once",
        changes: &[change("chatrooms-core/src/writes.rs", "        self.refuse_late();\n", "")],
        caught_by: rooms(
            "sending::what_nobody_waits_for_any_more_is_withdrawn_at_its_deadline_too",
        ),
    },
    Bug {
        name: "a watch begins with the rooms and then with what comes",
        promise: "P3 a join is one cut",
        changes: &[change(
            LIVE,
            "let is_told = self.audience.add(watcher) && self.begun.is_some();",
            "let is_told = self.begun.is_some();",
        )],
        caught_by: rooms(
            "watching::what_is_there_when_a_watch_begins_is_told_once_and_then_its_changes",
        ),
    },
    Bug {
        name: "a room lingers on although people have come back",
        promise: "P8 no ghosts, and a deploy loses nothing",
        changes: &[change(LIVE, "        self.lingering = None;\n", "")],
        caught_by: rooms("linger::who_has_come_back_is_still_there_while_a_shutdown_waits"),
    },
    Bug {
        name: "a return that failed has lost what was kept",
        promise: "P8 no ghosts, and a deploy loses nothing",
        changes: &[change(
            "chatrooms-core/src/opening.rs",
            "            put_back(Life { room: room.name().clone(), epoch }, until, room, shared);\n",
            "            let _ = put_back;\n",
        )],
        caught_by: rooms("linger::a_return_that_fails_once_can_be_tried_again"),
    },
    Bug {
        name: "a return that failed in a process that stops ends what was kept",
        promise: "P8 no ghosts, and a deploy loses nothing",
        changes: &[change(
            "chatrooms-core/src/opening.rs",
            "    if shared.is_stopping() {\n        return;\n    }\n",
            "",
        )],
        caught_by: rooms(
            "linger::a_return_in_a_process_that_stops_leaves_the_life_to_the_next_one",
        ),
    },
    Bug {
        name: "an earlier process' lives are left where they are",
        promise: "P8 no ghosts, and a deploy loses nothing",
        changes: &[change(
            "chatrooms-core/src/opening.rs",
            "        if let Some(life) = over {\n            shared.sweep(life, &runtime);\n        }\n    }\n    sweep_expired",
            "        drop(over);\n    }\n    sweep_expired",
        )],
        caught_by: rooms("linger::an_earlier_process_lives_are_purged_at_the_start"),
    },
    Bug {
        name: "who ends a session is told so before it is out of its rooms",
        promise: "P1 atomic membership",
        changes: &[change(
            "chatrooms-core/src/peer.rs",
            "        rooms.closed = true;\n        rooms.list.iter()",
            "        if std::mem::replace(&mut rooms.closed, true) {\n            return Vec::new();\n        }\n        rooms.list.iter()",
        )],
        caught_by: core(
            "effects::tests::who_ends_a_session_that_somebody_else_is_ending_sees_it_gone",
        ),
    },
    Bug {
        name: "a signal of somebody who was kicked meanwhile is relayed",
        promise: "P1 atomic membership",
        changes: &[change(ROOM, "if !live.roster.contains(user, from) {", "if false {")],
        caught_by: core(
            "room::tests::a_signal_of_somebody_who_was_kicked_meanwhile_reaches_nobody",
        ),
    },
    Bug {
        name: "somebody who was kicked meanwhile is told who is there",
        promise: "P1 atomic membership",
        changes: &[change(
            ROOM,
            "let is_member = live.roster.contains(whom.user(), whom.id());",
            "let is_member = true;",
        )],
        caught_by: core("room::tests::who_was_kicked_meanwhile_is_not_told_who_is_there"),
    },
    Bug {
        name: "who asks for the members is told of those whom nobody else has been told of",
        promise: "P6 users, not tabs",
        changes: &[change(
            ROOM,
            "live.roster.page(after, Some(whom.user()), bytes);",
            "live.roster.present(after, bytes);",
        )],
        caught_by: rooms("presence::members_are_paged_as_they_were_told_and_with_oneself"),
    },
    Bug {
        name: "a room that waits for a return keeps its registry",
        promise: "P10 nothing is unbounded",
        changes: &[
            change(
                ROOM,
                "let (room, shared) = (Arc::downgrade(self), Arc::downgrade(shared));",
                "let kept = (Arc::clone(self), Arc::clone(shared));\n        let (room, shared) = (Arc::downgrade(self), Arc::downgrade(shared));",
            ),
            change(
                ROOM,
                "            tokio::time::sleep_until(time).await;\n",
                "            tokio::time::sleep_until(time).await;\n            drop(kept);\n",
            ),
        ],
        caught_by: rooms("linger::a_registry_that_is_dropped_takes_its_lingering_rooms_with_it"),
    },
    Bug {
        name: "a resume holds as much that was taken back as there is",
        promise: "R a resume is whole or none",
        changes: &[change(
            LIVE,
            "let bytes = bytes.checked_sub(redacted.len() * cost::NUMBER)?;\n",
            "",
        )],
        caught_by: rooms("resume::what_was_taken_back_has_to_fit_into_a_resume_too"),
    },
    Bug {
        name: "a visitor who is too late says something in a room that waits for a return",
        promise: "P8 no ghosts, and a deploy loses nothing",
        changes: &[change(
            WRITER,
            "Self::Visitor(_) | Self::Host => !live.roster.is_empty(),",
            "Self::Visitor(_) | Self::Host => true,",
        )],
        caught_by: rooms(
            "linger::what_a_visitor_says_too_late_is_not_kept_for_those_who_come_back",
        ),
    },
    Bug {
        name: "nobody hears which messages the store still has",
        promise: "P5 stored before shown, once",
        changes: &[change(
            WRITER,
            "            live.trimmed(oldest);\n",
            "            let _ = oldest;\n",
        )],
        caught_by: rooms("sending::what_the_store_has_forgotten_is_shown_to_nobody"),
    },
];
