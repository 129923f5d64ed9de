import assert from "node:assert/strict";
import { test } from "node:test";
import { graveViolations } from "./support/axe.mjs";
import { contrasts } from "./support/contrast.mjs";
import { stage } from "./support/stage.mjs";
import { until } from "./support/until.mjs";

const world = stage();
const READABLE = 4.5;

/** A room that Ada has opened and Bo has come into. */
async function house(options) {
  const room = world.room();
  const [ada, bo] = [await world.guest("Ada", options), await world.guest("Bo", options)];
  const adas = await ada.enter(room);
  await mayModerate(adas);
  const bos = await bo.enter(room);
  await adas.seesMembers(ada.name, bo.name);
  return { room, ada, bo, adas, bos };
}

const mayModerate = (tab) => tab.page.locator("#moderate").waitFor();

/** The page has been told that it may not: its answer has come, and what is shown after that shows no controls. */
async function mayNot(tab) {
  await tab.page.waitForLoadState("networkidle");
  assert.equal(await tab.page.isVisible("#moderate"), false);
  assert.equal(await tab.page.locator(".member-tools").count(), 0);
}

const toolsOf = (tab, name) => tab.page.locator(".member", { hasText: name }).locator(".member-tools");

async function chooses(tab, name, item) {
  await toolsOf(tab, name).click();
  await tab.page.locator(".menu-item", { hasText: item }).click();
}

async function setsSlowMode(tab, item) {
  await tab.page.click("#moderate");
  await tab.page.locator(".menu-item", { hasText: item }).click();
}

async function isOut(tab, title, text) {
  await tab.page.locator("#ended").waitFor();
  assert.equal(await tab.page.textContent("#ended-title"), title);
  assert.match(await tab.page.textContent("#ended-text"), text);
}

const says = (tab, text) => until(`a pop-up says ${text}`, async () => (await tab.toasts()).some((toast) => text.test(toast)));

test("only whoever has opened the room sees the controls: in all of their windows, and after a reload", async () => {
  const { room, ada, bo, adas, bos } = await house();
  await mayNot(bos);
  assert.equal(await toolsOf(adas, bo.name).count(), 1);
  assert.equal(await toolsOf(adas, ada.name).count(), 0, "nothing can be done to oneself");
  const second = await ada.openTab(room);
  await mayModerate(second);
  await adas.page.reload();
  await mayModerate(adas);
  // Away, with Bo still there, and back.
  await second.page.close();
  await adas.goto("/");
  await bos.seesMembers(bo.name);
  await adas.goto(`/rooms/${encodeURIComponent(room)}`);
  await mayModerate(adas);
  await mayNot(bos);
});

test("of two who open a room at the same time one may moderate it", async () => {
  for (let round = 0; round < 5; round++) {
    const room = world.room();
    const guests = [await world.guest("Ada"), await world.guest("Bo")];
    const tabs = await Promise.all(guests.map((guest) => guest.enter(room)));
    await Promise.all(tabs.map((tab) => tab.seesMembers(...guests.map(({ name }) => name))));
    const allowed = () => Promise.all(tabs.map((tab) => tab.page.isVisible("#moderate")));
    await until("one of them may", async () => (await allowed()).includes(true));
    await Promise.all(tabs.map((tab) => tab.page.waitForLoadState("networkidle")));
    assert.deepEqual((await allowed()).sort(), [false, true]);
  }
});

test("whoever is removed reads why, and may come again", async () => {
  const { ada, bo, adas, bos } = await house();
  await chooses(adas, bo.name, "Remove");
  await isOut(bos, "You were sent out of this room", /^The creator of this room has sent you out. You may come in again.$/);
  await says(adas, new RegExp(`^${bo.name} was sent out.$`));
  await adas.seesMembers(ada.name);
  await bos.page.click("text=Try again");
  await bos.joined();
  await adas.seesMembers(ada.name, bo.name);
  await mayNot(bos);
});

