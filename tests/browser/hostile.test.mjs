import assert from "node:assert/strict";
import { test } from "node:test";
import { stage } from "./support/stage.mjs";

const world = stage();

const PAYLOADS = [
  "<script>alert(1)</script>",
  "<img src=x onerror=alert(1)>",
  "<svg onload=alert(1)>",
  "<iframe src=\"javascript:alert(1)\"></iframe>",
  "<a href=\"javascript:alert(1)\">click</a>",
  "javascript:alert(1)",
  "data:text/html,<script>alert(1)</script>",
  "https://example.org/\"onmouseover=\"alert(1)",
  "https://example.org/'><script>alert(1)</script>",
  "{{ 7 * 7 }} {% raw %} ${7*7} #{7*7}",
  "</script><script>alert(1)</script>",
  "<style>*{display:none}</style>",
  "<base href=//evil.example>",
  "&lt;b&gt;not bold&lt;/b&gt; &amp; &#x41;",
  "\u202Eright to left\u202C and back",
  "W".repeat(2000),
  "Z̶̢̛͙͈̫̞͇͚̭̬͖̬̰̹͔̜̩̜̦͎̾́̄̀̈́̇͑ͅa̸̢̛̦̣̝̘̮͈̤̣͇̣̮̺͓̱̮̐͒͂͋̓̂͛͐̚͜͝l̷̡̧̢̛̛̤̯̫͍͈̙̲̥̤̰̇̏̑̀̆̈́͗͐̈́̚͝ͅģ̶͉̟̼̭̹̤̳̗͙̱͍̾̽̈́̈̒̓͂̅̒̚͜͠ǫ̵̡̛̪̘̯̲̹̩̖̜̩̱͖̈́̅̽̈́̌̄̊̓̌̕͝",
];

test("hostile texts are shown as they are and do nothing", async () => {
  const room = world.room();
  const adas = await (await world.guest("Ada", { viewport: { width: 390, height: 844 } })).enter(room);
  const bos = await (await world.guest("Bo")).enter(room);
  for (const payload of PAYLOADS) {
    await bos.say(payload);
    await adas.hears(payload);
  }
  assert.deepEqual(await adas.texts(), PAYLOADS);
  const inside = await adas.page.$$eval(".bubble *", (all) => all.map(({ tagName, protocol }) => `${tagName} ${protocol}`));
  assert.deepEqual([...new Set(inside)], ["A https:"], "nothing but links has become of it");
  assert.ok((await adas.overflow()) <= 0, "long words wrap");
  assert.ok(await adas.page.$eval("#timeline", ({ scrollWidth, clientWidth }) => scrollWidth <= clientWidth));
});

test("an address with thousands of brackets behind it is looked through a few times, and not once for each", async () => {
  const tab = await (await world.guest("Ada")).enter(world.room());
  const text = `see http://a.example/(b)${").".repeat(2000)}`;
  const [splits, link] = await tab.page.evaluate(async (text) => {
    const page = [...document.scripts].find(({ type }) => type === "module").src;
    const { linkify } = await import(new URL("linkify.js", page));
    const split = String.prototype.split;
    let splits = 0;
    String.prototype.split = function (...by) {
      splits += 1;
      return split.apply(this, by);
    };
    const [, link] = linkify(text);
    String.prototype.split = split;
    return [splits, link.textContent];
  }, text);
  assert.equal(link, "http://a.example/(b)");
  assert.ok(splits < 20, `${splits}`);
});

for (const name of ["__proto__", "constructor", "toString", "<b>bold</b>", "\"'><script>alert(1)</script>", "{{ 7*7 }}", "ÄÖÜ ß 漢字 👩🏽‍🚀".replaceAll("\u200D", "")]) {
  test(`somebody called ${name} is a guest like any other, and so is a room of that name`, async () => {
    const named = await world.guest(name, { exactName: true });
    const tab = await named.enter(name);
    const bo = await world.guest("Bo");
    const bos = await bo.enter(name);
    await bos.seesMembers(bo.name, name);
    await tab.seesToast(bo.name, "joined");
    await tab.say("hello from me");
    await bos.hears("hello from me");
    assert.equal((await bos.messages())[0].author, name);
    assert.equal(await bos.page.textContent("#room-name"), name);
    assert.equal(await bos.page.title(), `${name} · chatrooms`);
    await tab.page.click("#leave");
    await bos.seesToast(name, "left");
    await bos.seesMembers(bo.name);
  });
}

test("hostile names in a refused form are shown as they are", async () => {
  const tab = await (await world.guest("Eve")).newTab();
  tab.expectTrouble(/status of 400/);
  const name = "\"><img src=x onerror=alert(1)>\u200B";
  await tab.goto("/");
  await tab.submit(name, "room");
  await tab.page.locator("#username-error:not(:empty)").waitFor();
  assert.equal(await tab.page.inputValue("#username"), name);
  assert.equal(await tab.page.locator("img:not(.logo)").count(), 0);
});

/** What draws nothing in one browser or another, or only with some fonts. */
const SUSPECTS = [
  0xad, 0x34f, 0x61c, 0x115f, 0x1160, 0x17b4, 0x17b5, 0x180b, 0x180e, 0x180f, 0x200b, 0x200d, 0x202e, 0x2060, 0x2064, 0x206a, 0x2800, 0x2d7f, 0x3164,
  0xfe00, 0xfeff, 0xffa0, 0xfff9, 0xfffa, 0xfffb, 0xfffc, 0xe000, 0xf8ff, 0x1107f, 0x13430, 0x13441, 0x16fe4, 0x1bc9d, 0x1bca0, 0x1d159, 0x1d173,
  0xe0001, 0xe0041, 0xe007f, 0xe0100, 0xf0000,
];

test("a character that the browser does not draw is in no name", async () => {
  const eve = await world.guest("Eve");
  const tab = await eve.newTab();
  await tab.goto("/");
  const undrawn = await tab.page.evaluate((suspects) => {
    const canvas = new OffscreenCanvas(160, 60).getContext("2d", { willReadFrequently: true });
    canvas.font = getComputedStyle(document.body).font;
    const drawn = (text) => {
      canvas.clearRect(0, 0, 160, 60);
      canvas.fillText(text, 20, 40);
      return String(canvas.getImageData(0, 0, 160, 60).data);
    };
    return suspects.filter((suspect) => drawn(`7${String.fromCodePoint(suspect)}`) === drawn("7"));
  }, SUSPECTS);
  assert.ok(undrawn.length > 20, `this test can see it: ${undrawn}`);
  const enter = async (username) => (await eve.context.request.post(`${eve.url}/rooms`, { form: { username, room: "room" }, maxRedirects: 0 })).status();
  for (const suspect of undrawn.map((suspect) => String.fromCodePoint(suspect))) {
    for (const name of [suspect, `7${suspect}`, `${suspect}7`]) assert.equal(await enter(name), 400, encodeURIComponent(name));
  }
});
