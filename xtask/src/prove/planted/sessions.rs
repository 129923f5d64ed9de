//! One client: what it may do, what waits for it, and how it goes.

use super::{Bug, change, core, rooms};

const EFFECTS: &str = "chatrooms-core/src/effects.rs";
const OUTBOX: &str = "chatrooms-core/src/outbox.rs";
const PEER: &str = "chatrooms-core/src/peer.rs";
const SESSION: &str = "chatrooms-core/src/session.rs";
const SHARED: &str = "chatrooms-core/src/shared.rs";
const SHUTDOWN: &str = "chatrooms-core/src/shutdown.rs";
const WRITER: &str = "chatrooms-core/src/writer.rs";

pub(super) const BUGS: &[Bug] = &[
    Bug {
        name: "a session that has ended gets in",
        promise: "P1 atomic membership",
        changes: &[
            change(
                PEER,
                "            Some(_) => return Err(Error::SessionEnded),\n",
                "            Some(_) => {}\n",
            ),
            change(
                PEER,
                "        if rooms.closed {\n            return Err(Error::SessionEnded);\n        }\n",
                "",
            ),
        ],
        caught_by: rooms(
            "membership::a_session_that_has_ended_gets_in_nowhere_however_late_its_join_runs",
        ),
    },
    Bug {
        name: "dropping a session blocks",
        promise: "P1 atomic membership",
        changes: &[change(
            SESSION,
            "        shared.forget_session(&self.peer);\n",
            "        shared.forget_session(&self.peer);\n        if let Ok(runtime) = tokio::runtime::Handle::try_current() {\n            runtime.block_on(shared.sweeper.idle());\n        }\n",
        )],
        caught_by: rooms(
            "membership::a_session_is_in_several_rooms_and_dropping_it_leaves_them_all",
        ),
    },
    Bug {
        name: "dropping a session needs a runtime",
        promise: "P1 atomic membership",
        changes: &[change(
            SHARED,
            "        } else {\n            self.tasks.spawn_on(work, runtime);",
            "        } else {\n            let _ = runtime;\n            self.tasks.spawn(work);",
        )],
        caught_by: rooms("membership::a_session_can_be_dropped_outside_of_a_runtime"),
    },
    Bug {
        name: "store work goes with the one who asked for it",
        promise: "P5 stored before shown, once",
        changes: &[change(
            SHARED,
            "        if !is_done_in_place(&mut work) {\n            self.tasks.spawn_on(work, runtime);",
            "        if !is_done_in_place(&mut work) {\n            self.tasks.spawn_on(work, runtime).abort();",
        )],
        caught_by: rooms("cancellation::a_cancelled_message_is_stored_and_shown_or_neither"),
    },
    Bug {
        name: "nobody asks again after a hook whether they are still there",
        promise: "H the host's rules hold",
        changes: &[change(WRITER, "            author.is_heard(live)?;\n", "")],
        caught_by: rooms("policy::membership_is_asked_again_after_a_slow_hook"),
    },
    Bug {
        name: "nobody asks again after a hook whether they are muted",
        promise: "H the host's rules hold",
        changes: &[change(
            WRITER,
            "            author.may_speak(live, draft.nonce.as_ref())?;\n",
            "",
        )],
        caught_by: rooms("moderation::who_is_muted_while_the_policy_thinks_is_not_heard"),
    },
    Bug {
        name: "what a policy makes of a message is not held to its bounds",
        promise: "P10 nothing is unbounded",
        changes: &[change(
            "chatrooms-core/src/registry.rs",
            "Box::pin(ask(&self.shared, \"before_publish\", asked)).await?;\n        self.check_size(&draft)?;",
            "Box::pin(ask(&self.shared, \"before_publish\", asked)).await?;",
        )],
        caught_by: rooms("policy::a_message_can_be_rewritten_within_its_bounds"),
    },
    Bug {
        name: "what is meant for one life is done to the next",
        promise: "H the host's rules hold",
        changes: &[change(
            "chatrooms-core/src/moderation.rs",
            "self.life.is_none_or(|life| life == live.life.epoch)",
            "self.life.is_none_or(|life| life <= live.life.epoch)",
        )],
        caught_by: rooms("moderation::what_is_meant_for_one_life_does_nothing_to_the_next"),
    },
    Bug {
        name: "what waits for a client is not counted",
        promise: "P7 slow readers harm only themselves",
        changes: &[change(
            OUTBOX,
            "        self.bytes += item.cost();\n        self.frames += item.frames();\n        self.queue.push_back(item);",
            "        self.frames += item.frames();\n        self.queue.push_back(item);",
        )],
        caught_by: rooms(
            "slow_readers::over_its_bound_of_bytes_a_session_is_closed_and_may_resume",
        ),
    },
    Bug {
        name: "a session that is too slow stays in its rooms",
        promise: "P7 slow readers harm only themselves",
        changes: &[change(
            EFFECTS,
            "            self.end(&peer, CloseReason::SlowConsumer, shared);\n",
            "            peer.outbox.close(CloseReason::SlowConsumer);\n",
        )],
        caught_by: rooms(
            "slow_readers::over_its_bound_of_frames_a_session_is_closed_and_out_of_its_rooms_at_once",
        ),
    },
    Bug {
        name: "messages give way like signals",
        promise: "P7 slow readers harm only themselves",
        changes: &[change(
            OUTBOX,
            "if item.is_signal() && self.is_over(&state, 4) {",
            "if self.is_over(&state, 4) {",
        )],
        caught_by: rooms("slow_readers::signals_go_first_and_answers_never"),
    },
    Bug {
        name: "a stall is counted from the join",
        promise: "P7 slow readers harm only themselves",
        changes: &[change(
            OUTBOX,
            "self.meter.last().max(state.crowded_since?);",
            "self.meter.last().min(state.crowded_since?);",
        )],
        caught_by: core("outbox::tests::silence_before_there_was_much_to_take_is_no_stall"),
    },
    Bug {
        name: "the end comes before what waits",
        promise: "P9 a shutdown is graceful",
        changes: &[change(
            OUTBOX,
            "            if state.queue.is_empty() {\n                return state.closed.clone().map(Err);\n            }",
            "            if state.queue.is_empty() || state.closed.is_some() {\n                return state.closed.clone().map(Err);\n            }",
        )],
        caught_by: rooms("membership::what_waits_for_a_session_that_ends_can_still_be_taken"),
    },
    Bug {
        name: "the last reason stands",
        promise: "P9 a shutdown is graceful",
        changes: &[change(
            OUTBOX,
            "        if self.closed.is_some() {\n            return;\n        }\n        if matches!",
            "        if matches!",
        )],
        caught_by: rooms("slow_readers::the_first_reason_stands"),
    },
    Bug {
        name: "a push wakes nobody",
        promise: "P4 one order, the same for all",
        changes: &[change(
            OUTBOX,
            "        pushed.wake = state.reader.take();\n        pushed",
            "        pushed",
        )],
        caught_by: rooms("slow_readers::whoever_waits_is_woken_by_a_push_and_by_the_end"),
    },
    Bug {
        name: "purges are not waited for at a shutdown",
        promise: "P9 a shutdown is graceful",
        changes: &[
            change(
                SHUTDOWN,
                "        let _ = timeout_at(purges_by, shared.sweeper.idle()).await;\n",
                "",
            ),
            change(
                SHUTDOWN,
                "        // The policy is told of that, too.\n        let _ = timeout_at(purges_by, shared.tasks.wait()).await;\n",
                "",
            ),
        ],
        caught_by: rooms("rules::a_shutdown_waits_for_what_the_policy_is_told"),
    },
    Bug {
        name: "a session that does not go is waited for",
        promise: "P9 a shutdown is graceful",
        changes: &[change(
            SHUTDOWN,
            "            end_peer(peer, CloseReason::Gone, self.shared());\n",
            "            peer.outbox.close(CloseReason::Gone);\n",
        )],
        caught_by: rooms("shutdown::a_session_that_does_not_go_is_cut_off_in_time_for_its_purge"),
    },
    Bug {
        name: "a linger runs out while a shutdown waits",
        promise: "P9 a shutdown is graceful",
        changes: &[change(
            SHUTDOWN,
            "            room.wait_on(shared);\n",
            "            let _ = room;\n",
        )],
        caught_by: rooms("shutdown::no_linger_runs_out_while_a_shutdown_waits"),
    },
    Bug {
        name: "joins under way are not counted against the rooms of a session",
        promise: "P10 nothing is unbounded",
        changes: &[change(
            PEER,
            "if rooms.list.len() >= most {",
            "if rooms.list.len() >= most && rooms.list.len() > 64 {",
        )],
        caught_by: rooms("limits::joins_at_the_same_time_are_counted_too"),
    },
    Bug {
        name: "a session that is not let in is counted",
        promise: "P10 nothing is unbounded",
        changes: &[change(
            SHARED,
            "                self.session_count.remove();\n                self.forget_user",
            "                self.forget_user",
        )],
        caught_by: rooms("limits::a_user_has_so_many_sessions_and_all_users_so_many"),
    },
    Bug {
        name: "a session whose end panics in one room stays in the next",
        promise: "P1 atomic membership",
        changes: &[change(
            EFFECTS,
            "        let exits: Vec<Self> = rooms.iter().map(exit).collect();\n        for mut effects in exits {",
            "        for mut effects in rooms.iter().map(exit) {",
        )],
        caught_by: rooms(
            "membership::a_session_whose_end_panics_somewhere_is_out_of_all_its_rooms",
        ),
    },
    Bug {
        name: "an entry is kept of each user who has been there",
        promise: "P10 nothing is unbounded",
        changes: &[change(
            SHARED,
            "            self.session_count.remove();\n        }\n        self.forget_user_without_sessions(peer.user());\n",
            "            self.session_count.remove();\n        }\n",
        )],
        caught_by: core("shared::tests::nothing_is_left_of_a_user_whose_last_session_has_gone"),
    },
    Bug {
        name: "an entry is kept of each user who was refused",
        promise: "P10 nothing is unbounded",
        changes: &[change(
            SHARED,
            "                self.forget_user_without_sessions(peer.user());\n            }\n        }\n        added",
            "            }\n        }\n        added",
        )],
        caught_by: core("shared::tests::nothing_is_left_of_a_user_who_was_refused"),
    },
];
