import assert from "node:assert/strict";
import { test } from "node:test";
import { ChatError, SUBPROTOCOL, connect } from "../../chatrooms-ws/client/chatrooms.js";
import { LIMITS, inRoom, joined, opened, record, settle, start } from "./harness.mjs";

test("the mount gives the addresses of the socket and of session", async () => {
  const world = start({ mount: "https://host.example/chat/" });
  await settle();
  assert.equal(world.socket.url, "wss://host.example/chat/ws");
  world.socket.drop();
  await settle();
  assert.equal(world.requests[0].url, "https://host.example/chat/session");
  assert.equal(world.requests[0].init.credentials, "include");
});

test("plain http means a plain socket", async () => {
  const world = start({ mount: "http://host.example:5000/chat" });
  await settle();
  assert.equal(world.socket.url, "ws://host.example:5000/chat/ws");
});

test("a socket address can be given instead of a mount", async () => {
  const world = start({ mount: undefined, url: "wss://host.example/a/b/ws?tenant=7" });
  await settle();
  assert.equal(world.socket.url, "wss://host.example/a/b/ws?tenant=7");
  world.socket.drop();
  await settle();
  assert.equal(world.requests[0].url, "https://host.example/a/b/session?tenant=7");
});

test("a socket address that tells no mount is never asked for session", async () => {
  const world = start({ mount: undefined, url: "wss://host.example/socket" });
  await settle();
  world.socket.drop();
  await settle();
  assert.equal(world.requests.length, 0);
  assert.equal(world.client.state.status, "waiting");
});

test("a wrong address is an error at once", () => {
  assert.throws(() => connect({ url: "http://[", network: null }), TypeError);
});

test("exactly the subprotocol of version 1 is offered", async () => {
  const world = start();
  await settle();
  assert.deepEqual(world.socket.protocols, [SUBPROTOCOL]);
});

test("own subprotocols are offered together with that of version 1, which stands once", async () => {
  const world = start({ subprotocols: ["token.abc"] });
  await settle();
  assert.deepEqual(world.socket.protocols, ["token.abc", SUBPROTOCOL]);
  const other = start({ subprotocols: () => [SUBPROTOCOL, "token.abc"] });
  await settle();
  assert.deepEqual(other.socket.protocols, [SUBPROTOCOL, "token.abc"]);
});

test("a query is asked for anew at each attempt, and goes to session too", async () => {
  let count = 0;
  const world = start({ query: async () => ({ token: `t${++count}` }) });
  await settle();
  assert.equal(world.socket.url, "wss://host.example/chat/ws?token=t1");
  world.socket.drop();
  await settle();
  assert.equal(world.requests[0].url, "https://host.example/chat/session?token=t2");
  await world.clock.advance(1_000);
  assert.equal(world.socket.url, "wss://host.example/chat/ws?token=t3");
});

test("a token that cannot be had now is tried again later", async () => {
  let fail = true;
  const world = start({ query: async () => { if (fail) throw new Error("offline"); return {}; } });
  await settle();
  assert.deepEqual([world.sockets.length, world.client.state.status], [0, "waiting"]);
  fail = false;
  await world.clock.advance(1_000);
  assert.equal(world.sockets.length, 1);
});

test("an address or subprotocol that the browser refuses ends the client", async () => {
  class Refusing { constructor() { throw new SyntaxError("bad subprotocol"); } }
  const world = start({ WebSocket: Refusing });
  await settle();
  assert.deepEqual(world.client.state, { status: "closed", code: 1002, reason: "bad subprotocol" });
});

test("the client is open once the server has said hello", async () => {
  const world = start();
  await settle();
  assert.equal(world.client.state.status, "connecting");
  world.socket.onopen({});
  assert.equal(world.client.state.status, "connecting");
  world.socket.hello();
  assert.equal(world.client.state.status, "open");
  assert.deepEqual([world.client.user, world.client.name, world.client.limits], ["ann", "Ann", LIMITS]);
});

