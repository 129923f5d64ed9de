import assert from "node:assert/strict";
import { test } from "node:test";
import { bodies, inRoom, joined, message, opened, reconnected, record, settle } from "./harness.mjs";

const live = (fields) => ({ type: "message", room: "lobby", ...fields });

test("join asks for what it was told, and ready resolves with the room", async () => {
  const world = await opened();
  const room = world.client.join("lobby", { history: 20, meta: { color: "blue" } });
  const { room: name, history, meta, resume } = world.socket.take("join");
  assert.deepEqual([name, history, meta, resume], ["lobby", 20, { color: "blue" }, undefined]);
  assert.equal(room.state, "joining");
  world.socket.receive({ type: "joined", id: 1, ...joined(), room: "lobby", seq: 2, messages: [message(1), message(2)], more: true });
  assert.equal(await room.ready, room);
  assert.deepEqual([room.state, room.epoch, room.seq, room.more, bodies(room)], ["joined", "e1", 2, true, ["message 1", "message 2"]]);
});

test("joins that were asked for before hello are sent after it", async () => {
  const { start } = await import("./harness.mjs");
  const world = start();
  world.client.join("a");
  await settle();
  world.client.join("b");
  assert.equal(world.socket.sent.length, 0);
  world.socket.hello();
  assert.deepEqual(world.socket.sent.map((frame) => frame.room), ["a", "b"]);
});

test("the server's form of the name counts from then on", async () => {
  const world = await opened();
  const room = world.client.join("  the   lobby ");
  world.socket.receive({ ...joined(), id: world.socket.take("join").id, room: "the lobby!" });
  assert.equal(room.name, "the lobby!");
  world.socket.receive({ ...live(message(1)), room: "the lobby!" });
  assert.equal(room.entries.length, 1);
});

test("a room is joined once, however often and however it is written", async () => {
  const world = await opened();
  const room = world.client.join("cafe\u0301  bar");
  assert.equal(world.client.join(" caf\u00e9 bar"), room);
  assert.equal(world.socket.sent.length, 1);
  assert.deepEqual(world.client.rooms, [room]);
});

test("names that objects have, too, are good names", async () => {
  const world = await opened();
  for (const name of ["__proto__", "constructor", "toString"]) {
    const room = world.client.join(name);
    world.socket.answer(world.socket.take("join"), joined({ members: [{ user: "__proto__", connections: 1 }] }));
    world.socket.receive({ type: "presence", room: name, joined: [{ user: "constructor", connections: 2 }], left: ["__proto__"] });
    world.socket.receive({ type: "signal", room: name, user: "__proto__", name: "typing" });
    assert.deepEqual([[...room.members.keys()], room.typingUsers], [["constructor"], ["__proto__"]]);
  }
});

test("frames go to their room and to no other", async () => {
  const world = await inRoom();
  const other = world.client.join("other");
  world.socket.answer(world.socket.take("join"), joined());
  world.socket.receive({ ...live(message(1)), room: "other" }, { ...live(message(1)), room: "nowhere" });
  assert.deepEqual([world.room.entries.length, other.entries.length], [0, 1]);
});

test("a refused join is final and says why", async () => {
  const world = await opened();
  const room = world.client.join("lobby");
  world.socket.refuse(world.socket.take("join"), "room_full");
  await assert.rejects(room.ready, { code: "room_full" });
  assert.deepEqual([room.state, room.error.code, world.client.rooms], ["refused", "room_full", []]);
  assert.notEqual(world.client.join("lobby"), room);
});

test("an unknown refusal is final too, like forbidden", async () => {
  const world = await opened();
  const room = world.client.join("lobby");
  world.socket.refuse(world.socket.take("join"), "x-members-only");
  assert.deepEqual([room.state, room.error.code, room.error.kind], ["refused", "x-members-only", "forbidden"]);
});

test("a join that met a busy server is tried again, not before the time told", async () => {
  const world = await opened();
  const room = world.client.join("lobby");
  world.socket.refuse(world.socket.take("join"), "busy", { retry_after_ms: 4_000 });
  assert.deepEqual([room.state, room.error.code], ["joining", "busy"]);
  await world.clock.advance(3_999);
  assert.ok(!world.socket.has("join"));
  await world.clock.advance(1);
  world.socket.answer(world.socket.take("join"), joined());
  assert.deepEqual([room.state, room.error], ["joined", null]);
});

test("a join waiting for its next try does not outlive the connection", async () => {
  const world = await opened();
  world.client.join("lobby");
  world.socket.refuse(world.socket.take("join"), "busy");
  const socket = await reconnected(world); // after 1 s, when the next try would be due too
  socket.take("join");
  await world.clock.advance(10_000);
  assert.ok(!socket.has("join"));
});

