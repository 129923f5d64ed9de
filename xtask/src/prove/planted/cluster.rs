//! One room on many nodes, while Redis is away for a moment or its answers are lost.

use super::{Bug, change, redis};

const BELL: &str = "chatrooms-core/src/cluster/bell.rs";
const LINKED: &str = "chatrooms-core/src/linked.rs";
const LEAVING: &str = "chatrooms-core/src/steward/leaving.rs";
const STEWARD: &str = "chatrooms-core/src/steward.rs";
const WRITER: &str = "chatrooms-core/src/writer.rs";

pub(super) const BUGS: &[Bug] = &[
    Bug {
        name: "a leave is not waited for where the cluster is away for a moment (cluster)",
        promise: "P3 a join is one cut",
        changes: &[change(
            LEAVING,
            "Some(Err(ClusterError::Unavailable { .. })) => return Some(leave),",
            "Some(Err(ClusterError::Unavailable { .. })) => return None,",
        )],
        caught_by: redis(
            "nodes::lost_answers::whoever_leaves_or_asks_while_redis_is_away_for_a_moment_has_what_was_accepted_before",
        ),
    },
    Bug {
        name: "who asks is answered although the news could not be read (cluster)",
        promise: "P3 a join is one cut",
        changes: &[change(
            STEWARD,
            "self.catching_up.push(waiting);\n                self.read().await;",
            "self.read().await;\n                let _ = waiting.send(());",
        )],
        caught_by: redis(
            "nodes::lost_answers::whoever_leaves_or_asks_while_redis_is_away_for_a_moment_has_what_was_accepted_before",
        ),
    },
    Bug {
        name: "whoever has left without an answer is taken for dead (cluster)",
        promise: "P1 atomic membership",
        changes: &[change(
            LINKED,
            "None if has_left => {}",
            "None if has_left && user.as_str().is_empty() => {}",
        )],
        caught_by: redis(
            "nodes::lost_answers::a_leave_of_which_the_answer_is_lost_is_done_and_told_what_was_before",
        ),
    },
    Bug {
        name: "whoever was the last to leave, without an answer, is removed from the room that is over (cluster)",
        promise: "P1 atomic membership",
        changes: &[change(STEWARD, "                self.let_out_the_last();\n", "")],
        caught_by: redis(
            "nodes::lost_answers::the_last_leave_of_which_the_answer_is_lost_ends_the_room_and_removes_nobody",
        ),
    },
    Bug {
        name: "a join of which the answer is lost is said not to have been (cluster)",
        promise: "P6 users, not tabs",
        changes: &[change(
            STEWARD,
            "NoEntry::Refused(Error::OutcomeUnknown)",
            "NoEntry::Refused(Error::StoreUnavailable)",
        )],
        caught_by: redis(
            "nodes::lost_answers::a_join_of_which_the_answer_is_lost_may_have_been_seen_and_leaves_nobody_behind",
        ),
    },
    Bug {
        name: "what stands behind a gap is shown where the cluster has lost the gap (cluster)",
        promise: "P3 a join is one cut",
        changes: &[change(
            WRITER,
            "let is_next = |head| fresh.messages.first().is_none_or(|first| first.seq <= head + 1);",
            "let is_next = |_| true;",
        )],
        caught_by: redis(
            "nodes::lost_answers::what_was_accepted_in_a_life_that_is_lost_is_not_shown_behind_a_gap",
        ),
    },
    Bug {
        name: "a bell that says nothing of how far the room has come is not looked at (cluster)",
        promise: "H the host's rules hold",
        changes: &[change(BELL, "        lock(&self.0.said).newest = None;\n", "")],
        caught_by: redis(
            "nodes::host::a_room_that_is_closed_is_over_on_the_other_nodes_before_they_look_by_themselves",
        ),
    },
];
