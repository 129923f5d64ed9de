import assert from "node:assert/strict";
import { test } from "node:test";
import { stage } from "./support/stage.mjs";

const world = stage();

test("a logout in one of two tabs ends the other too, and the name is gone from every room", async () => {
  const room = world.room();
  const [ada, bo] = [await world.guest("Ada"), await world.guest("Bo")];
  const bos = await bo.enter(room);
  const one = await ada.enter(room);
  const two = await ada.openTab(room);
  await bos.seesMembers(ada.name, bo.name);
  await one.page.click("#logout button");
  await one.page.waitForURL("**/");
  await two.page.locator("#ended").waitFor();
  assert.equal(await two.page.textContent("#ended-title"), "You are logged out");
  assert.deepEqual(await two.members(), []);
  assert.equal(await two.page.evaluate(() => document.activeElement.textContent), "Enter again");
  await two.screenshot("logged-out");
  await bos.seesMembers(bo.name);
  await two.goto(`/rooms/${encodeURIComponent(room)}`);
  assert.equal(new URL(two.page.url()).pathname, "/", "the cookie is void");
});

test("a logout by the last one ends the room", async () => {
  const room = world.room();
  const ada = await world.guest("Ada");
  const tab = await ada.enter(room);
  await tab.say("soon forgotten");
  await tab.hears("soon forgotten");
  await tab.page.click("#logout button");
  await tab.page.waitForURL("**/");
  const bos = await (await world.guest("Bo")).enter(room);
  assert.deepEqual(await bos.texts(), []);
});

test("on a phone, too, one can act on the end, even while the people are shown", async () => {
  const room = world.room();
  const ada = await world.guest("Ada", { viewport: { width: 390, height: 844 }, hasTouch: true });
  const tab = await ada.enter(room);
  const other = await ada.openTab(room);
  await tab.page.click("#people-open");
  await other.page.click("#people-open");
  await other.page.click("#logout button");
  await tab.page.locator("#ended").waitFor();
  await tab.screenshot("logged-out-phone");
  await tab.page.click("#ended .button");
  await tab.page.waitForURL("**/");
});
