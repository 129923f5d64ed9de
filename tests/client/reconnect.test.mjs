import assert from "node:assert/strict";
import { test } from "node:test";
import { bodies, inRoom, joined, message, opened, reconnected, record, settle, start } from "./harness.mjs";

const status = (world) => world.client.state.status;

for (const code of [1001, 1006, 1011, 1012, 1013, 4000, 4001, 4002, 4499]) {
  test(`after ${code} the client comes back`, async () => {
    const world = await opened();
    world.socket.drop(code);
    assert.equal(status(world), "waiting");
    await world.clock.advance(1_000);
    assert.equal(world.sockets.length, 2);
    assert.equal(world.requests.length, 0, "the handshake had worked: session has nothing to say");
  });
}

for (const code of [1000, 1002, 1007, 1009, 4500, 4501, 4502, 4503, 4504, 4999]) {
  test(`after ${code} it does not`, async () => {
    const world = await opened();
    world.socket.drop(code);
    assert.deepEqual([status(world), world.client.state.code], ["closed", code]);
    await world.clock.advance(100_000);
    world.network.dispatchEvent(new Event("online"));
    await settle();
    assert.equal(world.sockets.length, 1);
    assert.equal(world.clock.pending, 0);
  });
}

test("the reason of an end is named by its code or by its bye", async () => {
  const byCode = await opened();
  byCode.socket.drop(4501);
  assert.equal(byCode.client.state.reason, "logged_out");
  const byBye = await opened();
  byBye.socket.receive({ type: "bye", code: "shutting_down", reason: "deploy", reconnect: true, after_ms: 1 });
  byBye.socket.drop(1001);
  assert.equal(byBye.client.state.reason, "shutting_down");
});

test("a bye is told, and that it says not to come back holds even if the close frame is lost", async () => {
  const world = await opened();
  const byes = record(world.client, "bye");
  world.socket.receive({ type: "bye", code: "logged_out", reason: "", reconnect: false, after_ms: 0 });
  world.socket.drop(1006);
  assert.equal(byes[0].code, "logged_out");
  assert.deepEqual(world.client.state, { status: "closed", code: 1006, reason: "logged_out" });
});

test("a bye's after_ms is the least wait, also when the network says online", async () => {
  const world = await opened();
  world.socket.receive({ type: "bye", code: "shutting_down", reason: "", reconnect: true, after_ms: 7_000 });
  world.socket.drop(1001);
  world.network.dispatchEvent(new Event("online"));
  await world.clock.advance(6_999);
  assert.equal(world.sockets.length, 1);
  await world.clock.advance(1);
  assert.equal(world.sockets.length, 2);
});

test("the back-off doubles up to 30 s", async () => {
  const world = start();
  const waits = [];
  for (let i = 0; i < 8; i++) {
    await settle();
    world.socket.drop();
    await settle();
    waits.push(world.client.state.retryAt - world.clock.now());
    await world.clock.advance(waits.at(-1));
  }
  assert.deepEqual(waits, [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]);
});

test("the back-off has full jitter: any part of the bound, none included", async () => {
  const chances = [0.5, 0, 0.25];
  const world = start({ random: () => chances.shift(), backoff: { baseMs: 100, capMs: 150 } });
  const waits = [];
  world.client.on("state", (state) => state.status === "waiting" && waits.push(state.retryAt - world.clock.now()));
  for (let i = 0; i < 3; i++) {
    await settle();
    world.socket.drop();
    await settle();
    await world.clock.advance(waits.at(-1));
  }
  assert.deepEqual(waits, [50, 0, 38]);
});

test("only a connection that held for a while makes the back-off start again", async () => {
  const world = await opened();
  const wait = () => world.client.state.retryAt - world.clock.now();
  world.socket.drop();
  await world.clock.advance(1_000);
  world.socket.hello();
  world.socket.drop(1011); // accepted and thrown out: a server in trouble
  assert.equal(wait(), 2_000);
  await world.clock.advance(2_000);
  world.socket.hello();
  await world.clock.advance(5_000);
  world.socket.drop();
  assert.equal(wait(), 1_000);
});

test("a banner can count down", async () => {
  const world = await opened();
  const ticks = record(world.client, "countdown");
  world.socket.receive({ type: "bye", code: "moved", reason: "", reconnect: true, after_ms: 2_500 });
  world.socket.drop(4002);
  await world.clock.advance(2_500);
  assert.deepEqual(ticks.map((tick) => tick.seconds), [3, 2, 1]);
  assert.equal(status(world), "connecting");
});

