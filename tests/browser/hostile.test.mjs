import assert from "node:assert/strict";
import { test } from "node:test";
import { Meddler } from "./support/meddler.mjs";
import { stage } from "./support/stage.mjs";
import { until } from "./support/until.mjs";

const world = stage();

const PAYLOADS = [
  "<script>alert(1)</script>",
  "<img src=x onerror=alert(1)>",
  "<svg onload=alert(1)>",
  "<svg><use href=\"data:image/svg+xml,<svg id=x onload=alert(1)>#x\"></svg>",
  "<iframe src=\"javascript:alert(1)\"></iframe>",
  "<object data=//evil.example></object><embed src=//evil.example>",
  "<a href=\"javascript:alert(1)\">click</a>",
  "<form action=//evil.example><input name=q></form>",
  "<math><mtext></p><img src onerror=alert(1)>",
  "<template><img src=x onerror=alert(1)></template>",
  "<link rel=stylesheet href=//evil.example><style>@import '//evil.example'</style>",
  "<meta http-equiv=refresh content=\"0;url=//evil.example\">",
  "<style>*{display:none}</style>",
  "<base href=//evil.example>",
  "</script><script>alert(1)</script>",
  "</title></textarea></style>--><script>alert(1)</script>",
  "<!-- <![CDATA[ <?xml",
  "&lt;b&gt;not bold&lt;/b&gt; &amp; &#x41; &NewLine;&colon;",
  "{{ 7 * 7 }} {% raw %} ${7*7} #{7*7} %s %n",
  "';alert(1)//\";alert(1)//`;alert(1)//",
  "javascript:alert(1)",
  "JaVa\tScRiPt:alert(1)",
  "javascript://example.org/%0aalert(1)",
  "vbscript:msgbox(1)",
  "data:text/html,<script>alert(1)</script>",
  "data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==",
  "blob:null/1 file:///etc/passwd //evil.example/ ftp://evil.example/",
  "https://example.org@evil.example/ https://user:pass@example.org/",
  "http:// https://[ https://%00/ https://<b>/ https://\u0000/",
  "__proto__",
  "constructor",
  "\u202Eright to left\u202C and back",
  "\u2066isolated\u202Eand never popped",
  "\u0000\u0001\u0007\u001B[31mred\u007F\u009B",
  "one\r\ntwo\u0085three\u2028four\u2029five\u000Bsix",
  "\uFEFF\u200B\u2060\u00AD",
  "\uFFFC\u2800\u3164\uE000\uF8FF",
  "W".repeat(2000),
  `${"\u{1F600}\u200D".repeat(200)} x`,
  "Z̶̢̛͙͈̫̞͇͚̭̬͖̬̰̹͔̜̩̜̦͎̾́̄̀̈́̇͑ͅa̸̢̛̦̣̝̘̮͈̤̣͇̣̮̺͓̱̮̐͒͂͋̓̂͛͐̚͜͝l̷̡̧̢̛̛̤̯̫͍͈̙̲̥̤̰̇̏̑̀̆̈́͗͐̈́̚͝ͅģ̶͉̟̼̭̹̤̳̗͙̱͍̾̽̈́̈̒̓͂̅̒̚͜͠ǫ̵̡̛̪̘̯̲̹̩̖̜̩̱͖̈́̅̽̈́̌̄̊̓̌̕͝",
  "\n".repeat(4000) + "so long",
];

/** What holds an address, and where that leads. */
const LINKS = [
  ["https://example.org/\"onmouseover=\"alert(1)", "https://example.org/"],
  ["https://example.org/'><script>alert(1)</script>", "https://example.org/"],
  ["javascript://%0aalert(1)//https://example.org/", "https://example.org/"],
  ["HTTPS://EXAMPLE.ORG/A", "https://example.org/A"],
  ["https://example.org\\@evil.example/", "https://example.org/@evil.example/"],
  ["https://example.org/\u202Emoc.elpmaxe//:sptth", "https://example.org/"],
  ["\u202Ehttps://example.org/turned", "https://example.org/turned"],
  ["https://example.org/\u0000\u2066x", "https://example.org/"],
  ["https://example\u202Egro.elpmaxe", "https://example/"],
  ["https://example.org/%22%3E%3Cscript%3E", "https://example.org/%22%3E%3Cscript%3E"],
  ["http://[::1]:1/", "http://[::1]:1/"],
  [`https://example.org/${"x".repeat(3000)}`, `https://example.org/${"x".repeat(3000)}`],
];

