//! What a client sees on its socket.

use super::{Bug, change, ws};

const FRAMES: &str = "chatrooms-ws/src/frames.rs";
const LANES: &str = "chatrooms-ws/src/lanes.rs";
const NAME: &str = "chatrooms-core/src/name.rs";
const ORIGIN: &str = "chatrooms-ws/src/origin.rs";
const OUTGOING: &str = "chatrooms-ws/src/outgoing.rs";
const REVOCATION: &str = "chatrooms-ws/src/revocation.rs";
const SHORTCUT: &str = "chatrooms-ws/src/shortcut.rs";
const SOCKET: &str = "chatrooms-ws/src/socket.rs";

pub(super) const BUGS: &[Bug] = &[
    Bug {
        name: "a write that somebody else has begun is ended by nobody",
        promise: "P7 slow readers harm only themselves",
        changes: &[change(SHORTCUT, "if lock(&self.socket).has_batch() {", "if false {")],
        caught_by: ws(
            "shortcut::tests::what_a_socket_does_not_take_at_once_is_written_by_the_task",
        ),
    },
    Bug {
        name: "what comes behind what a task has taken is written before it",
        promise: "P4 one order, the same for all",
        changes: &[change(OUTGOING, "!(self.is_awake || self.has_batch()", "!(self.has_batch()")],
        caught_by: ws("shortcut::tests::nobody_writes_what_comes_behind_what_the_task_has_taken"),
    },
    Bug {
        name: "who has been written to once is told nothing more",
        promise: "P4 one order, the same for all",
        changes: &[change(
            SHORTCUT,
            "is_written && self.outbox.write_next(Waker::from(Arc::clone(self)))",
            "is_written",
        )],
        caught_by: ws(
            "shortcut::tests::what_is_told_to_a_sleeping_session_is_there_without_its_task",
        ),
    },
    Bug {
        name: "the end of a session wakes nobody",
        promise: "P9 a shutdown is graceful",
        changes: &[change(
            SHORTCUT,
            "        if told.is_empty() {\n            return false;",
            "        if told.is_empty() {\n            return true;",
        )],
        caught_by: ws("shortcut::tests::an_end_wakes_the_task_which_says_goodbye"),
    },
    Bug {
        name: "names that are plain at a glance may be dots",
        promise: "W the wire is as it is written down",
        changes: &[change(
            NAME,
            "matches!(byte, b'-' | b'_')",
            "matches!(byte, b'-' | b'_' | b'.')",
        )],
        caught_by: ws("properties::tests::what_fuzzers_have_found_worth_keeping_holds_no_surprise"),
    },
    Bug {
        name: "bye is not the last that is told",
        promise: "P9 a shutdown is graceful",
        changes: &[change(
            SOCKET,
            "    loop {\n        let out = tokio::select! {\n",
            "    loop {\n        if let Some(reason) = outbox.closed() {\n            let goodbye = Box::pin(say_goodbye(sink, &reason));\n            return timeout_at(after(Instant::now(), options.close_timeout), goodbye).await == Ok(true);\n        }\n        let out = tokio::select! {\n",
        )],
        caught_by: ws("socket::tests::a_shutdown_writes_all_that_waits_for_whoever_reads_on"),
    },
    Bug {
        name: "something follows the close",
        promise: "P9 a shutdown is graceful",
        changes: &[change(
            OUTGOING,
            "            None | Some(Ok(Message::Close(_))) => true,\n            // The layer",
            "            None | Some(Ok(Message::Close(_))) => false,\n            // The layer",
        )],
        caught_by: ws("outgoing::tests::what_has_not_begun_when_the_client_closes_is_not_said"),
    },
    Bug {
        name: "a close overtakes what was told before it",
        promise: "P9 a shutdown is graceful",
        changes: &[change(
            OUTGOING,
            "        if this.has_batch() {\n            ready!(Pin::new(&mut this.socket).poll_flush(cx))?;\n        }\n",
            "",
        )],
        caught_by: ws("outgoing::tests::what_is_told_stands_before_a_close_that_comes_after_it"),
    },
    Bug {
        name: "a pong goes into the middle of a frame",
        promise: "P4 one order, the same for all",
        changes: &[change(
            "chatrooms-ws/src/batch.rs",
            "while self.begun > 0",
            "while self.begun > PIECE",
        )],
        caught_by: ws(
            "outgoing::tests::batches_and_pongs_never_mix_however_little_the_connection_takes",
        ),
    },
    Bug {
        name: "hello comes when there is a turn for it",
        promise: "W the wire is as it is written down",
        changes: &[change(
            SOCKET,
            "session.outbox().answer_first(hello(session, options));",
            "session.outbox().answer(hello(session, options));",
        )],
        caught_by: ws(
            "socket::tests::hello_comes_first_whatever_a_session_has_been_told_before_it_is_served",
        ),
    },
    Bug {
        name: "a leave overtakes what was said before it",
        promise: "W the wire is as it is written down",
        changes: &[change(
            LANES,
            "if is_barrier(action) && !self.finishing.is_empty() => return false,",
            "if is_barrier(action) && self.waiting.is_empty() => return false,",
        )],
        caught_by: ws("socket::tests::what_is_said_before_a_leave_is_stored_before_it"),
    },
    Bug {
        name: "what is asked is answered before the first rooms are joined",
        promise: "W the wire is as it is written down",
        changes: &[change(
            SOCKET,
            "        while first_rooms.is_terminated()\n            && lanes",
            "        while (first_rooms.is_terminated() || !backlog.is_empty())\n            && lanes",
        )],
        caught_by: ws(
            "socket::tests::what_is_asked_before_the_first_rooms_are_joined_is_answered_after_them",
        ),
    },
    Bug {
        name: "the end of a socket is not noticed while its first rooms are joined",
        promise: "P1 atomic membership",
        changes: &[change(
            SOCKET,
            "options.requests), if backlog.len() < options.requests => {",
            "options.requests), if first_rooms.is_terminated() && backlog.len() < options.requests => {",
        )],
        caught_by: ws(
            "socket::tests::a_socket_that_ends_while_its_first_rooms_are_joined_is_noticed_at_once",
        ),
    },
    Bug {
        name: "questions are taken off the socket without bound",
        promise: "P10 nothing is unbounded",
        changes: &[change(
            SOCKET,
            "incoming.take(&mut backlog, options.requests), if backlog.len() < options.requests => {",
            "incoming.take(&mut backlog, usize::MAX) => {",
        )],
        caught_by: ws(
            "socket::tests::what_is_asked_faster_than_it_is_answered_waits_in_the_socket",
        ),
    },
    Bug {
        name: "pongs are not heard",
        promise: "P8 no ghosts, and a deploy loses nothing",
        changes: &[change(
            SOCKET,
            "                deadline.heard();\n                if let Err",
            "                if let Err",
        )],
        caught_by: ws("socket::tests::a_client_that_answers_pings_stays"),
    },
    Bug {
        name: "a process that slept lets everybody go",
        promise: "P8 no ghosts, and a deploy loses nothing",
        changes: &[change(
            SOCKET,
            "            if due.elapsed() >= LATE {\n                self.heard();\n            }\n",
            "            let _ = (due, LATE);\n",
        )],
        caught_by: ws("socket::tests::a_process_that_slept_grants_everybody_another_period"),
    },
    Bug {
        name: "a write may take for ever",
        promise: "P7 slow readers harm only themselves",
        changes: &[change(
            SOCKET,
            "        outbox.close(CloseReason::SlowConsumer);\n    }\n}\n\n/// Tells the client why",
            "        std::future::pending().await\n    }\n}\n\n/// Tells the client why",
        )],
        caught_by: ws(
            "socket::tests::a_write_that_does_not_end_ends_the_session_however_little_waits",
        ),
    },
    Bug {
        name: "a socket outlives its credentials while its host thinks",
        promise: "C credentials end sockets",
        changes: &[change(
            REVOCATION,
            "Some(at) => timeout_at(at, asked).await,",
            "Some(at) => timeout_at(at + std::time::Duration::from_secs(60), asked).await,",
        )],
        caught_by: ws("revocation::tests::credentials_end_on_time_whatever_the_host_does"),
    },
    Bug {
        name: "a host that does not answer ends everybody",
        promise: "C credentials end sockets",
        changes: &[change(
            REVOCATION,
            "answer.map_or(true, |answer| answer == Ok(false))",
            "answer.map_or(true, |answer| answer != Ok(true))",
        )],
        caught_by: ws(
            "revocation::tests::a_host_that_does_not_answer_ends_nobody_and_is_asked_again",
        ),
    },
    Bug {
        name: "control frames are not counted",
        promise: "P10 nothing is unbounded",
        changes: &[change(
            FRAMES,
            "if now - *since >= Duration::from_secs(1) {",
            "if now - *since >= Duration::ZERO {",
        )],
        caught_by: ws("frames::tests::twenty_control_frames_a_second_are_enough"),
    },
    Bug {
        name: "a page of the same host and another port may come",
        promise: "C credentials end sockets",
        changes: &[change(
            ORIGIN,
            "host_and_port(host, default_port) == Some(ours),",
            "host_and_port(host, default_port).is_some_and(|(host, _)| host == ours.0),",
        )],
        caught_by: ws("origin::tests::everybody_else_may_not"),
    },
];
