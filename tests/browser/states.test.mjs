import assert from "node:assert/strict";
import { test } from "node:test";
import { graveViolations } from "./support/axe.mjs";
import { Meddler } from "./support/meddler.mjs";
import { stage } from "./support/stage.mjs";
import { until } from "./support/until.mjs";

const world = stage();

async function guestWithMeddler() {
  const ada = await world.guest("Ada");
  const tab = await ada.newTab();
  const meddler = new Meddler();
  await meddler.attach(tab.page);
  return { ada, tab, meddler, room: world.room() };
}

async function ended(tab) {
  await tab.page.locator("#ended").waitFor();
  assert.deepEqual(await graveViolations(tab.page), []);
  assert.equal(await tab.page.$eval(".composer", (composer) => composer.inert), true, "nothing behind the card can be used");
  return tab.page.textContent("#ended-title");
}

test("a full room says so, and lets one in as soon as there is a place", async () => {
  const { ada, tab, meddler, room } = await guestWithMeddler();
  meddler.refuse((frame) => frame.type === "join" && { type: "error", code: "room_full", message: "full", room });
  await tab.goto("/");
  await tab.submit(ada.name, room);
  assert.equal(await ended(tab), "This room is full");
  await tab.screenshot("room-full");
  meddler.relent();
  await tab.page.click("text=Try again");
  await tab.joined();
  assert.deepEqual(await tab.members(), [ada.name]);
});

for (const [code, title] of [["kicked", "You were sent out of this room"], ["banned", "You are banned from this room"], ["room_closed", "This room was closed"]]) {
  test(`whoever is removed (${code}) is told, with the reason`, async () => {
    const { ada, tab, meddler, room } = await guestWithMeddler();
    await tab.enter(ada.name, room);
    meddler.tell({ type: "removed", room, code, reason: "It was late." });
    assert.equal(await ended(tab), title);
    assert.equal(await tab.page.textContent("#ended-text"), "It was late.");
    assert.deepEqual(await tab.members(), []);
  });
}

for (const [close, code, title] of [[4502, "kicked", "You were sent away"], [4503, "banned", "You are banned"], [4504, "abuse", "The server hung up"], [4500, "unauthorized", "You are logged out"]]) {
  test(`an end for good (${code}) is told, and nothing is tried again`, async () => {
    const { ada, tab, meddler, room } = await guestWithMeddler();
    await tab.enter(ada.name, room);
    meddler.tell({ type: "bye", code, reason: code, reconnect: false, after_ms: 0 });
    await meddler.hangUp(close, code);
    assert.equal(await ended(tab), title);
    assert.equal(await tab.page.isVisible("#banner"), false);
  });
}

test("a message that fails is kept, says why, and can be sent again or discarded", async () => {
  const { ada, tab, meddler, room } = await guestWithMeddler();
  await tab.enter(ada.name, room);
  meddler.refuse((frame) => frame.type === "send" && { type: "error", code: "store_unavailable", message: "the disk is full", room });
  await tab.say("important");
  await tab.say("not so important");
  await until("both have failed", async () => (await tab.messages()).every(({ state }) => state === "failed"));
  assert.match(await tab.page.textContent(".failed .delivery"), /Not sent. The server cannot keep messages at the moment./);
  assert.deepEqual(await graveViolations(tab.page), []);
  await tab.screenshot("failed");
  meddler.relent();
  await tab.page.locator(".failed", { hasText: "not so" }).getByText("Discard").click();
  await tab.page.locator(".failed").getByText("Send again").click();
  await tab.hears("important");
  assert.deepEqual(await tab.texts(), ["important"]);
});

test("a message says that it is pending until it is sent", async () => {
  const { ada, tab, meddler, room } = await guestWithMeddler();
  await tab.enter(ada.name, room);
  let held = null;
  meddler.refuse((frame) => {
    if (frame.type === "send") held = frame;
    return frame.type === "send" && { type: "pong", id: 0 };
  });
  await tab.say("on its way");
  await until("it has been sent off", () => held);
  assert.deepEqual((await tab.messages()).map(({ text, state }) => [text, state]), [["on its way", "pending"]]);
  assert.equal(await tab.page.locator(".pending-mark").textContent(), "Sending");
  const { nonce, body } = held;
  meddler.tell({ type: "message", room, seq: 1, user: ada.name, body, at: Date.now(), nonce });
  await tab.hears("on its way");
  assert.equal((await tab.texts()).length, 1);
});