for (const [item, time] of [["For 10 minutes", "for 10 minutes"], ["For an hour", "for an hour"], ["While this room lives", "for as long as this room lives"]]) {
  test(`whoever is banned ${time} reads it, and is not let in again`, async () => {
    const { room, ada, bo, adas, bos } = await house();
    await chooses(adas, bo.name, item);
    await isOut(bos, "You are banned from this room", new RegExp(`^The creator of this room keeps you out ${time}.$`));
    await says(adas, new RegExp(`^${bo.name} is banned ${time}.$`));
    await adas.seesMembers(ada.name);
    await bos.goto(`/rooms/${encodeURIComponent(room)}`);
    await isOut(bos, "You are banned from this room", /keeps you out/);
    assert.deepEqual(await adas.members(), [ada.name]);
  });
}

test("whoever says something and leaves is banned by what they have said", async () => {
  const { room, ada, bo, adas, bos } = await house();
  await bos.say("a rude word");
  await adas.hears("a rude word");
  assert.equal(await bos.page.locator(".author-tools").count(), 0);
  await bos.goto("/");
  await adas.seesMembers(ada.name);
  await adas.page.hover(".message .bubble");
  await adas.page.click(".author-tools");
  await looksGood(adas, "moderating-author");
  await adas.page.locator(".menu-item", { hasText: "For an hour" }).click();
  await says(adas, new RegExp(`^${bo.name} is banned for an hour.$`));
  await opensSanctions(adas);
  await lists(adas, [bo.name, "banned"]);
  await adas.page.keyboard.press("Escape");
  await bos.goto(`/rooms/${encodeURIComponent(room)}`);
  await isOut(bos, "You are banned from this room", /keeps you out/);
  assert.deepEqual(await adas.members(), [ada.name]);
});

test("whoever is muted is told, reads on, and writes again once that is lifted", async () => {
  const { room, ada, bo, adas, bos } = await house();
  await chooses(adas, bo.name, "Mute");
  await says(bos, /muted you: you can read on/);
  await until("Ada sees it", async () => /muted/.test(await adas.page.locator(".member", { hasText: bo.name }).textContent()));
  await bos.say("but");
  await until("it is not sent", async () => (await bos.messages())[0]?.state === "failed");
  assert.match(await bos.page.textContent(".failed .delivery"), /^Not sent. The creator of this room has muted you./);
  await adas.say("listen");
  await bos.hears("listen");
  await adas.screenshot("moderating-muted");
  await bos.screenshot("muted");
  // Another window of Ada's knows it too.
  const second = await ada.openTab(room);
  await mayModerate(second);
  await chooses(second, bo.name, "Unmute");
  await says(bos, /may write in this room again/);
  await until("Ada's first window sees it", async () => !/muted/.test(await adas.page.locator(".member", { hasText: bo.name }).textContent()));
  await bos.page.locator(".failed").getByText("Send again").click();
  await adas.hears("but");
});

/** Opens the list of those whom the room keeps out or silent. */
async function opensSanctions(tab) {
  await tab.page.click("#moderate");
  await tab.page.locator(".menu-item", { hasText: "Banned and muted" }).click();
}

const sanctions = (tab) => tab.page.$$eval(".sanction", (rows) => rows.map((row) => [row.querySelector(".sanction-name").textContent, row.querySelector(".member-note").textContent]));
const lists = (tab, ...wanted) => until(`the list is ${wanted}`, async () => JSON.stringify(await sanctions(tab)) === JSON.stringify(wanted));
const lifts = (tab, text) => tab.page.locator(".sanction button", { hasText: text }).click();