test("leave is told to the server and ends the room", async () => {
  const world = await inRoom();
  const states = record(world.room, "state");
  const leaving = world.room.leave();
  assert.deepEqual([world.room.state, world.client.rooms], ["left", []]);
  world.socket.receive(live(message(1)));
  assert.equal(world.room.entries.length, 0);
  world.socket.answer(world.socket.take("leave"), { type: "left" });
  await leaving;
  await world.room.leave();
  assert.deepEqual(states, [{ state: "left", error: null }]);
  assert.ok(!world.socket.has("leave"));
  await assert.rejects(world.room.redact(1), { code: "not_joined" });
});

test("leave resolves when the connection goes, and nothing is joined again", async () => {
  const world = await inRoom();
  const leaving = world.room.leave();
  const socket = await reconnected(world);
  await leaving;
  assert.equal(socket.sent.length, 0);
});

test("leaving while the join is under way leaves", async () => {
  const world = await opened();
  const room = world.client.join("lobby");
  const join = world.socket.take("join");
  const leaving = room.leave();
  world.socket.answer(join, joined());
  assert.equal(room.state, "left");
  world.socket.answer(world.socket.take("leave"), { type: "left" });
  await leaving;
  await assert.rejects(room.ready, { code: "not_joined" });
});

test("removed ends the room, not the connection", async () => {
  const world = await inRoom();
  const removed = record(world.room, "removed");
  world.socket.receive({ type: "removed", room: "lobby", code: "kicked", reason: "flooding" });
  assert.deepEqual(removed, [{ code: "kicked", reason: "flooding" }]);
  assert.deepEqual([world.room.state, world.client.state.status], ["removed", "open"]);
  const socket = await reconnected(world);
  assert.ok(!socket.has("join"));
});

test("a message that was delivered already is not delivered again", async () => {
  const world = await inRoom({ seq: 2, messages: [message(2)] });
  world.socket.receive(live(message(2)), live(message(1)), live(message(3)));
  assert.deepEqual(bodies(world.room), ["message 2", "message 3"]);
});

test("older messages come to the front", async () => {
  const world = await inRoom({ seq: 5, messages: [message(4), message(5)], more: true });
  const events = record(world.room, "older");
  const loading = world.room.loadOlder(2);
  assert.equal(world.room.loadOlder(2), loading, "one at a time");
  const request = world.socket.take("history");
  assert.deepEqual([request.room, request.before, request.limit], ["lobby", 4, 2]);
  world.socket.answer(request, { type: "history", messages: [message(2), message(3)], more: true });
  const { entries, more } = await loading;
  assert.deepEqual([entries.map((entry) => entry.seq), more], [[2, 3], true]);
  assert.deepEqual([world.room.entries.map((entry) => entry.seq), events.length], [[2, 3, 4, 5], 1]);
  const rest = world.room.loadOlder();
  world.socket.answer(world.socket.take("history"), { type: "history", messages: [message(1)], more: false });
  await rest;
  assert.deepEqual([world.room.more, (await world.room.loadOlder()).entries], [false, []]);
  assert.ok(!world.socket.has("history"), "there is nothing more to ask for");
});

test("history that is asked for with nothing loaded ends where the live messages began", async () => {
  const world = await inRoom({ seq: 9, more: true }, { history: 0 });
  world.socket.receive(live(message(10)));
  const fresh = await inRoom({ seq: 9, more: true }, { history: 0 });
  fresh.room.loadOlder();
  assert.equal(fresh.socket.take("history").before, 10);
  world.room.loadOlder();
  assert.equal(world.socket.take("history").before, 10);
});

test("history that answers for an earlier life is not shown in this one", async () => {
  const world = await inRoom({ seq: 5, messages: [message(5)], more: true });
  const loading = world.room.loadOlder();
  world.socket.receive(joined({ room: "lobby", epoch: "e2", seq: 9, messages: [message(9)], more: true }));
  world.socket.answer(world.socket.take("history"), { type: "history", messages: [message(4, { body: "old life" })], more: false });
  assert.deepEqual(await loading, { entries: [], more: true });
  assert.deepEqual(bodies(world.room), ["message 9"]);
});

test("history that is refused can be asked for again", async () => {
  const world = await inRoom({ seq: 5, messages: [message(5)], more: true });
  const loading = world.room.loadOlder();
  world.socket.refuse(world.socket.take("history"), "rate_limited", { retry_after_ms: 10 });
  await assert.rejects(loading, { code: "rate_limited", retryAfterMs: 10 });
  world.room.loadOlder();
  world.socket.take("history");
});