test("reconnect() does not wait", async () => {
  const world = await opened();
  world.socket.drop();
  world.client.reconnect();
  await settle();
  assert.equal(world.sockets.length, 2);
  world.client.reconnect(); // nothing to do
  await world.clock.advance(14_000);
  assert.equal(world.sockets.length, 2);
});

test("reconnect() starts again after the end, with the rooms", async () => {
  const world = await inRoom();
  world.socket.drop(4500);
  assert.equal(world.room.state, "joining");
  world.client.reconnect();
  await settle();
  world.socket.hello();
  assert.deepEqual(world.socket.take("join").resume, { epoch: "e1", seq: 0 });
  assert.equal(status(world), "open");
});

test("reconnect() after the end begins with a small wait again", async () => {
  const world = start();
  for (let i = 0; i < 3; i++) {
    await settle();
    world.socket.drop();
    await settle();
    await world.clock.advance(world.client.state.retryAt - world.clock.now());
  }
  world.socket.hello();
  world.socket.drop(4500);
  world.client.reconnect();
  await settle();
  world.socket.drop();
  await settle();
  assert.equal(world.client.state.retryAt - world.clock.now(), 1_000);
});

test("frames for a room are of no use before it is joined again", async () => {
  const world = await inRoom();
  const socket = await reconnected(world);
  socket.receive({ type: "message", room: "lobby", ...message(1) });
  socket.receive({ type: "signal", room: "lobby", user: "bob", name: "typing" });
  assert.deepEqual([world.room.entries, world.room.typingUsers, world.client.state.status], [[], [], "open"]);
});

test("online ends the wait", async () => {
  const world = await opened();
  world.socket.drop();
  world.network.dispatchEvent(new Event("online"));
  await settle();
  assert.equal(world.sockets.length, 2);
});

const answer = (code, { headers = {}, body = null } = {}) => new Response(body && JSON.stringify(body), { status: code, headers });

async function handshakeFailed(session, options) {
  const world = start(options);
  await settle();
  world.session = session;
  world.socket.drop();
  await settle();
  return world;
}

test("a refused handshake is explained by session: 401 is logged out", async () => {
  const world = await handshakeFailed(answer(401));
  assert.deepEqual(world.client.state, { status: "closed", code: 401, reason: "unauthorized" });
});

test("a refused handshake is explained by session: 403 is forbidden", async () => {
  const world = await handshakeFailed(answer(403));
  assert.deepEqual(world.client.state, { status: "closed", code: 403, reason: "forbidden" });
});

for (const code of [429, 503]) {
  test(`session's ${code} means to wait at least Retry-After`, async () => {
    const body = { error: { code: "server_full", message: "full" } };
    const world = await handshakeFailed(answer(code, { headers: { "Retry-After": "12" }, body }));
    assert.deepEqual([status(world), world.client.state.reason], ["waiting", "server_full"]);
    world.network.dispatchEvent(new Event("online"));
    await world.clock.advance(11_999);
    assert.equal(world.sockets.length, 1);
    await world.clock.advance(1);
    assert.equal(world.sockets.length, 2);
  });
}

test("Retry-After may be a date", async () => {
  const at = new Date(1_700_000_000_000 + 20_000).toUTCString();
  const world = await handshakeFailed(answer(503, { headers: { "Retry-After": at } }));
  assert.equal(world.client.state.retryAt - world.clock.now(), 20_000);
});

test("a network failure, or a session that is fine, means to try again", async () => {
  for (const session of [null, answer(200, { body: { user: "ann" } }), answer(404), answer(502)]) {
    const world = await handshakeFailed(session);
    assert.deepEqual([status(world), world.client.state.reason], ["waiting", "connection_failed"]);
    await world.clock.advance(1_000);
    assert.equal(world.sockets.length, 2);
  }
});

test("a session request that hangs is given up", async () => {
  const hanging = (_url, { signal }) => new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
  const world = await handshakeFailed(null, { fetch: hanging });
  assert.equal(status(world), "connecting");
  await world.clock.advance(15_000);
  assert.equal(status(world), "waiting");
});

test("session is not asked where the token travels as a subprotocol, unless there are headers for it", async () => {
  const without = await handshakeFailed(answer(401), { subprotocols: ["token.abc"] });
  assert.deepEqual([without.requests.length, status(without)], [0, "waiting"]);
  const headers = { Authorization: "Bearer abc" };
  const world = await handshakeFailed(answer(401), { subprotocols: ["token.abc"], headers });
  assert.equal(world.requests[0].init.headers, headers);
  assert.equal(world.client.state.reason, "unauthorized");
});

