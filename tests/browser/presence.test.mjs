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
  // It may go by itself meanwhile.
  await adas.page.evaluate(() => document.querySelector(".toast-close")?.click());
  await until("the pop-up is gone", async () => (await adas.toasts()).length === 0);
  await bos.page.reload();
  await bos.joined();
  const cys = await cy.enter(room);
  await cys.page.close();
  await adas.seesToast(cy.name, "left");
  assert.ok((await adas.toasts()).every((text) => !text.includes(bo.name)));
});

test("pop-ups are at most three, what finds no place waits, and all rest while they are looked at", async () => {
  const room = world.room();
  const [ada, bo, cy, di] = await Promise.all(["Ada", "Bo", "Cy", "Di"].map((name) => world.guest(name)));
  const adas = await ada.newTab();
  await adas.page.clock.install();
  await adas.enter(ada.name, room);
  await adas.page.clock.pauseAt(Date.now() + 60_000);
  const pass = (ms) => adas.page.clock.runFor(ms);

  const bos = await bo.enter(room);
  await adas.seesToast(bo.name, "joined");
  await pass(1510);
  await cy.enter(room);
  await adas.seesToast(cy.name, "joined");
  await bos.page.close();
  await adas.seesMembers(ada.name, cy.name);
  await pass(1250);
  await adas.seesToast(bo.name, "left");
  assert.equal((await adas.toasts()).length, 3);
  await pass(300);
  await di.enter(room);
  await adas.seesMembers(ada.name, cy.name, di.name);
  assert.deepEqual(await adas.toasts(), [`${bo.name} joined`, `${cy.name} joined`, `${bo.name} left`], "there is no place for a fourth");
  await pass(1700);
  assert.deepEqual(await adas.toasts(), [`${cy.name} joined`, `${bo.name} left`, `${di.name} joined`], "now there is");

  const resting = await adas.toasts();
  await adas.page.hover(".toast >> nth=-1");
  await pass(20_000);
  assert.deepEqual(await adas.toasts(), resting, "they rest under the pointer");
  await adas.page.focus(".toast-close >> nth=0");
  await adas.page.mouse.move(400, 600);
  await pass(20_000);
  assert.deepEqual(await adas.toasts(), resting, "and under the focus");
  await adas.page.focus("#message");
  await pass(6000);
  assert.deepEqual(await adas.toasts(), []);
});

test("a pop-up that nobody looks at is shown for 4 to 6 seconds", async () => {
  const room = world.room();
  const adas = await (await world.guest("Ada", { reducedMotion: "no-preference" })).enter(room);
  const shown = observeToasts(adas);
  const bo = await world.guest("Bo");
  await bo.enter(room);
  await adas.seesToast(bo.name, "joined");
  await until("it goes by itself", async () => (await adas.toasts()).length === 0);
  const { lives } = await shown();
  assert.ok(lives[0] >= 4000 && lives[0] <= 6000, `${lives[0]} ms`);
});

test("those who were here already stand still when somebody comes", async () => {
  const room = world.room();
  const [bo, ada, cy] = [await world.guest("Bo"), await world.guest("Ada"), await world.guest("Cy")];
  const bos = await bo.enter(room);
  await cy.enter(room);
  await bos.seesMembers(bo.name, cy.name);
  await bos.page.evaluate(() => {
    globalThis.moved = [];
    new MutationObserver((changes) => globalThis.moved.push(...changes.flatMap(({ addedNodes }) => [...addedNodes].map((row) => row.textContent))))
      .observe(document.getElementById("members"), { childList: true });
  });
  const adas = await ada.enter(room);
  await bos.seesMembers(bo.name, ada.name, cy.name);
  assert.deepEqual((await bos.members()), [bo.name, ada.name, cy.name], "oneself first, then by name");
  const moved = await bos.page.evaluate(() => globalThis.moved);
  assert.equal(moved.length, 1, moved.join(", "));
  assert.ok(moved[0].includes(ada.name));
  await adas.page.close();
  await bos.seesMembers(bo.name, cy.name);
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

/** Records in the page how long each pop-up lives. */
function observeToasts(tab) {
  const started = tab.page.evaluate(() => {
    const record = { lives: [] };
    const born = new Map();
    globalThis.toastRecord = record;
    new MutationObserver((changes) => {
      for (const change of changes) {
        for (const node of change.addedNodes) born.set(node, performance.now());
        for (const node of change.removedNodes) record.lives.push(performance.now() - born.get(node));
      }
    }).observe(document.getElementById("toasts"), { childList: true });
  });
  return async () => {
    await started;
    return tab.page.evaluate(() => globalThis.toastRecord);
  };
}