/** What no words of anybody become. */
const foreign = (tab) => tab.page.$$eval("script, img, iframe, object, embed, style, link, base, meta, template, form, math", (all) => all
  .filter((element) => !element.matches("[src^='/static/'], [href^='/static/'], meta[name], meta[charset], form[action='/logout'], #composer, #enter, [method=dialog]"))
  .map(({ outerHTML }) => outerHTML));

test("hostile texts are shown as they are and do nothing", async () => {
  const room = world.room();
  const adas = await (await world.guest("Ada", { viewport: { width: 390, height: 844 } })).enter(room);
  const bo = await world.guest("Bo");
  const bos = await bo.enter(room);
  // Not by the field of the page, which tidies what is put into it.
  for (const payload of PAYLOADS) await bo.post(room, payload);
  for (const tab of [adas, bos]) {
    await tab.hears(PAYLOADS.at(-1));
    assert.deepEqual(await tab.texts(), PAYLOADS);
    assert.deepEqual(await tab.page.$$eval(".bubble *", (all) => all.map(({ outerHTML }) => outerHTML)), []);
    assert.deepEqual(await foreign(tab), []);
    assert.ok((await tab.overflow()) <= 0, "long words wrap");
    assert.ok(await tab.page.$eval("#timeline", ({ scrollWidth, clientWidth }) => scrollWidth <= clientWidth));
    const tallest = await tab.page.$$eval(".bubble", (all) => Math.max(...all.map(({ offsetHeight }) => offsetHeight / innerHeight)));
    assert.ok(tallest < 0.75, `no message fills the window: ${tallest}`);
  }
});

test("hostile addresses lead where they say, to another window that knows nothing of this one", async () => {
  const room = world.room();
  const adas = await (await world.guest("Ada", { viewport: { width: 390, height: 844 } })).enter(room);
  const bo = await world.guest("Bo");
  await bo.enter(room);
  for (const [text] of LINKS) await bo.post(room, text);
  await adas.hears(LINKS.at(-1)[0]);
  assert.deepEqual(await adas.texts(), LINKS.map(([text]) => text));
  const links = await adas.page.$$eval(".bubble", (all) => all.map((bubble) => [...bubble.querySelectorAll("*")].map((element) => {
    const [first, last] = [0, element.textContent.length - 1].map((at) => {
      const range = document.createRange();
      range.setStart(element.firstChild, at);
      range.setEnd(element.firstChild, at + 1);
      return range.getBoundingClientRect();
    });
    const inOrder = last.top > first.top || last.left > first.left;
    return { tag: element.tagName, href: element.href, rel: element.rel, target: element.target, inOrder, attributes: element.getAttributeNames() };
  })));
  const link = (href) => ({ tag: "A", href, rel: "noopener noreferrer nofollow", target: "_blank", inOrder: true, attributes: ["href", "rel", "target"] });
  assert.deepEqual(links, LINKS.map(([, href]) => [link(href)]));
  assert.ok((await adas.overflow()) <= 0);
});

/** Frames as no page of ours would write them. */
const sendsFrames = (tab, frames) => tab.page.evaluate(async (frames) => {
  const socket = new WebSocket("/chat/ws");
  const answers = [];
  await new Promise((resolve) => {
    socket.onopen = () => frames.forEach((frame) => socket.send(frame));
    socket.onmessage = ({ data }) => {
      const { type, id } = JSON.parse(data);
      if (id === undefined) return;
      answers.push(type);
      if (answers.length === frames.length) resolve();
    };
  });
  socket.close();
  return answers;
}, frames);