test("every room is resumed from the last message it has seen", async () => {
  const world = await inRoom({ seq: 3, messages: [message(3)] });
  world.socket.receive({ type: "message", room: "lobby", ...message(4) });
  const other = world.client.join("other");
  world.socket.answer(world.socket.take("join"), joined({ epoch: "o1", seq: 9 }));
  world.socket.drop();
  assert.deepEqual([world.room.state, other.state], ["joining", "joining"]);
  await world.clock.advance(1_000);
  assert.equal(world.socket.url, "wss://host.example/chat/ws", "nothing is joined by the address");
  world.socket.hello();
  const asked = [world.socket.take("join"), world.socket.take("join")];
  assert.deepEqual(asked.map(({ room, resume }) => ({ room, resume })), [
    { room: "lobby", resume: { epoch: "e1", seq: 4 } },
    { room: "other", resume: { epoch: "o1", seq: 9 } },
  ]);
});

test("a resumed room shows what was missed and keeps what it had", async () => {
  const world = await inRoom({ seq: 2, messages: [message(1), message(2)] });
  const log = [];
  world.room.on("joined", ({ resumed }) => log.push(`joined ${resumed}`));
  world.room.on("message", ({ entry, index }) => log.push(`${entry.seq} at ${index}`));
  const first = world.room.entries[0];
  const socket = await reconnected(world);
  socket.answer(socket.take("join"), joined({ resumed: true, seq: 4, messages: [message(3), message(4)], more: false }));
  assert.deepEqual(log, ["joined true", "3 at 2", "4 at 3"]);
  assert.equal(world.room.entries[0], first);
  assert.deepEqual([world.room.seq, world.room.state], [4, "joined"]);
});

test("a room that cannot be resumed is replaced", async () => {
  const world = await inRoom({ seq: 2, messages: [message(1), message(2)] });
  const events = record(world.room, "joined");
  const news = record(world.room, "message");
  const socket = await reconnected(world);
  socket.answer(socket.take("join"), joined({ seq: 900, messages: [message(900)], more: true }));
  assert.deepEqual(bodies(world.room), ["message 900"]);
  assert.deepEqual([events, news], [[{ resumed: false, newLife: false }], []]);
  assert.deepEqual([world.room.seq, world.room.more], [900, true]);
});

test("a room that has ended meanwhile is begun anew", async () => {
  const world = await inRoom({ seq: 2, messages: [message(1), message(2)] });
  const events = record(world.room, "joined");
  const socket = await reconnected(world);
  socket.answer(socket.take("join"), joined({ epoch: "e2", seq: 1, messages: [message(1, { body: "new" })] }));
  assert.deepEqual(bodies(world.room), ["new"]);
  assert.deepEqual(events, [{ resumed: false, newLife: true }]);
  assert.deepEqual([world.room.epoch, world.room.seq], ["e2", 1]);
});

test("an unasked joined replaces all that was known of the room", async () => {
  const world = await inRoom({ seq: 2, messages: [message(1), message(2)], members: [{ user: "old", connections: 1 }] });
  const events = record(world.room, "joined");
  world.socket.receive(joined({ room: "lobby", epoch: "e2", seq: 5, messages: [message(5)], members: [{ user: "new", connections: 1 }] }));
  world.socket.receive({ type: "message", room: "lobby", ...message(6) });
  assert.deepEqual(bodies(world.room), ["message 5", "message 6"]);
  assert.deepEqual([...world.room.members.keys()], ["new"]);
  assert.deepEqual(events, [{ resumed: false, newLife: true }]);
});

test("a gap is treated as a broken connection and healed by a resume", async () => {
  const world = await inRoom({ seq: 1, messages: [message(1)] });
  world.socket.receive({ type: "message", room: "lobby", ...message(3) }, { type: "message", room: "lobby", ...message(4) });
  assert.notEqual(world.socket.closedWith, null);
  assert.deepEqual([world.client.state.status, world.client.state.reason], ["waiting", "gap"]);
  assert.deepEqual(bodies(world.room), ["message 1"]);
  await world.clock.advance(1_000);
  world.socket.hello();
  assert.deepEqual(world.socket.take("join").resume, { epoch: "e1", seq: 1 });
});

test("somebody else's login on the way back means nothing is resumed", async () => {
  const world = await inRoom({ seq: 1, messages: [message(1, { user: "ann" })] });
  assert.equal(world.room.entries[0].own, true);
  const tried = world.room.send("as ann");
  const socket = await reconnected(world, { user: "zoe" });
  const join = socket.take("join");
  assert.equal(join.resume, undefined);
  socket.answer(join, joined({ seq: 1, messages: [message(1, { user: "ann" })] }));
  assert.equal(world.room.entries[0].own, false);
  assert.equal(tried.state, "failed");
  assert.ok(!socket.has("send"));
});
