import assert from "node:assert/strict";
import { test } from "node:test";
import { graveViolations } from "./support/axe.mjs";
import { contrasts } from "./support/contrast.mjs";
import { stage } from "./support/stage.mjs";
import { until } from "./support/until.mjs";
import { startWire } from "./support/wire.mjs";

const world = stage();
const READABLE = 4.5;
const TEXTS = "h1, h2, p, label, bdi, time, input, textarea, .button, .bubble, .day, .brand, .count, .member-note, .me-label, "
  + ".author, .toast:not(.going) .toast-text, #connection-state, #banner-text, #banner-countdown, .open-room-count, #typing-text, #typing-text bdi, .promises li, .text-button, #pill-text, .delivery span, .empty strong, .beginning, .ended-card h2, .field-error";

/** A room with everything in it that a room may show. */
async function livelyRoom(options) {
  const room = world.room("a room with a rather long name, as people like them");
  const [ada, bo] = [await world.guest("Ada Lovelace", options), await world.guest("Bo")];
  const adas = await ada.enter(room);
  const bos = await bo.enter(room);
  await bos.say("Have a look: https://example.org/a/very/long/address/that/does/not/want/to/end?and=goes&on=and-on-and-on-and-on-and-on");
  await adas.say("Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft".repeat(2));
  await bos.say("🌌");
  await adas.say("lovely");
  await adas.hears("🌌");
  await adas.hears("lovely");
  await adas.seesToast(bo.name, "joined");
  return { adas, bos, ada, bo, room };
}

const SIZES = [["desktop", 1280, 800], ["phone", 390, 844], ["small", 320, 568]];

for (const [size, width, height] of SIZES) {
  test(`nothing scrolls sideways at ${width} px, and axe finds nothing grave`, async () => {
    const options = { viewport: { width, height }, hasTouch: width < 500 };
    const entry = await (await world.guest("Cy", options)).newTab();
    await entry.goto("/");
    assert.ok((await entry.overflow()) <= 0, "entry page");
    assert.deepEqual(await graveViolations(entry.page), [], "entry page");
    await entry.screenshot(`entry-${size}`);

    const { adas } = await livelyRoom(options);
    assert.ok((await adas.overflow()) <= 0, "chat page");
    assert.ok(await adas.page.$eval("#timeline", ({ scrollWidth, clientWidth }) => scrollWidth <= clientWidth), "timeline");
    assert.deepEqual(await graveViolations(adas.page), [], "chat page");
    await adas.screenshot(`chat-${size}`);
    const bottom = await adas.page.$eval(".composer", (composer) => composer.getBoundingClientRect().bottom);
    assert.ok(bottom <= height, "the composer is on the screen");
  });
}

test("on a phone the people are in a drawer that takes the focus and gives it back", async () => {
  const { adas, ada, bo } = await livelyRoom({ viewport: { width: 390, height: 844 }, hasTouch: true });
  assert.equal(await adas.page.isVisible("#people"), false);
  assert.equal(await adas.page.textContent("#member-count-narrow"), "2");
  await adas.page.click("#people-open");
  await adas.page.locator("#people").waitFor();
  await adas.seesMembers(ada.name, bo.name);
  assert.equal(await adas.page.evaluate(() => document.activeElement.id), "people-close");
  assert.deepEqual(await graveViolations(adas.page), []);
  assert.ok((await adas.overflow()) <= 0);
  await until("the drawer has come to rest", () => adas.page.$eval("#people", (people) => people.getAnimations().length === 0));
  await adas.screenshot("drawer");
  await adas.page.keyboard.press("Escape");
  await adas.page.locator("#people").waitFor({ state: "hidden" });
  assert.equal(await adas.page.evaluate(() => document.activeElement.id), "people-open");
});

