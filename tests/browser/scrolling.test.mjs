import assert from "node:assert/strict";
import { test } from "node:test";
import { Meddler } from "./support/meddler.mjs";
import { stage } from "./support/stage.mjs";
import { until } from "./support/until.mjs";

const world = stage();
const MANY = 130;

async function roomWithHistory() {
  const room = world.room();
  const bo = await world.guest("Bo");
  const bos = await bo.enter(room);
  for (let n = 1; n <= MANY; n++) await bo.post(room, `number ${n}`);
  await bos.hears(`number ${MANY}`);
  const adas = await (await world.guest("Ada")).enter(room);
  await adas.hears(`number ${MANY}`);
  return { room, bo, bos, adas };
}

test("history comes as one scrolls up, nothing moves meanwhile, and new messages wait in a pill", async () => {
  const { bo, bos, room, adas } = await roomWithHistory();
  assert.ok((await adas.distanceToBottom()) <= 1, "one begins at the newest");
  const before = await adas.texts();
  assert.ok(before.length < MANY, `${before.length} are loaded at first`);
  assert.equal(await adas.page.$$eval("#live .message", (rows) => rows.length), 0, "what was said before is not read out");

  await until("all of it is loaded", async () => {
    await holdingStill(adas, () => adas.scrollTo(300));
    return (await adas.messages()).length === MANY;
  });
  assert.deepEqual(await adas.texts(), Array.from({ length: MANY }, (_, n) => `number ${n + 1}`));
  await adas.scrollTo(0);
  assert.match(await adas.page.textContent("#beginning"), /as far back/);

  await adas.scrollTo(500);
  await adas.page.locator("#pill").waitFor();
  const top = await adas.scrollTop();
  await bos.say("news 1");
  await bos.say("news 2");
  await adas.hears("news 2");
  assert.equal(await adas.scrollTop(), top, "the reader is left where she is");
  assert.equal(await adas.page.textContent("#pill-text"), "2 new messages");
  await adas.screenshot("pill");
  await adas.page.click("#pill");
  assert.ok((await adas.distanceToBottom()) <= 1);
  await adas.page.locator("#pill").waitFor({ state: "hidden" });

  await bo.post(room, "and on");
  await adas.hears("and on");
  assert.ok((await adas.distanceToBottom()) <= 1, "near the newest the page follows");
  await adas.scrollTo(500);
  await adas.say("my own");
  await adas.hears("my own");
  assert.ok((await adas.distanceToBottom()) <= 1, "what one says oneself one wants to see");
});

test("a page that is open for long lets go of the oldest messages, and fetches them when one scrolls up", async () => {
  const ada = await world.guest("Ada");
  const tab = await ada.newTab();
  const meddler = new Meddler();
  await meddler.attach(tab.page);
  const room = world.room();
  await tab.enter(ada.name, room);
  const messages = Array.from({ length: 620 }, (_, n) => ({ seq: n + 1, user: "Bo", body: `number ${n + 1}`, at: Date.now() }));
  meddler.refuse(({ type, before, limit }) => type === "history" && {
    type: "history", room, messages: messages.slice(Math.max(0, before - 1 - limit), before - 1), more: before - 1 > limit,
  });
  for (const message of messages) meddler.tell({ type: "message", room, ...message });
  await tab.hears("number 620");
  const kept = (await tab.messages()).map(({ seq }) => seq);
  assert.ok(kept.length <= 600, `${kept.length} rows`);
  assert.deepEqual(kept, messages.slice(-kept.length).map(({ seq }) => seq));
  assert.ok((await tab.distanceToBottom()) <= 1);
  await tab.scrollTo(100);
  await until("older ones have come back", async () => (await tab.messages()).length > kept.length);
  const seqs = (await tab.messages()).map(({ seq }) => seq);
  assert.deepEqual(seqs, messages.slice(-seqs.length).map(({ seq }) => seq));
});

/** Does something, and checks that the first fully visible message is where it was once older ones have come. */
async function holdingStill(tab, action) {
  await action();
  const mark = await tab.page.evaluate(() => {
    const frame = document.getElementById("timeline").getBoundingClientRect();
    const row = [...document.querySelectorAll(".bubble")].find((bubble) => bubble.getBoundingClientRect().top >= frame.top);
    globalThis.marked = row;
    return { top: row.getBoundingClientRect().top, count: document.querySelectorAll(".message").length };
  });
  if (mark.count === MANY) return;
  await tab.page.waitForFunction((count) => document.querySelectorAll(".message").length > count, mark.count);
  const after = await tab.page.evaluate(() => globalThis.marked.getBoundingClientRect().top);
  assert.ok(Math.abs(after - mark.top) <= 2, `what one reads moved by ${after - mark.top} px`);
}
