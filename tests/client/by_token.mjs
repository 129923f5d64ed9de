// The client module against the example `by_token`, over real sockets. Run by credentials.test.mjs.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { connect } from "../../chatrooms-ws/client/chatrooms.js";

const BINARY = fileURLToPath(new URL("../../target/debug/examples/by_token", import.meta.url));
/** How long anything may take before it counts as hung. */
const HANG = { timeout: 15_000 };

let server, base;

before(async () => {
  assert.ok(existsSync(BINARY), `${BINARY} is missing: run \`cargo build --example by_token\` first`);
  server = spawn(BINARY, ["127.0.0.1:0"], { stdio: ["ignore", "pipe", "inherit"] });
  const [line] = await once(createInterface(server.stdout), "line");
  base = line.replace("listening on ", "");
}, HANG);

after(() => server?.kill());

async function post(path, token, body = "") {
  const headers = token ? { Authorization: `Bearer ${token}` } : {};
  const answer = await fetch(`${base}${path}`, { method: "POST", headers, body });
  assert.equal(answer.status, 200, path);
  return answer.text();
}

const logIn = (user) => post("/login", null, user);

/** Whatever carries a token, and counts how often it was asked for. */
function carrier(carry) {
  const asked = Object.assign(async () => carry(asked.token, ++asked.times), { times: 0, token: null });
  return asked;
}

/** A client whose sockets can be taken away; closed when the test ends. */
function client(test, options) {
  const sockets = [];
  class Tracked extends WebSocket {
    constructor(url, protocols) {
      super(url, protocols);
      sockets.push(this);
      // Node 20 leaves out the close that follows a handshake which failed.
      this.addEventListener("error", () => setImmediate(() => this.onclose?.({ code: 1006, reason: "" })));
    }
  }
  const client = connect({ mount: `${base}/chat`, WebSocket: Tracked, backoff: { baseMs: 10, capMs: 50 }, ...options });
  test.after(() => client.close());
  return Object.assign(client, { sockets });
}

/** Waits until the client is in one of these states. */
function reached(client, ...statuses) {
  if (statuses.includes(client.state.status)) return client.state;
  return new Promise((resolve) => {
    const off = client.on("state", (state) => {
      if (!statuses.includes(state.status)) return;
      off();
      resolve(state);
    });
  });
}

test("a token as a subprotocol lets in, and a renewed one after it was revoked", HANG, async (t) => {
  const subprotocols = carrier((token) => [`token.${token}`]);
  subprotocols.token = await logIn("ann");
  const ann = client(t, { subprotocols });
  await reached(ann, "open");
  assert.equal(ann.user, "ann");
  assert.equal(ann.sockets[0].protocol, "chatrooms.v1.json", "the token is not echoed");
  const room = ann.join("lobby");
  await room.ready;

  const old = subprotocols.token;
  subprotocols.token = await logIn("ann");
  await post("/logout", old);
  const ended = await reached(ann, "closed");
  assert.deepEqual([ended.code, ended.reason], [4501, "logged_out"]);
  ann.reconnect();
  await reached(ann, "open");
  assert.equal(subprotocols.times, 2);
  assert.equal((await room.send("back again").settled()).state, "sent");
});

test("a lost socket comes back with the token of now", HANG, async (t) => {
  const subprotocols = carrier((token) => [`token.${token}`]);
  subprotocols.token = await logIn("ben");
  const ben = client(t, { subprotocols });
  await reached(ben, "open");
  subprotocols.token = await logIn("ben the second");
  ben.sockets[0].close();
  await reached(ben, "waiting", "connecting");
  await reached(ben, "open");
  assert.deepEqual([ben.user, subprotocols.times], ["ben the second", 2]);
});

test("tickets in the query are good once, and each attempt has its own", HANG, async (t) => {
  const token = await logIn("cyd");
  const query = carrier(async () => ({ ticket: await post("/ticket", token) }));
  const cyd = client(t, { query });
  await reached(cyd, "open");
  cyd.sockets[0].close();
  await reached(cyd, "waiting", "connecting");
  await reached(cyd, "open");
  assert.deepEqual([cyd.user, query.times], ["cyd", 2]);

  const ticket = await post("/ticket", token);
  const thrifty = client(t, { query: { ticket } });
  await reached(thrifty, "open");
  thrifty.sockets[0].close();
  await reached(thrifty, "waiting", "connecting");
  assert.deepEqual(await reached(thrifty, "closed"), { status: "closed", code: 401, reason: "unauthorized" });
});

test("a token that is not good is the end, where session can be asked with it", HANG, async (t) => {
  const wrong = client(t, { subprotocols: ["token.wrong"], headers: { Authorization: "Bearer wrong" } });
  assert.deepEqual(await reached(wrong, "closed"), { status: "closed", code: 401, reason: "unauthorized" });
});

test("a token that cannot stand in a subprotocol is the end at once", HANG, async (t) => {
  const impossible = client(t, { subprotocols: ["token.a/b=="] });
  const ended = await reached(impossible, "closed");
  assert.deepEqual([ended.code, impossible.sockets.length], [1002, 0]);
});