const SCENES = {
  "the entry page": async () => {
    const tab = await (await world.guest("Cy", { reducedMotion: "no-preference" })).newTab();
    await tab.goto("/");
    return tab;
  },
  "the entry page with a complaint": async () => {
    const tab = await (await world.guest("Cy")).newTab();
    await tab.goto("/");
    await tab.submit("", "");
    return tab;
  },
  "a lively room": async () => {
    const { adas, bos } = await livelyRoom();
    await bos.page.locator("#message").pressSequentially("h");
    await until("Bo is typing", () => adas.page.$eval("#typing", (line) => line.classList.contains("on")));
    return adas;
  },
  "a lively room on a phone": async () => (await livelyRoom({ viewport: { width: 390, height: 844 } })).adas,
  "the drawer on a phone": async () => {
    const { adas } = await livelyRoom({ viewport: { width: 390, height: 844 } });
    await adas.page.click("#people-open");
    return adas;
  },
  "an empty room": async () => (await world.guest("Ada")).enter(world.room()),
  "a cut connection": async (t) => {
    const wire = await startWire(world.app);
    t.after(() => wire.close());
    const { adas } = await livelyRoom({ url: wire.url });
    adas.expectTrouble(/ERR_|WebSocket connection to|Failed to load resource/);
    wire.cut();
    await adas.page.locator("#banner").waitFor();
    await adas.say("pending meanwhile");
    return adas;
  },
  "a room that is over": async () => {
    const { adas, ada, room } = await livelyRoom();
    const other = await ada.openTab(room);
    await other.page.click("#logout button");
    await adas.page.locator("#ended").waitFor();
    return adas;
  },
};

for (const [name, scene] of Object.entries(SCENES)) {
  test(`every text is readable on the glass that is really behind it: ${name}`, async (t) => {
    const tab = await scene(t);
    // Pop-ups rest under the focus. The lights of the entry page drift; they must not drift behind something that was readable.
    for (const moment of name.startsWith("the entry page") ? [0, 15_000, 33_000] : [0]) {
      await tab.page.evaluate(driftTo, moment);
      await tab.page.evaluate(() => document.querySelector(".toast:not(.going) .toast-close")?.focus());
      const measured = await contrasts(tab.page, TEXTS);
      assert.ok(measured.length > 4, "there is something to read");
      assert.deepEqual(measured.filter(({ ratio }) => ratio < READABLE), [], `after ${moment} ms`);
    }
  });
}

test("the measure of contrast finds what is too faint", async () => {
  const tab = await (await world.guest("Cy")).newTab();
  await tab.goto("/");
  await tab.page.evaluate(driftTo, 0);
  await tab.page.$eval(".lead", (lead) => { lead.style.color = "rgb(70, 95, 150)"; });
  const faint = (await contrasts(tab.page, ".lead")).filter(({ ratio }) => ratio < READABLE);
  assert.ok(faint.length > 0);
});

test("whoever wants less motion gets none", async () => {
  const { adas, bos } = await livelyRoom({ reducedMotion: "reduce" });
  await bos.say("arriving");
  await adas.hears("arriving");
  assert.equal(await adas.page.evaluate(() => document.getAnimations().length), 0);
});

test("whoever wants less transparency gets solid panels", async () => {
  const { adas } = await livelyRoom();
  const session = await adas.page.context().newCDPSession(adas.page);
  await session.send("Emulation.setEmulatedMedia", { features: [{ name: "prefers-reduced-transparency", value: "reduce" }] });
  const panel = await adas.page.$eval("#room", (room) => {
    const { backdropFilter, backgroundColor } = getComputedStyle(room);
    return { backdropFilter, backgroundColor };
  });
  assert.deepEqual(panel, { backdropFilter: "none", backgroundColor: "rgb(10, 19, 48)" });
  await adas.screenshot("less-transparency");
});

test("the keyboard alone is enough, and one sees where one is", async () => {
  const { adas } = await livelyRoom();
  await adas.page.evaluate(() => document.activeElement.blur());
  const visited = new Set();
  for (let step = 0; step < 25; step++) {
    await adas.page.keyboard.press("Tab");
    const focus = await adas.page.evaluate(() => {
      if (document.activeElement === document.body) return { name: "", ring: false };
      const { id, className } = document.activeElement;
      const holder = document.activeElement.closest(".composer-form") ?? document.activeElement;
      return { name: id || className, ring: getComputedStyle(holder).boxShadow !== "none" };
    });
    if (focus.name) assert.ok(focus.ring, `${focus.name} shows its focus`);
    visited.add(focus.name);
  }
  for (const id of ["copy-link", "leave", "timeline", "message"]) assert.ok(visited.has(id), `${id} is reached`);
});

/** Sets the clock of the endless animations, and lets them stand still there; all others come to their end. */
function driftTo(moment) {
  for (const animation of document.getAnimations()) {
    const endless = animation.effect.getComputedTiming().endTime === Infinity;
    if (!endless) animation.finish();
    if (animation.animationName !== "drift") continue;
    animation.pause();
    animation.currentTime = moment;
  }
}
