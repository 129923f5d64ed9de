import assert from "node:assert/strict";
import { test } from "node:test";
import { startApp } from "./support/app.mjs";
import { stage } from "./support/stage.mjs";
import { until } from "./support/until.mjs";
import { startWire } from "./support/wire.mjs";

const world = stage();
const CUT = /ERR_|WebSocket connection to|Failed to load resource/;

test("a cut connection comes back, resumes, and nothing is lost or doubled", async (t) => {
  const wire = await startWire(world.app);
  t.after(() => wire.close());
  const room = world.room();
  const [ada, bo] = [await world.guest("Ada", { url: wire.url }), await world.guest("Bo")];
  const adas = await ada.enter(room);
  const bos = await bo.enter(room);
  adas.expectTrouble(CUT);
  await adas.say("before");
  await bos.hears("before");

  wire.cut();
  await adas.page.locator("#banner").waitFor();
  await bos.seesMembers(bo.name);
  for (const text of ["missed 1", "missed 2", "missed 3"]) await bos.say(text);
  await bos.hears("missed 3");
  await adas.say("said while away");
  assert.equal((await adas.messages()).at(-1).state, "pending");
  await until("the banner counts down", async () => /Next try in \d+ s/.test(await adas.page.textContent("#banner")));
  await adas.screenshot("reconnecting");
  const coveredBy = await adas.page.$eval("#banner-now", (button) => {
    const { x, y, width, height } = button.getBoundingClientRect();
    const top = document.elementFromPoint(x + width / 2, y + height / 2);
    return width === 0 || button.contains(top) ? null : top.className;
  });
  assert.equal(coveredBy, null, "no pop-up lies over the button");

  wire.mend();
  await until("Ada is back", async () => {
    if (await adas.page.isVisible("#banner-now")) await adas.page.click("#banner-now", { timeout: 500 }).catch(() => null);
    return adas.page.$eval("#lamp", (lamp) => lamp.dataset.state === "open");
  });
  await adas.page.locator("#banner").waitFor({ state: "hidden" });
  await adas.hears("said while away");
  await bos.hears("said while away");
  const expected = ["before", "missed 1", "missed 2", "missed 3", "said while away"];
  assert.deepEqual(await adas.texts(), expected);
  assert.deepEqual(await bos.texts(), expected);
  assert.deepEqual((await adas.messages()).map(({ seq }) => seq), [1, 2, 3, 4, 5]);
  await adas.seesMembers(ada.name, bo.name);
});

test("a connection cut in the middle of talk loses and doubles nothing", async (t) => {
  const wire = await startWire(world.app);
  t.after(() => wire.close());
  const room = world.room();
  const adas = await (await world.guest("Ada", { url: wire.url })).enter(room);
  const bos = await (await world.guest("Bo")).enter(room);
  adas.expectTrouble(CUT);
  const said = [];
  for (let n = 1; n <= 12; n++) {
    said.push(`message ${n}`);
    await adas.say(`message ${n}`);
    if (n % 4 === 0) {
      wire.cut();
      wire.mend();
    }
  }
  await bos.hears("message 12");
  await adas.hears("message 12");
  assert.deepEqual(await bos.texts(), said);
  assert.deepEqual(await adas.texts(), said);
});

test("a browser that goes offline says so and returns by itself", async () => {
  const room = world.room();
  const ada = await world.guest("Ada");
  const adas = await ada.enter(room);
  const bo = await world.guest("Bo");
  const bos = await bo.enter(room);
  adas.expectTrouble(CUT);
  await ada.context.setOffline(true);
  await until("the page says so", async () => /You are offline|connection is lost/.test(await adas.page.textContent("#banner")), 30_000);
  await bos.say("while you were out");
  await bos.hears("while you were out");
  await ada.context.setOffline(false);
  await adas.hears("while you were out");
  assert.deepEqual(await adas.texts(), ["while you were out"]);
});

test("a server that comes back without its memory says that the visit has ended", async () => {
  const first = await startApp();
  const ada = await world.guest("Ada", { url: first.url });
  const tab = await ada.enter(world.room());
  tab.expectTrouble(CUT);
  await first.kill();
  await tab.page.locator("#banner").waitFor();
  const second = await startApp({ address: first.address });
  try {
    await tab.page.locator("#ended").waitFor({ timeout: 60_000 });
    assert.equal(await tab.page.textContent("#ended-title"), "You are logged out");
  } finally {
    await second.stop();
  }
});

test("a cookie that has become void while the connection was cut is told as such, with a way back", async (t) => {
  const wire = await startWire(world.app);
  t.after(() => wire.close());
  const ada = await world.guest("Ada", { url: wire.url });
  const tab = await ada.enter(world.room());
  tab.expectTrouble(CUT);
  wire.cut();
  await tab.page.locator("#banner").waitFor();
  await ada.context.clearCookies();
  wire.mend();
  await tab.page.locator("#ended").waitFor({ timeout: 60_000 });
  assert.equal(await tab.page.textContent("#ended-title"), "You are logged out");
  assert.equal(await tab.page.isVisible("#banner"), false);
  await tab.page.click("#ended .button");
  await tab.page.waitForURL("**/");
});
