import assert from "node:assert/strict";
import { test } from "node:test";
import { stage } from "./support/stage.mjs";
import { until } from "./support/until.mjs";

const world = stage();

async function twoInARoom(options) {
  const room = world.room();
  const [ada, bo] = [await world.guest("Ada", options), await world.guest("Bo", options)];
  const adas = await ada.enter(room);
  const bos = await bo.enter(room);
  await adas.seesMembers(ada.name, bo.name);
  return { room, ada, bo, adas, bos };
}

test("two people hear each other, in one order, each with their own on the other side", async () => {
  const { ada, bo, adas, bos } = await twoInARoom({ reducedMotion: "no-preference" });
  await adas.say("hello Bo");
  await bos.hears("hello Bo");
  await bos.say("hello Ada");
  await bos.say("how are you?");
  await adas.hears("how are you?");
  await bos.hears("how are you?");
  assert.deepEqual((await adas.messages()).map(({ text, own, first }) => [text, own, first]), [
    ["hello Bo", true, true], ["hello Ada", false, true], ["how are you?", false, false],
  ]);
  const heard = await bos.messages();
  assert.deepEqual(heard.map(({ text, own }) => [text, own]), [["hello Bo", false], ["hello Ada", true], ["how are you?", true]]);
  assert.deepEqual(heard.map(({ seq }) => seq), [1, 2, 3]);
  assert.equal(heard[0].author, ada.name);
  assert.equal((await adas.messages())[1].author, bo.name);
  assert.equal(await adas.page.textContent(".message .day"), "Today");
  await adas.screenshot("two-people");
});

test("one's own message from another tab stands on one's own side", async () => {
  const { ada, room, adas } = await twoInARoom();
  const second = await ada.openTab(room);
  await second.say("from my other tab");
  await adas.hears("from my other tab");
  assert.equal((await adas.messages())[0].own, true);
});

test("the other one's typing is shown and ends with the message", async () => {
  const { ada, adas, bos } = await twoInARoom();
  await adas.page.locator("#message").pressSequentially("hm");
  await until("Bo sees the typing line", () => bos.page.$eval("#typing", (line) => line.classList.contains("on")));
  assert.equal(await bos.page.textContent("#typing-text"), `${ada.name} is typing…`);
  await adas.page.press("#message", "Enter");
  await bos.hears("hm");
  await until("the line is quiet", () => bos.page.$eval("#typing", (line) => !line.classList.contains("on")));
});

test("addresses become links that tell nobody where one came from", async () => {
  const { adas, bos } = await twoInARoom();
  await adas.say("see (https://example.org/a_(b)?q=1&r=2), or http://[broken or https://paypal.com@evil.example!");
  await bos.hears("see (https://example.org/a_(b)?q=1&r=2), or http://[broken or https://paypal.com@evil.example!");
  const links = await bos.page.$$eval(".bubble a", (all) => all.map(({ href, rel, target, textContent }) => ({ href, rel, target, textContent })));
  assert.deepEqual(links, [{
    href: "https://example.org/a_(b)?q=1&r=2", textContent: "https://example.org/a_(b)?q=1&r=2",
    rel: "noopener noreferrer nofollow", target: "_blank",
  }]);
});

test("emoji and lines stay as they were written, and emoji alone stand large", async () => {
  const { adas, bos } = await twoInARoom();
  await adas.page.fill("#message", "first line");
  await adas.page.press("#message", "Shift+Enter");
  await adas.page.locator("#message").pressSequentially("  second 👩🏽‍🚀");
  await adas.page.press("#message", "Enter");
  await bos.hears("first line\n  second 👩🏽‍🚀");
  await adas.say("🎉🏳️‍🌈");
  await bos.hears("🎉🏳️‍🌈");
  assert.equal(await bos.page.locator(".message.jumbo").count(), 1);
});

test("a message is taken back, after a second thought", async () => {
  const { adas, bos } = await twoInARoom();
  await adas.say("a slip of the finger");
  await bos.hears("a slip of the finger");
  await adas.page.hover(".message.own .bubble");
  await adas.page.click(".take-back");
  await adas.page.click(".sure");
  await until("it is gone for Bo", async () => (await bos.texts())[0] === "This message was taken back");
  await until("it is gone for Ada", async () => (await adas.texts())[0] === "You took this message back");
  assert.equal(await bos.page.locator(".take-back").count(), 0, "nobody else may");
});

test("the title counts what is said while nobody looks", async () => {
  const { room, adas, bos } = await twoInARoom();
  await adas.page.evaluate(() => {
    Object.defineProperty(document, "visibilityState", { configurable: true, value: "hidden" });
    document.dispatchEvent(new Event("visibilitychange"));
  });
  await bos.say("are you there?");
  await bos.say("hello?");
  await until("the title counts two", async () => (await adas.page.title()) === `(2) ${room} · chatrooms`);
  await adas.page.evaluate(() => {
    delete document.visibilityState;
    document.dispatchEvent(new Event("visibilitychange"));
  });
  await until("the title is calm again", async () => (await adas.page.title()) === `${room} · chatrooms`);
});

test("the room's link is copied", async () => {
  const { room, ada, adas } = await twoInARoom();
  await ada.context.grantPermissions(["clipboard-read", "clipboard-write"]);
  await adas.page.click("#copy-link");
  await until("the button says so", async () => (await adas.page.textContent("#copy-link-text")) === "Copied");
  const copied = await adas.page.evaluate(() => navigator.clipboard.readText());
  assert.equal(copied, `${world.app.url}/rooms/${encodeURIComponent(room)}`);
});
