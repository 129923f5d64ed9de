import assert from "node:assert/strict";
import { test } from "node:test";
import { stage } from "./support/stage.mjs";

const PUBLIC = "https://chat.example.org";
const world = stage({ publicUrl: PUBLIC });

test("behind TLS the cookie is this host's alone, and people talk as everywhere", async () => {
  const room = world.room();
  const [ada, bo] = [await world.guest("Ada"), await world.guest("Bo")];
  const [adas, bos] = [await ada.newTab(), await bo.newTab()];
  const sockets = [];
  adas.page.on("websocket", (socket) => sockets.push(socket.url()));
  await adas.enter(ada.name, room);
  await bos.goto(`/rooms/${encodeURIComponent(room)}`);
  assert.equal(await bos.page.inputValue("#room"), room, "the link to the room is remembered");
  await bos.submit(bo.name, room);
  await bos.joined();
  await adas.say("hello over TLS");
  await bos.hears("hello over TLS");
  assert.deepEqual(sockets.map((url) => new URL(url).origin), ["wss://chat.example.org"]);

  const cookies = await ada.context.cookies();
  assert.deepEqual(cookies.map(({ name }) => name), ["__Host-chatrooms"]);
  const [{ domain, path, secure, httpOnly, sameSite }] = cookies;
  assert.deepEqual({ domain, path, secure, httpOnly, sameSite }, { domain: "chat.example.org", path: "/", secure: true, httpOnly: true, sameSite: "Lax" });

  await adas.page.reload();
  await adas.joined();
  await adas.page.click("#logout button");
  await adas.page.locator("#enter").waitFor();
  assert.deepEqual(await ada.context.cookies(), []);
  await bos.seesMembers(bo.name);
});
