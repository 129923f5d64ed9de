import assert from "node:assert/strict";
import { test } from "node:test";
import { LIMITS, bodies, inRoom, joined, message, opened, reconnected, record, settle } from "./harness.mjs";

const sent = (seq, fields = {}) => ({ type: "sent", seq, at: 5_000 + seq, ...fields });
const live = (fields) => ({ type: "message", room: "lobby", ...fields });
const own = (entry, seq) => live(message(seq, { user: "ann", body: entry.body, nonce: entry.nonce }));

test("a message is shown at once as pending, and sent when it is answered", async () => {
  const world = await inRoom();
  const shown = record(world.room, "message");
  const entry = world.room.send("hello", { data: { mood: "blue" } });
  assert.deepEqual([entry.state, entry.own, entry.user, entry.body, entry.seq], ["pending", true, "ann", "hello", null]);
  assert.deepEqual(shown, [{ entry, index: 0 }]);
  const request = world.socket.take("send");
  assert.deepEqual([request.room, request.body, request.data, request.nonce], ["lobby", "hello", { mood: "blue" }, entry.nonce]);
  world.socket.answer(request, sent(1));
  assert.deepEqual([entry.state, entry.seq, entry.at], ["sent", 1, 5_001]);
  assert.equal(await entry.settled(), entry);
});

test("nonces are random and of a size the protocol takes", async () => {
  const world = await inRoom();
  const nonces = Array.from({ length: 20 }, () => world.room.send("x").nonce);
  assert.equal(new Set(nonces).size, 20);
  assert.ok(nonces.every((nonce) => /^[0-9a-f]{32}$/.test(nonce)));
});

test("data is copied when it is sent, and a body has to be a string", async () => {
  const world = await inRoom();
  const data = { count: 1 };
  const entry = world.room.send("x", { data });
  data.count = 2;
  const socket = await reconnected(world);
  socket.answer(socket.take("join"), joined({ resumed: true }));
  assert.deepEqual([entry.data, socket.take("send").data], [{ count: 1 }, { count: 1 }]);
  assert.throws(() => world.room.send(7), TypeError);
});

test("sent and then the own message are one entry", async () => {
  const world = await inRoom();
  const shown = record(world.room, "message");
  const entry = world.room.send("hello");
  world.socket.answer(world.socket.take("send"), sent(1));
  world.socket.receive(live(message(1, { user: "ann", body: "hello, rewritten", nonce: entry.nonce })));
  assert.deepEqual([world.room.entries.length, shown.length], [1, 1]);
  assert.equal(world.room.entries[0], entry);
  assert.equal(entry.body, "hello, rewritten");
});

test("the own message and then sent are one entry", async () => {
  const world = await inRoom();
  const entry = world.room.send("hello");
  world.socket.receive(own(entry, 1));
  assert.deepEqual([entry.state, entry.seq], ["sent", 1]);
  world.socket.answer(world.socket.take("send"), sent(1));
  assert.deepEqual([world.room.entries.length, entry.state], [1, "sent"]);
});

test("an own message that comes without its nonce is found by its seq", async () => {
  const world = await inRoom();
  const entry = world.room.send("hello");
  world.socket.receive(live(message(1, { user: "ann", body: "hello" })));
  world.socket.answer(world.socket.take("send"), sent(1));
  assert.deepEqual(world.room.entries, [entry]);
  assert.equal(entry.state, "sent");
});

test("the same nonce from somebody else is another message", async () => {
  const world = await inRoom();
  const entry = world.room.send("hello", { nonce: "n" });
  world.socket.receive(live(message(1, { user: "bob", nonce: "n", body: "mine" })));
  assert.deepEqual([entry.state, bodies(world.room)], ["pending", ["mine", "hello"]]);
});

test("a message of one's own other tab is own, and a new entry", async () => {
  const world = await inRoom();
  world.socket.receive(live(message(1, { user: "ann", nonce: "elsewhere" })));
  assert.deepEqual([world.room.entries[0].own, world.room.entries[0].state], [true, "sent"]);
});

test("sent entries stand by seq, unsent ones behind them", async () => {
  const world = await inRoom();
  const updates = record(world.room, "update");
  world.room.send("a");
  const b = world.room.send("b");
  world.socket.take("send");
  world.socket.answer(world.socket.take("send"), sent(2)); // b, answered ahead of all messages
  assert.deepEqual(bodies(world.room), ["b", "a"]);
  assert.deepEqual(updates.at(-1), { entry: b, index: 0, from: 1 });
  world.socket.receive(live(message(1)));
  assert.deepEqual(bodies(world.room), ["message 1", "b", "a"]);
});

