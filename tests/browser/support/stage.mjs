// What a test file needs: the app, a browser, guests; all of it gone afterwards, and nothing unexpected in any console.

import assert from "node:assert/strict";
import { after, afterEach, before } from "node:test";
import { startApp } from "./app.mjs";
import { launchChromium } from "./chromium.mjs";
import { Guest } from "./guest.mjs";
import { endTls } from "./tls.mjs";

const VIEWPORT = { width: 1280, height: 800 };

/** Registers the hooks of a test file; with a public URL, the app is behind TLS, and found there alone. */
export function stage({ publicUrl } = {}) {
  const world = new World(publicUrl);
  before(() => world.open());
  afterEach(() => world.sweep());
  after(() => world.close());
  return world;
}

class World {
  app = null;
  browser = null;
  #publicUrl;
  #proxy = null;
  #guests = [];
  #count = 0;

  constructor(publicUrl) {
    this.#publicUrl = publicUrl;
  }

  async open() {
    const publicUrl = this.#publicUrl;
    this.app = await startApp({ options: publicUrl ? ["--public-url", publicUrl] : [] });
    if (!publicUrl) {
      this.browser = await launchChromium();
      return;
    }
    const { hostname } = new URL(publicUrl);
    this.#proxy = await endTls(hostname, this.app.address);
    this.browser = await launchChromium([`--host-resolver-rules=MAP ${hostname}:443 ${this.#proxy.address}`]);
  }

  /** A room that no other test knows. */
  room(name = "room") {
    return `${name} ${++this.#count}`;
  }

  /**
   * Somebody new; names belong to a browser for a while, so every test has its own. What glides is tested where it
   * matters, and costs much elsewhere: without a graphics card every frame of glass is a picture to be computed.
   */
  async guest(name, { url = this.#publicUrl ?? this.app.url, exactName = false, ...options } = {}) {
    const context = await this.browser.newContext({ viewport: VIEWPORT, reducedMotion: "reduce", ignoreHTTPSErrors: Boolean(this.#proxy), ...options });
    const guest = new Guest(exactName ? name : `${name} ${++this.#count}`, context, url);
    this.#guests.push(guest);
    return guest;
  }

  async sweep() {
    const guests = this.#guests.splice(0);
    const surprises = guests.flatMap((guest) => guest.surprises);
    await Promise.all(guests.map((guest) => guest.context.close()));
    assert.deepEqual(surprises, [], "no page complains, fails, or asks anybody else");
  }

  async close() {
    await this.browser?.close();
    this.#proxy?.stop();
    await this.app?.stop();
  }
}
