//! What is kept, in which order, and how it is removed.

use super::{Bug, change, core, rooms, sqlite, sqlite_units};

const MEMORY: &str = "chatrooms-core/src/memory.rs";
const SWEEPER: &str = "chatrooms-core/src/sweeper.rs";
const BATCH: &str = "chatrooms-sqlite/src/batch.rs";
const CONNECTION: &str = "chatrooms-sqlite/src/connection.rs";
const JOB: &str = "chatrooms-sqlite/src/job.rs";
const LIVES: &str = "chatrooms-sqlite/src/lives.rs";
const LIVE: &str = "chatrooms-core/src/live.rs";
const OPEN: &str = "chatrooms-sqlite/src/open.rs";
const PURGE: &str = "chatrooms-sqlite/src/purge.rs";
const READER: &str = "chatrooms-sqlite/src/reader.rs";
const SCHEMA: &str = "chatrooms-sqlite/src/schema/1.sql";
const STORE: &str = "chatrooms-sqlite/src/store.rs";

pub(super) const BUGS: &[Bug] = &[
    Bug {
        name: "a transaction takes the lock when it writes, not when it begins (SQLite)",
        promise: "P5 stored before shown, once",
        changes: &[change(CONNECTION, "query(\"BEGIN IMMEDIATE\")", "query(\"BEGIN\")")],
        caught_by: sqlite("locked::a_program_that_writes_all_the_time_makes_nothing_fail"),
    },
    Bug {
        name: "a reader that is given back is lost (SQLite)",
        promise: "P10 nothing is unbounded",
        changes: &[change(
            READER,
            "slots.extend(slot.take());",
            "drop((slot.take(), &mut slots));",
        )],
        caught_by: sqlite_units(
            "store::tests::a_read_that_finds_all_readers_busy_gives_up_in_time_and_leaves_nothing",
        ),
    },
    Bug {
        name: "a purge that failed is not tried again",
        promise: "P2 a life is purged once, and no other",
        changes: &[change(
            SWEEPER,
            "while !sweeper.close(&life).await {",
            "if !sweeper.close(&life).await {",
        )],
        caught_by: rooms("purge::a_purge_that_fails_is_tried_again_with_back_off_and_counted"),
    },
    Bug {
        name: "a purge that hangs keeps its slot",
        promise: "P2 a life is purged once, and no other",
        changes: &[change(
            SWEEPER,
            "    drop(slot);\n    work.await",
            "    let done = work.await;\n    drop(slot);\n    done",
        )],
        caught_by: rooms("purge::purges_that_hang_hold_up_no_other"),
    },
    Bug {
        name: "the number is taken before the nonce is looked at (memory)",
        promise: "P5 stored before shown, once",
        changes: &[
            change(
                MEMORY,
                "        let mark = draft.user.clone().zip(draft.nonce.clone());\n",
                "        self.head += 1;\n        let mark = draft.user.clone().zip(draft.nonce.clone());\n",
            ),
            change(
                MEMORY,
                "        self.head += 1;\n        if let Some(mark) = mark {",
                "        if let Some(mark) = mark {",
            ),
        ],
        caught_by: core("conformance::memory::plain::a_nonce_is_stored_once"),
    },
    Bug {
        name: "a nonce is not remembered (memory)",
        promise: "P5 stored before shown, once",
        changes: &[change(
            MEMORY,
            "            self.nonces.insert(mark, self.head);\n",
            "            drop(mark);\n",
        )],
        caught_by: core("conformance::memory::plain::a_nonce_is_stored_once"),
    },
    Bug {
        name: "a life that has ended is found by whoever had it (memory)",
        promise: "P2 a life is purged once, and no other",
        changes: &[change(MEMORY, "Kept { over: true, ..Kept::default() }", "Kept::default()")],
        caught_by: core("memory::tests::who_has_found_a_life_just_before_its_end_finds_it_ended"),
    },
    Bug {
        name: "a nonce is not remembered within a batch (SQLite)",
        promise: "P5 stored before shown, once",
        changes: &[change(
            BATCH,
            "known.extend(self.mark(append, draft).map(|mark| (mark, (seq, at))));",
            "let _ = (seq, at);",
        )],
        caught_by: sqlite("conformance::file::a_nonce_is_stored_once"),
    },
    Bug {
        name: "a refused row takes a number (SQLite)",
        promise: "P5 stored before shown, once",
        changes: &[change(
            BATCH,
            "            self.appends[*append].outcomes[*draft] = Outcome::Refused(error.clone());",
            "            let append = &mut self.appends[*append];\n            self.lives[append.life].state.head += 1;\n            append.outcomes[*draft] = Outcome::Refused(error.clone());",
        )],
        caught_by: sqlite("batching::a_row_that_the_database_refuses_fails_alone"),
    },
    Bug {
        name: "messages are removed by the name of the room (SQLite)",
        promise: "P2 a life is purged once, and no other",
        changes: &[change(
            PURGE,
            "\"DELETE FROM chatrooms_messages WHERE life = ?1 \\\n         AND seq < (SELECT min(seq) FROM chatrooms_messages WHERE life = ?1) + ?2\",",
            "\"DELETE FROM chatrooms_messages WHERE life IN (SELECT id FROM chatrooms_lives \\\n         WHERE room = (SELECT room FROM chatrooms_lives WHERE id = ?1)) AND seq < ?2\",",
        )],
        caught_by: sqlite("conformance::file::lives_never_mix"),
    },
    Bug {
        name: "a commit brings an ended life back (SQLite)",
        promise: "P2 a life is purged once, and no other",
        changes: &[change(
            BATCH,
            "State { over: state.over, writing: false, doubtful: false, ..new }",
            "State { writing: false, doubtful: false, ..new }",
        )],
        caught_by: sqlite_units("batch::tests::a_life_that_ends_during_a_transaction_stays_ended"),
    },
    Bug {
        name: "a life in a transaction is forgotten at its end (SQLite)",
        promise: "P2 a life is purged once, and no other",
        changes: &[change(
            LIVES,
            "self.row.is_none() && !self.writing && !self.doubtful",
            "self.row.is_none() && !self.doubtful",
        )],
        caught_by: sqlite_units(
            "lives::tests::a_life_that_may_be_in_the_file_is_not_forgotten_at_its_end",
        ),
    },
    Bug {
        name: "a life that is in doubt is written to as if it was not (SQLite)",
        promise: "P5 stored before shown, once",
        changes: &[
            change(
                BATCH,
                "touched.state.row.is_some() && !touched.state.doubtful;",
                "touched.state.row.is_some();",
            ),
            change(
                BATCH,
                "            reader::settle(conn, &touched.life.life, &mut touched.state).await?;\n",
                "            touched.state.doubtful = false;\n",
            ),
        ],
        caught_by: sqlite_units(
            "store::tests::a_life_in_doubt_is_read_from_the_file_before_anything_is_added",
        ),
    },
    Bug {
        name: "lives of an earlier process return by themselves (SQLite)",
        promise: "P8 no ghosts, and a deploy loses nothing",
        changes: &[change(
            LIVES,
            "Some(Known::Here(open)) if !open.state().over => Ok(Arc::clone(open)),",
            "Some(Known::Here(open)) if !open.state().over => Ok(Arc::clone(open)),\n            Some(Known::Abandoned(row)) => {\n                let state = State { row: Some(*row), head: 9, oldest: 1, ..State::default() };\n                Ok(Arc::new(OpenLife::new(life.clone(), state)))\n            }",
        )],
        caught_by: sqlite("conformance::file::the_lives_of_an_earlier_process_are_listed"),
    },
    Bug {
        name: "an end that was noted is forgotten by a restart (SQLite)",
        promise: "P8 no ghosts, and a deploy loses nothing",
        changes: &[change(
            OPEN,
            "if number(row.try_get(3)?) == 0 => {",
            "if number(row.try_get(3)?) < 2 => {",
        )],
        caught_by: sqlite(
            "restart::an_ended_life_never_comes_back_although_its_removal_was_cut_off",
        ),
    },
    Bug {
        name: "an append that has begun can be withdrawn (SQLite)",
        promise: "P5 stored before shown, once",
        changes: &[change(
            JOB,
            "        self.decide(WITHDRAWN)\n",
            "        self.decide(WITHDRAWN) || true\n",
        )],
        caught_by: sqlite_units("job::tests::a_ticket_is_begun_or_withdrawn_and_never_both"),
    },
    Bug {
        name: "an append begins after its deadline (SQLite)",
        promise: "P5 stored before shown, once",
        changes: &[change(
            JOB,
            "Instant::now() <= self.deadline && self.decide(BEGUN)",
            "self.decide(BEGUN)",
        )],
        caught_by: sqlite_units("job::tests::nothing_begins_after_its_deadline"),
    },
    Bug {
        name: "a life is lost by a return that is given up (SQLite)",
        promise: "P8 no ghosts, and a deploy loses nothing",
        changes: &[change(
            LIVES,
            "            *known = Known::Abandoned(self.row);\n        }\n    }\n}\n\n/// A life of this process.",
            "            let _ = known;\n        }\n    }\n}\n\n/// A life of this process.",
        )],
        caught_by: sqlite("cancellation::a_life_whose_reopening_is_cancelled_stays_where_it_was"),
    },
    Bug {
        name: "a read that is given up keeps its connection (SQLite)",
        promise: "P1 atomic membership",
        changes: &[change(
            "chatrooms-sqlite/src/reader.rs",
            "            if !pool.free.is_closed() {\n                slots.extend(slot.take());",
            "            if pool.free.is_closed() {\n                slots.extend(slot.take());",
        )],
        caught_by: sqlite("cancellation::a_cancelled_read_harms_nothing"),
    },
    Bug {
        name: "what was taken back before a restart is told to nobody after it (SQLite)",
        promise: "R a resume is whole or none",
        changes: &[change(
            STORE,
            "let redacted = reader::redacted(conn, row).await?;",
            "let redacted = Vec::new();",
        )],
        caught_by: sqlite("conformance::file::the_lives_of_an_earlier_process_are_listed"),
    },
    Bug {
        name: "a trim takes one message too few (memory)",
        promise: "P10 nothing is unbounded",
        changes: &[change(
            MEMORY,
            "is_some_and(|message| message.seq <= up_to)",
            "is_some_and(|message| message.seq < up_to)",
        )],
        caught_by: core("conformance::memory::plain::trimming_takes_the_oldest"),
    },
    Bug {
        name: "a return after a restart is a resume, whatever has been trimmed",
        promise: "R a resume is whole or none",
        changes: &[change(
            LIVE,
            "let forgotten = if opened.oldest > 1 { opened.head } else { 0 };",
            "let forgotten = 0;",
        )],
        caught_by: rooms(
            "linger::a_return_is_no_resume_where_not_all_can_be_told_that_was_taken_back",
        ),
    },
    Bug {
        name: "case does not count in a nonce (memory)",
        promise: "P5 stored before shown, once",
        changes: &[change(
            MEMORY,
            "let mark = draft.user.clone().zip(draft.nonce.clone());",
            "let folded = draft.nonce.as_ref().map(|nonce| nonce.as_str().to_lowercase());\n        let mark = draft.user.clone().zip(folded.and_then(|nonce| crate::Nonce::new(&nonce)));",
        )],
        caught_by: core("conformance::memory::plain::a_nonce_is_stored_once"),
    },
    Bug {
        name: "case does not count in who has said something (SQLite)",
        promise: "P5 stored before shown, once",
        changes: &[change(SCHEMA, "    author TEXT,\n", "    author TEXT COLLATE NOCASE,\n")],
        caught_by: sqlite("conformance::file::a_nonce_is_stored_once"),
    },
];