test("what is sent before the room is joined goes out when it is", async () => {
  const world = await opened();
  const room = world.client.join("lobby");
  const entries = [room.send("one"), room.send("two")];
  assert.ok(!world.socket.has("send"));
  world.socket.answer(world.socket.take("join"), joined());
  assert.deepEqual(world.socket.sent.map((frame) => frame.nonce), entries.map((entry) => entry.nonce));
});

test("after a resume, what was not answered is sent again, in order, with the same nonces", async () => {
  const world = await inRoom();
  const entries = [world.room.send("one"), world.room.send("two")];
  world.socket.drop();
  const offline = world.room.send("three");
  const socket = await (async () => { await world.clock.advance(1_000); world.socket.hello(); return world.socket; })();
  socket.answer(socket.take("join"), joined({ resumed: true }));
  const again = socket.sent.filter((frame) => frame.type === "send");
  assert.deepEqual(again.map((frame) => frame.nonce), [...entries, offline].map((entry) => entry.nonce));
  socket.answer(again[0], sent(1, { duplicate: true }));
  socket.answer(again[1], sent(2));
  assert.deepEqual(entries.map((entry) => entry.state), ["sent", "sent"]);
});

test("what the resume itself brings back is not sent again", async () => {
  const world = await inRoom();
  const entry = world.room.send("one");
  const socket = await reconnected(world);
  socket.answer(socket.take("join"), joined({
    resumed: true, seq: 1, messages: [message(1, { user: "ann", body: "one", nonce: entry.nonce })],
  }));
  assert.deepEqual([entry.state, entry.seq, world.room.entries.length], ["sent", 1, 1]);
  assert.ok(!socket.has("send"));
});

test("neither is what stands in the history of a join that could not resume", async () => {
  const world = await inRoom();
  const entry = world.room.send("one");
  const lost = world.room.send("two");
  const socket = await reconnected(world);
  socket.answer(socket.take("join"), joined({
    seq: 800, messages: [message(799), message(800, { user: "ann", body: "one", nonce: entry.nonce })], more: true,
  }));
  assert.deepEqual([entry.state, world.room.entries.indexOf(entry)], ["sent", 1]);
  assert.equal(socket.take("send").nonce, lost.nonce);
  assert.ok(!socket.has("send"));
});

test("if the room ended meanwhile, what was under way fails and is left to the user", async () => {
  const world = await inRoom();
  const entry = world.room.send("one");
  const socket = await reconnected(world);
  socket.answer(socket.take("join"), joined({ epoch: "e2" }));
  assert.deepEqual([entry.state, entry.error.code], ["failed", "room_ended"]);
  assert.ok(!socket.has("send"));
  entry.retry();
  assert.equal(socket.take("send").nonce, entry.nonce);
});

test("what was never on a wire is sent into the new life: it cannot have been shown", async () => {
  const world = await inRoom();
  world.socket.drop();
  const entry = world.room.send("written offline");
  await world.clock.advance(1_000);
  world.socket.hello();
  world.socket.answer(world.socket.take("join"), joined({ epoch: "e2" }));
  assert.equal(world.socket.take("send").nonce, entry.nonce);
});

for (const code of ["rate_limited", "slow_mode", "busy", "store_unavailable", "muted", "x-no-cats"]) {
  test(`a send refused with ${code} has failed, and can be tried again with the same nonce`, async () => {
    const world = await inRoom();
    const entry = world.room.send("hello");
    const settled = entry.settled();
    world.socket.refuse(world.socket.take("send"), code, { retry_after_ms: 400 });
    assert.equal(await settled, entry);
    assert.deepEqual([entry.state, entry.error.code, entry.error.retryAfterMs], ["failed", code, 400]);
    await world.clock.advance(20_000);
    assert.ok(!world.socket.has("send"), "not by itself");
    entry.retry();
    assert.deepEqual([entry.state, entry.error], ["pending", null]);
    const again = world.socket.take("send");
    assert.equal(again.nonce, entry.nonce);
    world.socket.answer(again, sent(1, { duplicate: true }));
    assert.deepEqual([entry.state, world.room.entries.length], ["sent", 1]);
  });
}

test("an unknown outcome is asked about with the same nonce, after the time told or a second", async () => {
  const world = await inRoom();
  const entry = world.room.send("hello");
  world.socket.refuse(world.socket.take("send"), "outcome_unknown");
  await world.clock.advance(999);
  assert.ok(!world.socket.has("send"));
  await world.clock.advance(1);
  const second = world.socket.take("send");
  assert.equal(second.nonce, entry.nonce);
  world.socket.refuse(second, "outcome_unknown", { retry_after_ms: 3_000 });
  await world.clock.advance(2_999);
  assert.ok(!world.socket.has("send"));
  await world.clock.advance(1);
  world.socket.answer(world.socket.take("send"), sent(1, { duplicate: true }));
  assert.equal(entry.state, "sent");
});

