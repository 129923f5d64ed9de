import assert from "node:assert/strict";
import { test } from "node:test";
import { stage } from "./support/stage.mjs";
import { until } from "./support/until.mjs";

const world = stage();

const height = (tab) => tab.page.$eval("#message", (field) => field.clientHeight);

test("Enter sends, Shift+Enter breaks the line, and the field grows and shrinks", async () => {
  const tab = await (await world.guest("Ada")).enter(world.room());
  const one = await height(tab);
  await tab.page.locator("#message").pressSequentially("one");
  for (const line of ["two", "three"]) {
    await tab.page.press("#message", "Shift+Enter");
    await tab.page.locator("#message").pressSequentially(line);
  }
  const three = await height(tab);
  assert.ok(three >= one + 40, `${three} px for three lines, ${one} px for one`);
  assert.deepEqual(await tab.messages(), []);
  await tab.page.press("#message", "Enter");
  await tab.hears("one\ntwo\nthree");
  assert.equal(await height(tab), one);
  for (let line = 0; line < 40; line++) await tab.page.press("#message", "Shift+Enter");
  assert.ok((await height(tab)) <= 200, "it does not grow for ever");
});

test("Enter belongs to the input method while it composes", async () => {
  const tab = await (await world.guest("Aiko")).enter(world.room());
  await tab.page.focus("#message");
  const session = await tab.page.context().newCDPSession(tab.page);
  await session.send("Input.imeSetComposition", { text: "こんにちは", selectionStart: 5, selectionEnd: 5 });
  await tab.page.keyboard.press("Enter");
  assert.deepEqual(await tab.messages(), [], "nothing is sent by the Enter that ends the composition");
  await session.send("Input.insertText", { text: "今日は" });
  await tab.page.keyboard.press("Enter");
  await until("it is sent", async () => (await tab.messages()).length === 1);
});

test("nothing but blanks is not sent", async () => {
  const tab = await (await world.guest("Ada")).enter(world.room());
  assert.equal(await tab.page.isDisabled(".send"), true);
  await tab.page.fill("#message", " \n\t ");
  await tab.page.press("#message", "Enter");
  assert.equal(await tab.page.isDisabled(".send"), true);
  assert.deepEqual(await tab.messages(), []);
});

test("what is too long is said so and not sent", async () => {
  const tab = await (await world.guest("Ada")).enter(world.room());
  const session = await tab.page.evaluate(async () => {
    const { connect } = await import("/chat/chatrooms.js");
    const client = connect({ mount: "/chat" });
    const { limits } = await new Promise((resolve) => client.on("hello", resolve));
    client.close();
    return limits;
  });
  await tab.page.fill("#message", "é".repeat(Math.ceil(session.body_bytes / 2) + 3));
  assert.match(await tab.page.textContent("#composer-hint"), /bytes too long/);
  assert.equal(await tab.page.isDisabled(".send"), true);
  await tab.page.press("#message", "Enter");
  assert.deepEqual(await tab.messages(), []);
  await tab.page.fill("#message", "e".repeat(session.body_bytes));
  assert.equal(await tab.page.textContent("#composer-hint"), "0 bytes left");
  await tab.page.press("#message", "Enter");
  await until("the longest one is sent", async () => (await tab.messages())[0]?.state === "sent");
});

test("a draft is kept per room, over reloads, until it is sent", async () => {
  const ada = await world.guest("Ada");
  const [one, other] = [world.room(), world.room()];
  const tab = await ada.enter(one);
  await tab.page.fill("#message", "half a thought");
  await tab.goto(`/rooms/${encodeURIComponent(other)}`);
  await tab.joined();
  assert.equal(await tab.page.inputValue("#message"), "");
  await tab.goto(`/rooms/${encodeURIComponent(one)}`);
  await tab.joined();
  assert.equal(await tab.page.inputValue("#message"), "half a thought");
  await tab.page.press("#message", "Enter");
  await tab.hears("half a thought");
  await tab.page.reload();
  await tab.joined();
  assert.equal(await tab.page.inputValue("#message"), "");
});
