// Older messages, fetched before the reader arrives at the oldest one shown.

import { byId } from "./dom.js";

const AHEAD_PX = 600;
const PAGE = 60;
const PATIENCE_MS = 4000;

export class History {
  #beginning = byId("beginning");
  #room;
  #scroll;
  #restingUntil = 0;
  #loading = false;

  constructor(room, scroll) {
    this.#room = room;
    this.#scroll = scroll;
    scroll.onScroll(() => this.look());
  }

  /** Loads if the reader is near the top and there is more; says where it begins if there is not. */
  look() {
    this.#tell();
    const wanted = this.#scroll.above < AHEAD_PX && this.#room.more && this.#room.state === "joined";
    if (wanted && !this.#loading && Date.now() >= this.#restingUntil) this.#load();
  }

  async #load() {
    this.#loading = true;
    this.#tell();
    try {
      await this.#room.loadOlder(PAGE);
    } catch {
      // The next scroll asks again, but not at once: a server that refuses is not to be hammered.
      this.#restingUntil = Date.now() + PATIENCE_MS;
    } finally {
      this.#loading = false;
      this.#tell();
    }
  }

  #tell() {
    const { entries, more } = this.#room;
    this.#beginning.hidden = entries.length === 0;
    const resting = more ? "Older messages" : "This is as far back as the room remembers.";
    this.#beginning.textContent = this.#loading ? "Loading older messages…" : resting;
  }
}
