import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { SUBPROTOCOL } from "../../chatrooms-ws/client/chatrooms.js";
import { inRoom, joined, reconnected, settle, start } from "./harness.mjs";

const status = (code) => new Response(JSON.stringify({ error: { code: "x", message: "x" } }), { status: code });

/** Something to carry a token in, that is another one each time. */
function renewed(carry) {
  let count = 0;
  return async () => carry(`t${++count}`);
}

test("a token as a subprotocol is asked for anew at each attempt", async () => {
  const world = await inRoom({}, undefined, { subprotocols: renewed((token) => [`token.${token}`]) });
  assert.deepEqual(world.socket.protocols, ["token.t1", SUBPROTOCOL]);
  const socket = await reconnected(world);
  assert.deepEqual(socket.protocols, ["token.t2", SUBPROTOCOL]);
  socket.answer(socket.take("join"), joined({ resumed: true }));
  assert.equal(world.room.state, "joined");
});

test("after credentials have ended nothing is tried, and reconnect() asks for new ones and comes back to the rooms", async () => {
  for (const carrier of ["subprotocols", "query"]) {
    const carry = (token) => (carrier === "query" ? { token } : [`token.${token}`]);
    const world = await inRoom({}, undefined, { [carrier]: renewed(carry) });
    world.socket.receive({ type: "bye", code: "unauthorized", reason: "", reconnect: false, after_ms: 0 });
    world.socket.drop(4500);
    await world.clock.advance(100_000);
    assert.deepEqual(world.client.state, { status: "closed", code: 4500, reason: "unauthorized" });
    assert.equal(world.sockets.length, 1);
    world.client.reconnect();
    await settle();
    const carried = carrier === "query" ? world.socket.url : world.socket.protocols[0];
    assert.ok(carried.endsWith("t2"), carried);
    world.socket.hello();
    world.socket.answer(world.socket.take("join"), joined());
    assert.equal(world.room.state, "joined");
  }
});

test("session is asked with a header that is made anew, and its 401 is the end", async () => {
  const world = start({
    subprotocols: renewed((token) => [`token.${token}`]),
    headers: renewed((token) => ({ Authorization: `Bearer ${token}` })),
  });
  await settle();
  world.session = status(200);
  world.socket.drop();
  await settle();
  assert.equal(world.client.state.status, "waiting", "the token was good for session: it may be for the next socket");
  world.session = status(401);
  await world.clock.advance(1_000);
  world.socket.drop();
  await settle();
  assert.deepEqual(world.requests.map(({ init }) => init.headers.Authorization), ["Bearer t1", "Bearer t2"]);
  assert.deepEqual(world.client.state, { status: "closed", code: 401, reason: "unauthorized" });
});

test("tokens work against a real server", () => {
  // Node 20 has its WebSocket behind a flag, which later ones still take.
  const script = fileURLToPath(new URL("by_token.mjs", import.meta.url));
  // Or it would report to the runner of this file.
  const { NODE_TEST_CONTEXT, ...env } = process.env;
  const run = spawnSync(process.execPath, ["--experimental-websocket", "--no-warnings", script], { env, encoding: "utf8", timeout: 60_000 });
  assert.equal(run.status, 0, run.stdout + run.stderr);
});