test("unknown types, unknown fields and what is no frame are ignored", async () => {
  const world = await inRoom();
  world.socket.receive("{", "null", "[]", "7", '{"no":"type"}', { type: "from-2031", room: "lobby", x: 1 });
  world.socket.onmessage({ data: new ArrayBuffer(2) });
  world.socket.receive({ type: "message", room: "lobby", seq: 1, user: "bob", body: "hi", at: 1, mood: "blue" });
  assert.deepEqual(world.room.entries.map((entry) => entry.body), ["hi"]);
  assert.equal(world.client.state.status, "open");
});

test("request ids are integers and never used twice on a connection", async () => {
  const world = await opened();
  for (const name of ["a", "b", "c"]) world.client.join(name);
  const ids = world.socket.sent.map((frame) => frame.id);
  assert.ok(ids.every((id) => Number.isSafeInteger(id) && id >= 1));
  assert.equal(new Set(ids).size, 3);
});

test("an error that answers no request is told by the client", async () => {
  const world = await opened();
  const errors = record(world.client, "error");
  world.socket.receive({ type: "error", code: "bad_request", message: "what?" });
  assert.ok(errors[0] instanceof ChatError);
  assert.deepEqual([errors[0].code, errors[0].message], ["bad_request", "what?"]);
});

test("a notice is told by the client, in a room or not, and by no room", async () => {
  const world = await opened();
  const notices = record(world.client, "notice");
  world.socket.receive({ type: "notice", name: "invited", data: { by: "bob" } });
  const room = world.client.join("lobby");
  world.socket.answer(world.socket.take("join"), joined());
  const inTheRoom = record(room, "notice");
  world.socket.receive({ type: "notice", name: "maintenance" });
  assert.deepEqual(notices, [{ name: "invited", data: { by: "bob" } }, { name: "maintenance", data: undefined }]);
  assert.deepEqual(inTheRoom, []);
});

test("an unknown error code is kept, and of the kind forbidden", () => {
  const own = new ChatError("x-no-cats", "no cats here", 50);
  assert.deepEqual([own.code, own.kind, own.retryAfterMs], ["x-no-cats", "forbidden", 50]);
  assert.equal(new ChatError("room_full").kind, "room_full");
});

test("requests under way are rejected when the connection ends", async () => {
  const world = await inRoom({ seq: 1, messages: [{ seq: 1, user: "bob", body: "x", at: 1 }], more: true });
  const waiting = [world.room.redact(1), world.room.loadOlder()];
  world.socket.drop();
  for (const promise of waiting) await assert.rejects(promise, { code: "disconnected" });
  await assert.rejects(world.room.redact(1), { code: "disconnected" });
});

test("silence for a heartbeat is asked about; an answer, or anything else, is a sign of life", async () => {
  const world = await opened();
  await world.clock.advance(24_999);
  assert.ok(!world.socket.has("ping"));
  await world.clock.advance(1);
  world.socket.take("ping");
  await world.clock.advance(9_000);
  world.socket.receive({ type: "pong" });
  await world.clock.advance(24_999);
  assert.ok(!world.socket.has("ping"));
  await world.clock.advance(1);
  world.socket.take("ping");
  world.socket.receive({ type: "whatever" });
  await world.clock.advance(24_000);
  assert.equal(world.client.state.status, "open");
});

test("frames that come put the question off", async () => {
  const world = await opened();
  for (let i = 0; i < 10; i++) {
    await world.clock.advance(20_000);
    world.socket.receive({ type: "presence" });
  }
  assert.ok(!world.socket.has("ping"));
});

test("a connection that is silent for a heartbeat and 10 s is given up", async () => {
  const world = await opened();
  await world.clock.advance(34_999);
  assert.equal(world.client.state.status, "open");
  await world.clock.advance(1);
  assert.notEqual(world.socket.closedWith, null);
  assert.equal(world.client.state.reason, "heartbeat_timeout");
  await world.clock.advance(1_000);
  assert.equal(world.sockets.length, 2);
});