test("the creator sees who is banned and muted, also when they are gone, and lifts it", async () => {
  const { room, ada, bo, adas, bos } = await house();
  await adas.page.click("#moderate");
  assert.equal(await adas.page.locator(".menu-item", { hasText: "Banned" }).count(), 0, "nobody is");
  await adas.page.keyboard.press("Escape");
  const second = await ada.openTab(room);
  await mayModerate(second);
  await chooses(adas, bo.name, "Mute");
  await says(bos, /muted you/);
  await chooses(adas, bo.name, "While this room lives");
  await isOut(bos, "You are banned from this room", /keeps you out/);
  const late = await bo.newTab();
  await late.goto(`/rooms/${encodeURIComponent(room)}`);
  await isOut(late, "You are banned from this room", /keeps you out/);

  for (const tab of [adas, second]) {
    await opensSanctions(tab);
    await lists(tab, [bo.name, "banned"], [bo.name, "muted"]);
  }
  await adas.screenshot("sanctions");
  await lifts(adas, "Let in again");
  for (const tab of [adas, second]) await lists(tab, [bo.name, "muted"]);
  assert.equal(await adas.page.evaluate(() => document.activeElement.textContent), "Unmute", "the focus goes on to the next");
  for (const tab of [bos, late]) await isOut(tab, "You may come in again", /^The creator of this room has lifted your ban.$/);
  await bos.page.locator("#ended .button", { hasText: "Come in" }).click();
  await bos.joined();
  await bos.say("but");
  await until("it is not sent", async () => (await bos.messages())[0]?.state === "failed");

  await lifts(second, "Unmute");
  for (const tab of [adas, second]) {
    await lists(tab);
    assert.equal(await tab.page.textContent("#sanctions-none"), "Nobody is, any more.");
  }
  assert.equal(await second.page.evaluate(() => document.activeElement.id), "sanctions-done");
  await second.page.keyboard.press("Enter");
  await second.page.locator("#sanctions").waitFor({ state: "hidden" });
  await bos.page.locator(".failed").getByText("Send again").click();
  await adas.hears("but");
});

test("what was lifted meanwhile is said to be, and is listed no more", async () => {
  const { room, ada, bo, adas } = await house();
  await chooses(adas, bo.name, "For an hour");
  await adas.seesMembers(ada.name);
  await opensSanctions(adas);
  await lists(adas, [bo.name, "banned"]);
  // Of what has run out nobody is told either.
  await adas.page.route("**/moderation", (route) => route.request().method() === "GET" ? route.abort() : route.continue());
  const second = await ada.openTab(room);
  await mayModerate(second);
  await opensSanctions(second);
  await lifts(second, "Let in again");
  await lists(second);
  adas.expectTrouble(/404|ERR_FAILED|Failed to load/);
  await lifts(adas, "Let in again");
  await says(adas, /^That has been lifted already, or was over.$/);
  await adas.page.unroute("**/moderation");
  await adas.page.keyboard.press("Escape");
  await opensSanctions(adas);
  await lists(adas);
});

test("slow mode is told to everybody, and whoever writes too soon reads how long to wait", async () => {
  const { adas, bos } = await house();
  await setsSlowMode(adas, "in 30 seconds");
  const announced = "The creator has set slow mode: everybody can write once in 30 seconds.";
  await bos.hears(announced);
  await adas.hears(announced);
  await bos.say("one");
  await adas.hears("one");
  await bos.say("two");
  await until("it is not sent", async () => (await bos.messages()).at(-1).state === "failed");
  assert.match(await bos.page.textContent(".failed .delivery"), /^Not sent. This room is in slow mode: you can write again in (30|[12]?\d) seconds?./);
  await adas.page.click("#moderate");
  assert.equal(await adas.page.locator(".menu-item[aria-checked=true]").textContent(), "Once in 30 seconds");
  await adas.page.locator(".menu-item", { hasText: "in 5 seconds" }).click();
  await bos.hears("The creator has set slow mode: everybody can write once in 5 seconds.");
  await bos.screenshot("slow-mode");
  await setsSlowMode(adas, "Off");
  await bos.hears("The creator has ended slow mode: write as fast as you like.");
  await bos.page.locator(".failed").getByText("Send again").click();
  await adas.hears("two");
});