test("an outcome that stays unknown has failed in the end", async () => {
  const world = await inRoom();
  const entry = world.room.send("hello");
  let asked = 0;
  while (world.socket.has("send")) {
    asked++;
    world.socket.refuse(world.socket.take("send"), "outcome_unknown");
    await world.clock.advance(1_000);
  }
  assert.deepEqual([asked, entry.state, entry.error.code], [6, "failed", "outcome_unknown"]);
});

test("a failed entry whose message appears after all is sent", async () => {
  const world = await inRoom();
  const entry = world.room.send("hello");
  world.socket.refuse(world.socket.take("send"), "internal");
  world.socket.receive(own(entry, 1));
  assert.deepEqual([entry.state, entry.error, world.room.entries.length], ["sent", null, 1]);
});

test("a failed entry can be discarded; a pending one cannot", async () => {
  const world = await inRoom();
  const removed = record(world.room, "remove");
  const entry = world.room.send("hello");
  entry.discard();
  assert.equal(world.room.entries.length, 1);
  world.socket.refuse(world.socket.take("send"), "muted");
  entry.discard();
  assert.deepEqual([world.room.entries, removed], [[], [{ entry, index: 0 }]]);
});

test("retry does nothing to what is pending or sent", async () => {
  const world = await inRoom();
  const entry = world.room.send("hello");
  entry.retry();
  world.socket.answer(world.socket.take("send"), sent(1));
  entry.retry();
  assert.ok(!world.socket.has("send"));
});

test("the same nonce again is the same entry", async () => {
  const world = await inRoom();
  const entry = world.room.send("hello", { nonce: "n1" });
  assert.equal(world.room.send("hello", { nonce: "n1" }), entry);
  const request = world.socket.take("send");
  assert.ok(!world.socket.has("send"));
  world.socket.answer(request, sent(1));
  world.socket.receive(own(entry, 1));
  const repeat = world.room.send("hello", { nonce: "n1" });
  world.socket.answer(world.socket.take("send"), sent(1, { duplicate: true }));
  assert.deepEqual([world.room.entries, repeat.state], [[repeat], "sent"]);
});

test("a repeat of what is older than all that is loaded leaves no hole in the list", async () => {
  const world = await inRoom();
  const entry = world.room.send("long ago");
  const socket = await reconnected(world);
  socket.answer(socket.take("join"), joined({ seq: 900, messages: [message(900)], more: true }));
  socket.answer(socket.take("send"), sent(7, { duplicate: true }));
  assert.deepEqual([entry.state, entry.seq, bodies(world.room)], ["sent", 7, ["message 900"]]);
  world.room.loadOlder();
  assert.equal(socket.take("history").before, 900);
});

test("a room's entries fail when it is left, removed or refused", async () => {
  const leaving = await inRoom();
  const left = leaving.room.send("x");
  leaving.room.leave();
  assert.deepEqual([left.state, left.error.code], ["failed", "not_joined"]);
  const after = leaving.room.send("y");
  after.retry();
  assert.equal(after.state, "failed");

  const refusing = await opened();
  const room = refusing.client.join("lobby");
  const refused = room.send("x");
  refusing.socket.refuse(refusing.socket.take("join"), "room_full");
  assert.equal(refused.state, "failed");
});

test("entries fail when the client is closed by the server, and later ones at once", async () => {
  const world = await inRoom();
  const entry = world.room.send("x");
  world.socket.drop(4501);
  assert.deepEqual([entry.state, entry.error.code, entry.error.message], ["failed", "closed", "logged_out"]);
  assert.equal(world.room.send("y").state, "failed");
});

test("what is sent at once keeps to the limit per second, in order", async () => {
  const world = await opened({}, { limits: { ...LIMITS, sends_per_second: 3 } });
  const room = world.client.join("lobby");
  world.socket.answer(world.socket.take("join"), joined());
  const taken = () => world.socket.sent.splice(0).map((frame) => frame.body);
  for (const body of "abcdefg") room.send(body);
  assert.deepEqual(taken(), ["a", "b", "c"]);
  await world.clock.advance(999);
  room.send("h");
  assert.deepEqual(taken(), []);
  await world.clock.advance(1);
  assert.deepEqual(taken(), ["d", "e", "f"]);
  await world.clock.advance(1_000);
  assert.deepEqual(taken(), ["g", "h"]);
});

test("a listener that leaves in the middle of a resume ends it there", async () => {
  const world = await inRoom();
  world.room.on("message", () => void world.room.leave());
  const socket = await reconnected(world);
  socket.answer(socket.take("join"), joined({ resumed: true, seq: 2, messages: [message(1), message(2)] }));
  await settle();
  assert.deepEqual([world.room.state, world.room.entries.length], ["left", 1]);
});