test("hostile data, meta, signals and nonces change nothing on anybody's page", async () => {
  const room = world.room();
  const adas = await (await world.guest("Ada")).enter(room);
  const bo = await world.guest("Bo");
  const bos = await bo.newTab();
  await bo.context.request.post(`${bo.url}/rooms`, { form: { username: bo.name, room }, maxRedirects: 0 });
  await bos.goto("/");
  const poison = '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},"toString":0,"then":"<img src=x onerror=alert(1)>","body":"<b>","user":"Ada"}';
  const at = (rest) => `{"room":${JSON.stringify(room)},${rest}}`;
  const answers = await sendsFrames(bos, [
    at(`"id":1,"type":"join","meta":${poison}`),
    at(`"id":2,"type":"send","body":"poisoned","data":${poison},"nonce":"__proto__"`),
    at(`"id":3,"type":"send","body":"again","data":[${poison}],"nonce":"constructor"`),
    ...["typing", "__proto__", "constructor", "toString", "message", "error", "state", "<img src=x onerror=alert(1)>"].map((name, index) => (
      at(`"id":${index + 4},"type":"signal","name":${JSON.stringify(name)},"data":${poison}`))),
  ]);
  assert.deepEqual(answers, ["joined", "sent", "sent", ...Array(8).fill("ok")]);
  await adas.hears("again");
  await adas.say("still here");
  await adas.hears("still here");
  assert.deepEqual(await adas.texts(), ["poisoned", "again", "still here"]);
  const isPolluted = () => [{}, [], () => {}].some((object) => "polluted" in object) || String({}) !== "[object Object]";
  assert.equal(await adas.page.evaluate(isPolluted), false);
  assert.deepEqual(await foreign(adas), []);
});

const HTML = "<img src=x onerror=alert(1)>";

