// A person with a browser of their own: a context with its own cookies.

import { Tab } from "./tab.mjs";
import { until } from "./until.mjs";

export class Guest {
  tabs = [];

  constructor(name, context, url) {
    this.name = name;
    this.context = context;
    this.url = url;
  }

  async newTab() {
    const tab = new Tab(await this.context.newPage(), this.url);
    this.tabs.push(tab);
    return tab;
  }

  /** In, with the name and the cookie that the form would give. */
  async enter(room) {
    const form = { username: this.name, room };
    const answer = await this.context.request.post(`${this.url}/rooms`, { form, maxRedirects: 0 });
    if (answer.status() !== 303) throw new Error(`${this.name} is not let in: ${answer.status()}`);
    return this.openTab(room);
  }

  /** Another tab, by the room's address. */
  async openTab(room) {
    const tab = await this.newTab();
    await tab.goto(`/rooms/${encodeURIComponent(room)}`);
    await tab.joined();
    return tab;
  }

  /** Says something without a page, waiting as long as the server wants. */
  post(room, body) {
    return until(`"${body}" is taken`, async () => {
      const answer = await this.context.request.post(`${this.url}/chat/rooms/${encodeURIComponent(room)}/messages`, { data: { body } });
      if (answer.status() === 429) return false;
      if (!answer.ok()) throw new Error(`posting "${body}": ${answer.status()} ${await answer.text()}`);
      return true;
    });
  }

  get surprises() {
    return this.tabs.flatMap((tab) => tab.surprises.map((surprise) => `${this.name}: ${surprise}`));
  }
}
