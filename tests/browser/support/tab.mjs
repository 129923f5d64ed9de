// One page of the chat, as a person uses it.

import { mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { until } from "./until.mjs";
import { watch } from "./watch.mjs";

const SCREENSHOTS = fileURLToPath(new URL("../screenshots/", import.meta.url));

export class Tab {
  constructor(page, url) {
    this.page = page;
    this.url = url;
    this.troubles = watch(page, new URL(url).origin);
    this.expected = [];
  }

  /** Trouble that belongs to what the test does. */
  expectTrouble(pattern) {
    this.expected.push(pattern);
  }

  get surprises() {
    return this.troubles.filter((trouble) => !this.expected.some((pattern) => pattern.test(trouble)));
  }

  goto(path) {
    return this.page.goto(this.url + path);
  }

  /** Through the form, as everybody does the first time. */
  async enter(username, room) {
    await this.goto("/");
    await this.submit(username, room);
    await this.joined();
  }

  async submit(username, room) {
    await this.page.fill("#username", username);
    await this.page.fill("#room", room);
    await this.page.click("#enter button[type=submit]");
  }

  joined() {
    return this.page.locator('#lamp[data-state="open"]').waitFor();
  }

  async say(text) {
    await this.page.fill("#message", text);
    await this.page.press("#message", "Enter");
  }

  /** What stands in the timeline, in its order. */
  messages() {
    return this.page.$$eval(".message", (rows) => rows.map((row) => ({
      author: row.querySelector(".author").textContent,
      text: row.querySelector(".bubble").textContent,
      own: row.classList.contains("own"),
      first: row.classList.contains("first"),
      state: ["pending", "failed"].find((state) => row.classList.contains(state)) ?? "sent",
      seq: Number(row.dataset.seq),
    })));
  }

  async texts() {
    return (await this.messages()).map(({ text }) => text);
  }

  /** Waits until this text stands there, delivered. */
  hears(text) {
    return until(`"${text}" is heard`, async () => {
      const messages = await this.messages();
      return messages.some((message) => message.text === text && message.state === "sent");
    });
  }

  members() {
    return this.page.$$eval("#members .member-name", (names) => names.map((name) => name.textContent));
  }

  seesMembers(...expected) {
    const wanted = [...expected].sort().join("\n");
    return until(`the members are ${expected.join(", ")}`, async () => (await this.members()).sort().join("\n") === wanted);
  }

  toasts() {
    return this.page.$$eval(".toast .toast-text", (toasts) => toasts.map((toast) => toast.textContent));
  }

  /** Perhaps together with somebody else: what happens at the same time shares a pop-up. */
  seesToast(name, verb) {
    return until(`a pop-up says that ${name} ${verb}`, async () => (await this.toasts()).some((text) => text.includes(name) && text.endsWith(` ${verb}`)));
  }

  scrollTop() {
    return this.page.$eval("#timeline", (timeline) => timeline.scrollTop);
  }

  distanceToBottom() {
    return this.page.$eval("#timeline", ({ scrollHeight, scrollTop, clientHeight }) => scrollHeight - scrollTop - clientHeight);
  }

  scrollTo(top) {
    return this.page.$eval("#timeline", (timeline, wanted) => { timeline.scrollTop = wanted; }, top);
  }

  /** How far the page is wider than its window. */
  overflow() {
    return this.page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  }

  async screenshot(name) {
    mkdirSync(SCREENSHOTS, { recursive: true });
    await this.page.screenshot({ path: `${SCREENSHOTS}${name}.png` });
  }
}
