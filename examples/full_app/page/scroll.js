// Where the reader stands. Near the newest message the page follows it; elsewhere nothing moves under the reader's eyes.

import { byId } from "./dom.js";

const NEAR_PX = 96;

export class Scroll {
  #frame = byId("timeline");
  #inner = byId("timeline-inner");
  #pill = byId("pill");
  #pillText = byId("pill-text");
  #pinned = true;
  #unseen = 0;

  constructor() {
    this.#frame.addEventListener("scroll", () => this.#look(), { passive: true });
    this.#pill.addEventListener("click", () => this.toNewest());
    const follow = new ResizeObserver(() => this.#follow());
    follow.observe(this.#frame);
    follow.observe(this.#inner);
  }

  get pinned() {
    return this.#pinned;
  }

  /** How far it is to the oldest message that is shown. */
  get above() {
    return this.#frame.scrollTop;
  }

  /** Makes a change to the messages; what the reader looks at stays where it is. */
  steady(change) {
    if (this.#pinned) {
      change();
      return this.#follow();
    }
    const anchor = this.#firstVisible();
    const before = anchor?.getBoundingClientRect().top;
    change();
    if (anchor?.isConnected) this.#frame.scrollTop += anchor.getBoundingClientRect().top - before;
    this.#look();
  }

  /** A message of somebody else's has come. */
  count() {
    if (this.#pinned) return;
    this.#unseen += 1;
    this.#showPill();
  }

  toNewest() {
    const hadFocus = document.activeElement === this.#pill;
    this.#pinned = true;
    this.#unseen = 0;
    this.#follow();
    this.#showPill();
    if (hadFocus) this.#frame.focus({ preventScroll: true });
  }

  onScroll(listener) {
    this.#frame.addEventListener("scroll", listener, { passive: true });
  }

  #follow() {
    if (this.#pinned) this.#frame.scrollTop = this.#frame.scrollHeight;
  }

  #look() {
    const { scrollHeight, scrollTop, clientHeight } = this.#frame;
    this.#pinned = scrollHeight - scrollTop - clientHeight <= NEAR_PX;
    if (this.#pinned) this.#unseen = 0;
    this.#showPill();
  }

  #showPill() {
    this.#pill.hidden = this.#pinned;
    const many = this.#unseen > 1 ? "messages" : "message";
    this.#pillText.textContent = this.#unseen ? `${this.#unseen} new ${many}` : "To the newest";
  }

  #firstVisible() {
    const top = this.#frame.getBoundingClientRect().top;
    const rows = this.#inner.querySelectorAll(".message .bubble");
    return Array.prototype.find.call(rows, (row) => row.getBoundingClientRect().bottom > top);
  }
}
