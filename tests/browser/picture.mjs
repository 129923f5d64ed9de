// Takes the README's picture: a conversation through the real app, in a real browser.

import { mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { startApp } from "./support/app.mjs";
import { launchChromium } from "./support/chromium.mjs";
import { Guest } from "./support/guest.mjs";
import { until } from "./support/until.mjs";

const PICTURE = fileURLToPath(new URL("../../docs/full_app.png", import.meta.url));
const ROOM = "rooftop telescope";
const VIEW = { viewport: { width: 1280, height: 800 }, locale: "en-GB" };

const TALK = [
  ["Ada Lovelace", "The clouds are gone. I have carried the telescope up 🔭"],
  ["Jun-ho", "On my way, with tea and far too many blankets"],
  ["Mira", "Five minutes! Are the rings well tilted this week?"],
  ["Ada Lovelace", "Like in the book: https://science.nasa.gov/saturn/"],
  ["Jun-ho", "🪐✨"],
  ["Mira", "Then don't let it set before I have climbed the stairs."],
  ["Mira", "I have the camera with me 📷"],
];

const app = await startApp();
const browser = await launchChromium();
try {
  const tabs = new Map();
  for (const name of ["Mira", "Ada Lovelace", "Jun-ho"]) tabs.set(name, await enter(name));
  const mira = tabs.get("Mira");
  for (const [name, text] of TALK) {
    await tabs.get(name).say(text);
    await mira.hears(text);
  }
  await until("the earlier pop-ups have gone", async () => (await mira.toasts()).length === 0);
  const zoe = await enter("Zoë Quell");
  await mira.seesToast("Zoë Quell", "joined");
  await zoe.page.locator("#message").pressSequentially("Save me a ");
  await until("Zoë is typing", () => mira.page.$eval("#typing", (line) => line.classList.contains("on")));
  await mira.page.mouse.move(560, 640);
  await until("all that glides has arrived", () => mira.page.evaluate(atRest));
  mkdirSync(fileURLToPath(new URL("../../docs/", import.meta.url)), { recursive: true });
  await mira.page.screenshot({ path: PICTURE });
  console.log(PICTURE);
} finally {
  await browser.close();
  await app.stop();
}

async function enter(name) {
  return new Guest(name, await browser.newContext(VIEW), app.url).enter(ROOM);
}

/** Nothing is under way but what never ends. */
function atRest() {
  return document.getAnimations().every(({ effect, playState }) => playState === "finished" || effect.getComputedTiming().endTime === Infinity);
}