test("whatever a server says is shown as text: reasons, names, errors", async () => {
  const room = world.room();
  const ada = await world.guest("Ada");
  const adas = await ada.newTab();
  const meddler = new Meddler();
  await meddler.attach(adas.page);
  await adas.enter(ada.name, room);
  const seq = 1000;
  meddler.tell({ type: "presence", room, joined: [{ user: "__proto__", name: HTML, connections: 1 }, { user: "constructor", name: "__proto__", connections: 1 }], left: [] });
  await adas.seesMembers(ada.name, HTML, "__proto__");
  meddler.tell({ type: "signal", room, user: HTML, name: "typing" });
  await until("somebody types", async () => (await adas.page.textContent("#typing-text")).includes(HTML));
  for (const frame of [
    { type: "notice", name: "moderation", data: { room: HTML } },
    { type: "notice", name: "__proto__", data: null },
    { type: "notice", name: HTML, data: { room } },
    { type: "__proto__", room }, { type: "constructor" }, { type: "toString", room }, { type: HTML },
    { type: "redacted", room, seq, by: HTML },
  ]) meddler.tell(frame);
  meddler.tell({ type: "error", code: "__proto__", message: HTML, room });
  meddler.refuse((frame) => frame.type === "send" && { type: "error", code: "constructor", message: HTML, room });
  await adas.say("refused");
  await until("it is not sent", async () => (await adas.messages())[0]?.state === "failed");
  assert.equal(await adas.page.textContent(".delivery"), "Not sent. The room did not take it.Send againDiscard");
  adas.expectTrouble(/status of 400/);
  await adas.page.route("**/moderation", (route) => (route.request().method() === "POST" ? route.fulfill({ status: 400, body: HTML }) : route.continue()));
  await adas.page.click("#moderate");
  await adas.page.locator(".menu-item", { hasText: "in 5 seconds" }).click();
  await until("a pop-up has it", async () => (await adas.toasts()).includes(HTML));
  assert.deepEqual(await foreign(adas), []);
  meddler.tell({ type: "removed", room, code: "__proto__", reason: HTML });
  await adas.page.locator("#ended").waitFor();
  assert.equal(await adas.page.textContent("#ended-text"), HTML);
  assert.deepEqual(await foreign(adas), []);
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

for (const name of ["__proto__", "constructor", "toString", "<b>bold</b>", "\"'><script>alert(1)</script>", "{{ 7*7 }}", "W".repeat(64), "e" + "\u0316".repeat(60), "שלום", "ÄÖÜ ß 漢字 👩🏽‍🚀".replaceAll("\u200D", "")]) {
  test(`somebody called ${name} is a guest like any other, and so is a room of that name`, async () => {
    const named = await world.guest(name, { exactName: true });
    const tab = await named.enter(name);
    const bo = await world.guest("Bo", { viewport: { width: 320, height: 568 } });
    const bos = await bo.enter(name);
    await bos.seesMembers(bo.name, name);
    await tab.seesToast(bo.name, "joined");
    await tab.say("hello from me");
    await bos.hears("hello from me");
    assert.equal((await bos.messages())[0].author, name);
    assert.equal(await bos.page.textContent("#room-name"), name);
    assert.equal(await bos.page.title(), `${name} · chatrooms`);
    await tab.page.locator("#message").pressSequentially("more");
    await until("somebody is typing", async () => (await bos.page.textContent("#typing-text")) === `${name} is typing…`);
    await tab.page.click("#leave");
    await bos.seesToast(name, "left");
    assert.ok((await bos.overflow()) <= 0);
    assert.deepEqual(await foreign(bos), []);
    await bos.seesMembers(bo.name);
  });
}

const ROOMS = [
  "//evil.example", "\\\\evil.example", "javascript:alert(1)", "a/b?c=d#e", "..%2F..", "%00%0a", "&lt;b&gt; &amp;", "<img src=x onerror=alert(1)>",
  "\"onmouseover=\"alert(1)", "{% include 'entry.html' %}{{ room }}", "hasOwnProperty", "שלום", "W".repeat(64), "a" + "\u0316".repeat(60),
];

test("a room of any name is one of this server, and is called and listed as it is", async () => {
  const ada = await world.guest("Ada", { viewport: { width: 320, height: 568 } });
  const tab = await ada.newTab();
  for (const room of ROOMS) {
    await tab.enter(ada.name, room);
    const { origin, pathname } = new URL(tab.page.url());
    assert.deepEqual([origin, decodeURIComponent(pathname)], [ada.url, `/rooms/${room}`]);
    assert.equal(await tab.page.textContent("#room-name"), room);
    assert.equal(await tab.page.title(), `${room} · chatrooms`);
    assert.ok((await tab.overflow()) <= 0, room);
    assert.deepEqual(await foreign(tab), []);
  }
  const list = await ada.newTab();
  await tab.page.evaluate((rooms) => new Promise((resolve) => {
    const socket = new WebSocket(`/chat/ws?${new URLSearchParams(rooms.map((room) => ["room", room]))}`);
    socket.onmessage = ({ data }) => data.includes(JSON.stringify(rooms.at(-1))) && resolve();
  }), ROOMS);
  await list.goto(`/?${new URLSearchParams({ room: ROOMS.find((room) => room.includes("<")) })}`);
  assert.equal(await list.page.inputValue("#room"), "<img src=x onerror=alert(1)>");
  const listed = () => list.page.$$eval("#open-rooms-list bdi", (names) => names.map((name) => name.textContent));
  await until("they are listed", async () => ROOMS.every(Set.prototype.has, new Set(await listed())));
  assert.ok((await list.overflow()) <= 0, "nor is that page wider than its window");
  assert.deepEqual(await foreign(list), []);
});

for (const [username, room] of [[`"'>${HTML}\u200B`, "room"], ["Eve", `"'>${HTML}\u202E`]]) {
  test(`hostile words in a refused form, ${JSON.stringify([username, room])}, are shown as they are`, async () => {
    const tab = await (await world.guest("Eve")).newTab();
    tab.expectTrouble(/status of 400/);
    await tab.goto("/");
    await tab.submit(username, room);
    await tab.page.locator(".field-error:not(:empty)").first().waitFor();
    assert.deepEqual([await tab.page.inputValue("#username"), await tab.page.inputValue("#room")], [username, room]);
    assert.deepEqual(await foreign(tab), []);
  });
}

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
