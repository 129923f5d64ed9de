import assert from "node:assert/strict";
import { test } from "node:test";
import { stage } from "./support/stage.mjs";
import { until } from "./support/until.mjs";

const world = stage();

test("a pop-up tells of a join and a leave, and none of a second tab or of oneself", async () => {
  const room = world.room();
  const [ada, bo, cy] = [await world.guest("Ada"), await world.guest("Bo"), await world.guest("Cy")];
  const adas = await ada.enter(room);
  const bos = await bo.enter(room);
  await adas.seesToast(bo.name, "joined");
  await adas.screenshot("pop-up");
  const second = await bo.openTab(room);
  // Cy's coming is told after whatever Bo's second tab might have caused.
  const cys = await cy.enter(room);
  await adas.seesMembers(ada.name, bo.name, cy.name);
  await until("Cy is told of", async () => (await adas.toasts()).some((text) => text.includes(cy.name)));
  for (const text of await adas.toasts()) assert.doesNotMatch(text, new RegExp(`${bo.name}.*${bo.name}|${ada.name}`));
  assert.deepEqual(await bos.toasts().then((all) => all.filter((text) => text.includes(bo.name))), []);

  await second.page.close();
  await cys.page.close();
  await adas.seesToast(cy.name, "left");
  assert.ok((await adas.toasts()).every((text) => !(text.includes(bo.name) && text.endsWith(" left"))), "a tab is not the user");
  await adas.seesMembers(ada.name, bo.name);
  await bos.page.close();
  await adas.seesToast(bo.name, "left");
  await adas.seesMembers(ada.name);
  assert.equal(await adas.page.textContent("#connection-state"), "Only you are here");
});

test("a reload is no news", async () => {
  const room = world.room();
  const [ada, bo, cy] = [await world.guest("Ada"), await world.guest("Bo"), await world.guest("Cy")];
  const adas = await ada.enter(room);
  const bos = await bo.enter(room);
  await adas.seesToast(bo.name, "joined");
  await adas.page.click(".toast-close");
  await until("the pop-up is gone", async () => (await adas.toasts()).length === 0);
  await bos.page.reload();
  await bos.joined();
  const cys = await cy.enter(room);
  await cys.page.close();
  await adas.seesToast(cy.name, "left");
  assert.ok((await adas.toasts()).every((text) => !text.includes(bo.name)));
});

test("pop-ups are at most three, go by themselves after 4 to 6 seconds, and rest while they are looked at", async () => {
  const room = world.room();
  const adas = await (await world.guest("Ada")).enter(room);
  const others = await Promise.all(Array.from({ length: 6 }, (_, n) => world.guest(`Guest ${n}`)));
  const shown = observeToasts(adas);
  for (const other of others) await other.enter(room);
  await adas.page.waitForFunction(() => document.querySelector(".toast"));
  await adas.page.hover(".toast");
  const resting = (await adas.toasts()).at(-1);
  await adas.page.waitForTimeout(6500);
  assert.ok((await adas.toasts()).includes(resting), "it rests under the pointer");
  await adas.page.mouse.move(300, 600);
  await until("all have gone", async () => (await adas.toasts()).length === 0, 20_000);
  const { most } = await shown();
  assert.ok(most >= 1 && most <= 3, `${most} at a time`);
});

test("a pop-up that nobody looks at is shown for 4 to 6 seconds", async () => {
  const room = world.room();
  const adas = await (await world.guest("Ada")).enter(room);
  const shown = observeToasts(adas);
  const bo = await world.guest("Bo");
  await bo.enter(room);
  await adas.seesToast(bo.name, "joined");
  await until("it goes by itself", async () => (await adas.toasts()).length === 0);
  const { lives } = await shown();
  assert.ok(lives[0] >= 4000 && lives[0] <= 6000, `${lives[0]} ms`);
});

test("a room that everybody has left is empty for whoever comes next", async () => {
  const room = world.room();
  const [ada, bo] = [await world.guest("Ada"), await world.guest("Bo")];
  const adas = await ada.enter(room);
  const bos = await bo.enter(room);
  await adas.say("nobody will ever read this again");
  await bos.hears("nobody will ever read this again");
  await adas.page.click("#leave");
  await adas.page.waitForURL("**/");
  await bos.seesMembers(bo.name);
  assert.deepEqual(await bos.texts(), ["nobody will ever read this again"], "while one is left, it stays");
  await bos.page.click("#leave");
  await bos.page.waitForURL("**/");
  await bos.goto(`/rooms/${encodeURIComponent(room)}`);
  await bos.joined();
  await bos.page.locator("#empty").waitFor();
  assert.deepEqual(await bos.texts(), []);
  await bos.say("a new life");
  await bos.hears("a new life");
  assert.equal((await bos.messages())[0].seq, 1);
});

/** Records in the page how many pop-ups there are at a time and how long each lives. */
function observeToasts(tab) {
  const started = tab.page.evaluate(() => {
    const record = { most: 0, lives: [] };
    const born = new Map();
    globalThis.toastRecord = record;
    new MutationObserver((changes) => {
      for (const change of changes) {
        for (const node of change.addedNodes) born.set(node, performance.now());
        for (const node of change.removedNodes) record.lives.push(performance.now() - born.get(node));
      }
      record.most = Math.max(record.most, document.querySelectorAll(".toast").length);
    }).observe(document.getElementById("toasts"), { childList: true });
  });
  return async () => {
    await started;
    return tab.page.evaluate(() => globalThis.toastRecord);
  };
}