test("a timer that runs late, as in a hidden tab, does not end a living connection", async () => {
  const world = await opened();
  const { now } = world.clock;
  world.clock.now = () => now() + 60_000; // the timer of 25 s comes after 85 s
  await world.clock.advance(25_000);
  assert.equal(world.client.state.status, "open");
  world.socket.take("ping");
  world.socket.receive({ type: "pong" });
  await world.clock.advance(10_000);
  assert.equal(world.client.state.status, "open");
});

test("going offline or online makes the client ask at once whether the connection lives", async () => {
  for (const event of ["offline", "online"]) {
    const world = await opened();
    world.network.dispatchEvent(new Event(event));
    world.socket.take("ping");
    await world.clock.advance(10_000);
    assert.equal(world.client.state.status, "waiting", event);
  }
});

test("a handshake that takes too long is given up", async () => {
  const world = start({ connectTimeoutMs: 5_000 });
  await settle();
  await world.clock.advance(5_000);
  assert.notEqual(world.socket.closedWith, null);
  assert.equal(world.client.state.status, "waiting");
});

test("a frame that the server would close the connection for is not sent", async () => {
  const world = await inRoom();
  const entry = world.room.send("ä".repeat(LIMITS.frame_bytes));
  assert.deepEqual([entry.state, entry.error.code], ["failed", "too_large"]);
  assert.ok(!world.socket.has("send"));
  world.room.send("ä".repeat(1_000));
  assert.ok(world.socket.has("send"));
});

test("close ends the socket, the rooms and all timers, for good", async () => {
  const world = await inRoom();
  const redacting = world.room.redact(1);
  const entry = world.room.send("late");
  world.client.close();
  assert.equal(world.socket.closedWith, 1000);
  assert.deepEqual(world.client.state, { status: "closed", code: 1000, reason: "closed" });
  assert.equal(world.room.state, "left");
  assert.equal(entry.state, "failed");
  await assert.rejects(redacting, { code: "closed" });
  world.network.dispatchEvent(new Event("online"));
  world.socket.drop(1000);
  await world.clock.advance(100_000);
  assert.equal(world.sockets.length, 1);
  assert.equal(world.clock.pending, 0);
});

test("close while the handshake or the wait is under way stops that", async () => {
  const dialing = start();
  dialing.client.close();
  await settle();
  assert.equal(dialing.sockets.length, 0);
  const waiting = start();
  await settle();
  waiting.socket.drop();
  await settle();
  waiting.client.close();
  await waiting.clock.advance(100_000);
  assert.equal(waiting.sockets.length, 1);
  assert.equal(waiting.clock.pending, 0);
});

test("close while session is asked is not undone by its answer", async () => {
  let answer;
  const world = start({ fetch: () => new Promise((resolve) => { answer = resolve; }) });
  await settle();
  world.socket.drop();
  await settle();
  world.client.close();
  answer(new Response(null, { status: 503, headers: { "Retry-After": "1" } }));
  await world.clock.advance(100_000);
  assert.deepEqual([world.client.state.status, world.sockets.length, world.clock.pending], ["closed", 1, 0]);
});

test("events are those of an EventTarget, and on() can be undone", async () => {
  const world = await opened();
  const seen = [];
  world.client.addEventListener("state", (event) => seen.push(event.detail.status), { once: true });
  const off = world.client.on("state", (state) => seen.push(`on ${state.status}`));
  world.socket.drop();
  off();
  await world.clock.advance(1_000);
  assert.deepEqual(seen, ["waiting", "on waiting"]);
});

test("two clients share nothing", async () => {
  const one = await inRoom();
  const two = await opened({}, { user: "zoe" });
  one.socket.receive({ type: "message", room: "lobby", seq: 1, user: "bob", body: "x", at: 1 });
  const room = two.client.join("lobby");
  two.socket.answer(two.socket.take("join"), joined());
  assert.deepEqual([room.entries.length, one.client.user, two.client.user], [0, "ann", "zoe"]);
});
