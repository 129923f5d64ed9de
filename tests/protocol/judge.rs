//! The judge is judged: for every promise that the oracle watches, a trace that breaks it is found out.

use serde_json::{Value, json};

use crate::kit::{Trace, violations};

#[test]
fn a_clean_trace_passes() {
    let trace = heard([
        joined(2, &[1, 2]),
        message(3),
        message(4),
        presence(&["ben"], &[]),
        presence(&[], &["ben"]),
    ]);
    assert_eq!(violations(&trace), Vec::<String>::new());
}

#[test]
fn a_gap_is_found() {
    assert_found(heard([joined(2, &[1, 2]), message(4)]), "a gap or a repeat");
}

#[test]
fn a_repeat_is_found() {
    assert_found(heard([joined(2, &[1, 2]), message(2)]), "a gap or a repeat");
}

#[test]
fn a_gap_within_joined_is_found() {
    assert_found(heard([joined(3, &[1, 3])]), "joined with a gap");
}

#[test]
fn messages_that_stop_short_of_the_cut_are_found() {
    assert_found(heard([joined(3, &[1, 2])]), "do not end with");
}

#[test]
fn a_message_after_left_is_found() {
    let left = json!({"type": "left", "room": "r"});
    assert_found(heard([joined(0, &[]), left, message(1)]), "a room it is not in");
}

#[test]
fn a_user_who_joins_twice_is_found() {
    let trace = heard([joined(0, &[]), presence(&["ben"], &[]), presence(&["ben"], &[])]);
    assert_found(trace, "joined, but was there");
}

#[test]
fn a_user_who_leaves_twice_is_found() {
    let trace = heard([
        joined(0, &[]),
        presence(&["ben"], &[]),
        presence(&[], &["ben"]),
        presence(&[], &["ben"]),
    ]);
    assert_found(trace, "left, but was not there");
}

#[test]
fn a_user_in_both_lists_is_found() {
    assert_found(heard([joined(0, &[]), presence(&["ben"], &["ben"])]), "both lists");
}

#[test]
fn a_joiner_told_of_itself_is_found() {
    assert_found(heard([joined(0, &[]), presence(&["ann"], &[])]), "told of itself");
}

#[test]
fn members_that_contradict_presence_are_found() {
    let mut trace = heard([joined(0, &[]), presence(&["ben"], &[])]);
    trace.sent(json!({"type": "members", "room": "r", "id": 1}));
    hear(
        &mut trace,
        json!({"type": "members", "room": "r", "id": 1, "members": members(&["ann"]), "more": false}),
    );
    assert_found(trace, "not one cut");
}

#[test]
fn a_redaction_before_its_message_is_found() {
    let redacted = json!({"type": "redacted", "room": "r", "seq": 1});
    assert_found(heard([joined(0, &[]), redacted, message(1)]), "redacted before its message");
}

#[test]
fn a_partial_resume_is_found() {
    let mut trace = Trace::default();
    hear(&mut trace, hello());
    trace.sent(json!({"type": "join", "room": "r", "id": 1, "resume": {"epoch": "e", "seq": 1}}));
    let mut answer = joined(4, &[3, 4]);
    answer["id"] = json!(1);
    answer["resumed"] = json!(true);
    hear(&mut trace, answer);
    assert_found(trace, "other messages than the missed ones");
}

#[test]
fn a_second_answer_is_found() {
    let mut trace = heard([joined(0, &[])]);
    trace.sent(json!({"type": "ping", "id": 1}));
    hear(&mut trace, json!({"type": "pong", "id": 1}));
    hear(&mut trace, json!({"type": "pong", "id": 1}));
    assert_found(trace, "a second one");
}

#[test]
fn answers_out_of_order_are_found() {
    let mut trace = heard([joined(0, &[])]);
    for id in [1, 2] {
        trace.sent(json!({"type": "send", "room": "r", "body": "b", "id": id}));
    }
    for (id, seq) in [(2, 1), (1, 2)] {
        hear(&mut trace, json!({"type": "sent", "room": "r", "seq": seq, "at": 1, "id": id}));
    }
    assert_found(trace, "out of order");
}

#[test]
fn two_sends_at_one_place_are_found() {
    let sent = json!({"type": "sent", "room": "r", "seq": 1, "at": 1});
    assert_found(heard([joined(0, &[]), sent.clone(), sent]), "two sends got one place");
}

#[test]
fn an_answer_that_is_too_long_is_found() {
    let mut trace = Trace::default();
    hear(&mut trace, hello());
    trace.received(joined(0, &[]), 300_000);
    assert_found(trace, "over reply_bytes");
}

#[test]
fn a_frame_after_bye_is_found() {
    let bye = json!({"type": "bye", "code": "shutting_down", "reason": "", "reconnect": true, "after_ms": 1});
    assert_found(heard([joined(0, &[]), bye, message(1)]), "after bye");
}

#[test]
fn a_limit_that_says_no_wait_is_found() {
    let error = json!({"type": "error", "code": "rate_limited", "message": "slow down"});
    assert_found(heard([error]), "without retry_after_ms");
}

fn assert_found(trace: Trace, fault: &str) {
    let found = violations(&trace);
    assert!(found.iter().any(|violation| violation.contains(fault)), "{found:?}");
}

fn heard(frames: impl IntoIterator<Item = Value>) -> Trace {
    let mut trace = Trace::default();
    hear(&mut trace, hello());
    for frame in frames {
        hear(&mut trace, frame);
    }
    trace
}

fn hear(trace: &mut Trace, frame: Value) {
    let length = frame.to_string().len();
    trace.received(frame, length);
}

fn hello() -> Value {
    json!({"type": "hello", "user": "ann", "limits": {"reply_bytes": 262_144, "presence_exact": 200}})
}

fn joined(seq: u64, messages: &[u64]) -> Value {
    let messages: Vec<_> = messages.iter().map(|seq| json!({"seq": seq})).collect();
    json!({"type": "joined", "room": "r", "epoch": "e", "seq": seq, "resumed": false, "members": members(&["ann"]), "messages": messages, "more": false})
}

fn message(seq: u64) -> Value {
    json!({"type": "message", "room": "r", "seq": seq})
}

fn presence(joined: &[&str], left: &[&str]) -> Value {
    json!({"type": "presence", "room": "r", "joined": members(joined), "left": left})
}

fn members(users: &[&str]) -> Value {
    users.iter().map(|user| json!({"user": user, "connections": 1})).collect()
}
