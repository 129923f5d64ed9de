import assert from "node:assert/strict";
import { test } from "node:test";
import { stage } from "./support/stage.mjs";
import { until } from "./support/until.mjs";

const world = stage();
const REFUSED = /status of (400|409)/;

test("a guest enters by the form and finds an empty room", async () => {
  const ada = await world.guest("Ada");
  const room = world.room();
  const tab = await ada.newTab();
  await tab.enter(ada.name, room);
  assert.equal(new URL(tab.page.url()).pathname, `/rooms/${encodeURIComponent(room)}`);
  assert.equal(await tab.page.title(), `${room} · chatrooms`);
  assert.match(await tab.page.textContent("#empty"), /Nothing has been said here yet/);
  assert.deepEqual(await tab.members(), [ada.name]);
  assert.equal(await tab.page.textContent("#my-name"), ada.name);
});

test("a name that another browser uses is refused beside its field, with what was typed kept", async () => {
  const room = world.room();
  const ada = await world.guest("Ada");
  await ada.enter(room);
  const impostor = await (await world.guest("Eve")).newTab();
  impostor.expectTrouble(REFUSED);
  await impostor.goto("/");
  const [answer] = await Promise.all([impostor.page.waitForResponse(/\/rooms$/), impostor.submit(ada.name, room)]);
  assert.equal(answer.status(), 409);
  await impostor.page.locator("#username-error:not(:empty)").waitFor();
  assert.equal(await impostor.page.inputValue("#username"), ada.name);
  assert.equal(await impostor.page.inputValue("#room"), room);
  assert.equal(await impostor.page.textContent("#room-error"), "");
  assert.equal(await impostor.page.getAttribute("#username", "aria-invalid"), "true");
  await until("the cursor is where it is needed", () => impostor.page.evaluate(() => document.activeElement.id === "username"));
  await impostor.screenshot("name-taken");
});

test("names that cannot be are refused beside their fields", async () => {
  const tab = await (await world.guest("Nobody")).newTab();
  tab.expectTrouble(REFUSED);
  const zeroWidth = "a\u200Bb";
  const mixed = "\u0440\u0430ypal";
  for (const [username, room, complaining] of [[zeroWidth, "fine", "username"], [mixed, "fine", "username"], ["Fine", "..", "room"], [zeroWidth, zeroWidth, "username"]]) {
    await tab.goto("/");
    const [answer] = await Promise.all([tab.page.waitForResponse(/\/rooms$/), tab.submit(username, room)]);
    assert.equal(answer.status(), 400, `${username} in ${room}`);
    await tab.page.locator(`#${complaining}-error:not(:empty)`).waitFor();
    assert.equal(await tab.page.inputValue("#username"), username);
    assert.equal(await tab.page.inputValue("#room"), room);
  }
});

test("empty fields need no journey to the server", async () => {
  const tab = await (await world.guest("Nobody")).newTab();
  await tab.goto("/");
  await tab.submit("", "somewhere");
  assert.match(await tab.page.textContent("#username-error"), /choose a name/);
  await tab.page.fill("#username", "x");
  assert.equal(await tab.page.textContent("#username-error"), "", "the complaint goes when it is answered");
  assert.equal(new URL(tab.page.url()).pathname, "/");
});

test("a room without a cookie leads to the entry page", async () => {
  const tab = await (await world.guest("Nobody")).newTab();
  await tab.goto(`/rooms/${encodeURIComponent(world.room())}`);
  assert.equal(new URL(tab.page.url()).pathname, "/");
  await tab.page.locator("#enter").waitFor();
});

test("whoever follows a link to a room need only choose a name", async () => {
  const room = world.room("shared room");
  const ada = await world.guest("Ada");
  const tab = await ada.newTab();
  await tab.goto(`/rooms/${encodeURIComponent(room)}`);
  assert.equal(await tab.page.inputValue("#room"), room);
  await tab.page.fill("#username", ada.name);
  await tab.page.press("#username", "Enter");
  await tab.joined();
  assert.equal(await tab.page.textContent("#room-name"), room);
});

test("whoever has been in finds the open rooms and enters one by a click", async () => {
  const room = world.room("lounge");
  await (await world.guest("Ada")).enter(room);
  const bo = await world.guest("Bo");
  const tab = await bo.enter(world.room("elsewhere"));
  await tab.page.click("#leave");
  await tab.page.locator("#open-rooms").waitFor();
  assert.match(await tab.page.textContent("#open-rooms-list"), new RegExp(`${room}\\s*1 person`));
  if (!(await tab.page.inputValue("#username"))) await tab.page.fill("#username", bo.name);
  await tab.page.locator(".open-room", { hasText: room }).click();
  await tab.joined();
  await tab.screenshot("second-room");
});