test("the creator deletes what somebody else wrote, after a second thought", async () => {
  const { room, ada, adas, bos } = await house();
  await bos.say("a rude word");
  await adas.hears("a rude word");
  assert.equal(await bos.page.locator(".delete").count(), 0);
  await adas.say("mind your words");
  await bos.hears("mind your words");
  assert.equal(await bos.page.locator(".delete").count(), 0, "nobody else may");
  await adas.page.hover(".message:not(.own) .bubble");
  await adas.page.click(".delete");
  await adas.page.click(".sure");
  await until("it is gone for Bo, who reads by whom", async () => (await bos.texts())[0] === `${ada.name} deleted your message`);
  await until("it is gone for Ada", async () => (await adas.texts())[0] === "You deleted this message");
  await bos.screenshot("deleted");
  const cys = await (await world.guest("Cy")).enter(room);
  await cys.hears("mind your words");
  assert.equal((await cys.texts())[0], "This message was taken back");
});

test("a room is closed after a second thought, and the next one has a creator of its own", async () => {
  const { room, adas, bos } = await house();
  await bos.say("soon gone");
  await adas.hears("soon gone");
  await adas.page.click("#moderate");
  await adas.page.locator(".menu-item", { hasText: "Close the room" }).click();
  assert.deepEqual(await graveViolations(adas.page), []);
  assert.equal(await adas.page.evaluate(() => document.activeElement.textContent), "Keep it open");
  await adas.page.keyboard.press("Enter");
  await adas.page.locator("#confirm-close").waitFor({ state: "hidden" });
  await bos.say("still there");
  await adas.hears("still there");
  await adas.page.click("#moderate");
  await adas.page.locator(".menu-item", { hasText: "Close the room" }).click();
  await adas.page.locator("#confirm-close .danger").click();
  for (const tab of [adas, bos]) await isOut(tab, "This room was closed", /^The creator of this room has closed it./);
  assert.equal(await adas.page.isVisible("#moderate"), false);
  await bos.goto(`/rooms/${encodeURIComponent(room)}`);
  await mayModerate(bos);
  assert.deepEqual(await bos.texts(), []);
  await adas.goto(`/rooms/${encodeURIComponent(room)}`);
  await adas.joined();
  await mayNot(adas);
});

test("after the creator's logout nobody moderates until the room is a new one", async () => {
  const { room, ada, bo, adas, bos } = await house();
  await adas.page.click("#logout button");
  await adas.page.waitForURL("**/");
  await bos.seesMembers(bo.name);
  await mayNot(bos);
  const again = await ada.enter(room);
  await mayNot(again);
  await mayNot(bos);
});

test("an order that comes too late says so", async () => {
  const { ada, bo, adas, bos } = await house();
  await toolsOf(adas, bo.name).click();
  await bos.page.close();
  await adas.seesMembers(ada.name);
  adas.expectTrouble(/404/);
  await adas.page.locator(".menu-item", { hasText: "Remove" }).click();
  await says(adas, /^There is nobody of that name here any more.$/);
});

test("the keyboard alone is enough, and the focus is never lost", async () => {
  const { ada, bo, adas } = await house();
  const focused = () => adas.page.evaluate(() => document.activeElement.getAttribute("aria-label") ?? document.activeElement.textContent);
  await toolsOf(adas, bo.name).focus();
  await adas.page.keyboard.press("Enter");
  assert.equal(await focused(), "Mute");
  for (const [key, item] of [["ArrowDown", "Remove"], ["End", "While this room lives"], ["ArrowDown", "Mute"], ["ArrowUp", "While this room lives"], ["Home", "Mute"]]) {
    await adas.page.keyboard.press(key);
    assert.equal(await focused(), item, `after ${key}`);
  }
  assert.deepEqual(await graveViolations(adas.page), []);
  await adas.page.keyboard.press("Escape");
  assert.equal(await adas.page.locator(".menu").count(), 0);
  assert.equal(await focused(), `Moderate ${bo.name}`);
  await adas.page.keyboard.press("Enter");
  await adas.page.keyboard.press("ArrowDown");
  await adas.page.keyboard.press("Enter");
  await adas.seesMembers(ada.name);
  assert.equal(await adas.page.evaluate(() => document.activeElement.id), "members", "who stood on Bo stands on the list");
});