test("trimmed entries come back by history", async () => {
  const world = await inRoom({ seq: 4, messages: [1, 2, 3, 4].map((seq) => message(seq)) });
  const pending = world.room.send("mine");
  assert.deepEqual(world.room.trim(1).map((entry) => entry.seq), [1, 2, 3]);
  assert.deepEqual([bodies(world.room), world.room.more], [["message 4", "mine"], true]);
  world.room.loadOlder();
  assert.equal(world.socket.take("history").before, 4);
  world.room.trim(0);
  assert.deepEqual(world.room.entries, [pending]);
  assert.deepEqual(world.room.trim(0), []);
});

test("on a resume, more is what is still kept, however much is loaded", async () => {
  const world = await inRoom({ seq: 2, messages: [message(1), message(2)], more: false });
  let socket = await reconnected(world);
  socket.answer(socket.take("join"), joined({ resumed: true, seq: 2, more: true }));
  assert.equal(world.room.more, false, "1 and 2 are loaded: nothing is older");
});

test("a redaction empties the entry and is told", async () => {
  const world = await inRoom({ seq: 1, messages: [message(1, { data: { secret: 1 } })] });
  const [entry] = world.room.entries;
  const updates = record(world.room, "update");
  const redactions = record(world.room, "redacted");
  const redacting = world.room.redact(entry);
  const request = world.socket.take("redact");
  assert.deepEqual([request.room, request.seq], ["lobby", 1]);
  world.socket.receive({ type: "redacted", room: "lobby", seq: 1, by: "bob" });
  world.socket.answer(request, { type: "ok" });
  await redacting;
  assert.deepEqual([entry.redacted, entry.body, entry.data], [true, "", undefined]);
  assert.deepEqual(redactions, [{ seq: 1, by: "bob", entry }]);
  assert.equal(updates.length, 1);
});

test("a redaction is remembered for a message that is loaded later", async () => {
  const world = await inRoom({ seq: 5, messages: [message(5)], more: true });
  const loading = world.room.loadOlder();
  world.socket.receive({ type: "redacted", room: "lobby", seq: 3 });
  world.socket.answer(world.socket.take("history"), { type: "history", messages: [message(3), message(4)], more: true });
  const { entries } = await loading;
  assert.deepEqual(entries.map(({ redacted, body }) => [redacted, body]), [[true, ""], [false, "message 4"]]);
});

test("it is not remembered for the same seq of a later life", async () => {
  const world = await inRoom({ seq: 5, messages: [message(5)], more: true });
  world.socket.receive({ type: "redacted", room: "lobby", seq: 3 });
  world.socket.receive(joined({ room: "lobby", epoch: "e2", seq: 3, messages: [message(3)] }));
  assert.deepEqual(bodies(world.room), ["message 3"]);
});

test("an own message that is sent, but not delivered yet, can be redacted", async () => {
  const world = await inRoom();
  const entry = world.room.send("oops");
  await assert.rejects(world.room.redact(entry), { code: "not_found" });
  world.socket.receive({ type: "redacted", room: "lobby", seq: 1 });
  world.socket.answer(world.socket.take("send"), { type: "sent", seq: 1, at: 1 });
  assert.deepEqual([entry.state, entry.redacted, entry.body], ["sent", true, ""]);
});

test("a resume says what was taken back while away", async () => {
  const world = await inRoom({ seq: 2, messages: [message(1), message(2)] });
  const socket = await reconnected(world);
  socket.answer(socket.take("join"), joined({ resumed: true, seq: 3, messages: [message(3)], redacted: [1] }));
  assert.deepEqual(bodies(world.room), ["", "message 2", "message 3"]);
});

test("a redaction that is refused says why", async () => {
  const world = await inRoom({ seq: 1, messages: [message(1)] });
  const redacting = world.room.redact(1);
  world.socket.refuse(world.socket.take("redact"), "forbidden");
  await assert.rejects(redacting, { code: "forbidden" });
  assert.equal(world.room.entries[0].redacted, false);
});

test("entries have keys that stay while they change, and no two share one", async () => {
  const world = await inRoom({ seq: 1, messages: [message(1)] });
  const entry = world.room.send("hello");
  const { key } = entry;
  world.socket.answer(world.socket.take("send"), { type: "sent", seq: 2, at: 1 });
  world.socket.receive(live(message(2, { user: "ann", nonce: entry.nonce })));
  assert.equal(world.room.entries[1].key, key);
  assert.notEqual(world.room.entries[0].key, key);
});