for (const [size, width, height] of [["desktop", 1280, 800], ["phone", 390, 844], ["small", 320, 568]]) {
  test(`the menus are whole and readable at ${width} px`, async () => {
    const isNarrow = width < 500;
    const { room, ada, bo, adas, bos } = await house({ viewport: { width, height }, hasTouch: isNarrow });
    await bos.say("hello");
    await adas.hears("hello");
    await adas.page.click("#moderate");
    await looksGood(adas, `moderating-room-${size}`);
    await adas.page.keyboard.press("Escape");
    if (isNarrow) await adas.page.click("#people-open");
    await until("the drawer has come to rest", () => adas.page.$eval("#people", (people) => people.getAnimations().length === 0));
    await toolsOf(adas, bo.name).click();
    await looksGood(adas, `moderating-member-${size}`);
    await adas.page.keyboard.press("Escape");
    if (isNarrow) {
      await chooses(adas, bo.name, "Mute");
      await says(adas, /is muted/);
      await adas.screenshot(`moderating-drawer-${size}`);
      await adas.page.click("#people-close");
    }
    await adas.page.click("#moderate");
    await adas.page.locator(".menu-item.grave").click();
    assert.deepEqual(await graveViolations(adas.page), []);
    await adas.screenshot(`moderating-close-${size}`);
    await adas.page.keyboard.press("Escape");
    await bansSomebody(ada, room, "A name of nearly sixty-four letters, as long as a name may be");
    await opensSanctions(adas);
    await adas.screenshot(`moderating-sanctions-${size}`);
    assert.ok((await adas.overflow()) <= 0);
    assert.deepEqual(await graveViolations(adas.page), []);
    const measured = await contrasts(adas.page, ".sanction-name, .sanction .member-note, .sanction .button, #sanctions h2");
    assert.ok(measured.length >= 4, "there is something to read");
    assert.deepEqual(measured.filter(({ ratio }) => ratio < READABLE), []);
    const rows = await adas.page.$$eval(".sanction", (all) => all.map((row) => [row.scrollWidth - row.clientWidth, row.querySelector(".sanction-name").clientWidth]));
    assert.deepEqual(rows.filter(([over, name]) => over > 0 || name < 60), [], "no row is wider than the list, and no name too narrow to be read");
  });
}

/** Without a window, as it is done by hand. */
async function bansSomebody(creator, room, name) {
  const guest = await world.guest(name);
  await guest.enter(room);
  const { request } = creator.context;
  const address = `${creator.url}/rooms/${encodeURIComponent(room)}/moderation`;
  const { epoch } = await (await request.get(address)).json();
  for (const action of ["mute", "ban"]) {
    const answer = await request.post(address, { form: { epoch, action, user: guest.name, seconds: "" } });
    assert.equal(answer.status(), 200);
  }
}

async function looksGood(tab, name) {
  await tab.screenshot(name);
  assert.ok((await tab.overflow()) <= 0);
  assert.deepEqual(await graveViolations(tab.page), []);
  const { top, left, right, bottom } = await tab.page.$eval(".menu", (menu) => menu.getBoundingClientRect().toJSON());
  const { innerWidth, innerHeight } = await tab.page.evaluate(() => ({ innerWidth, innerHeight }));
  assert.ok(top >= 0 && left >= 0 && right <= innerWidth && bottom <= innerHeight, "the menu is in the window");
  const measured = await contrasts(tab.page, ".menu-item, .menu-label");
  assert.ok(measured.length >= 4, "there is something to read");
  assert.deepEqual(measured.filter(({ ratio }) => ratio < READABLE), []);
}
