// The window's title counts what was said while nobody was looking.

export class Title {
  #text = document.title;
  #unread = 0;

  constructor() {
    document.addEventListener("visibilitychange", () => this.#look());
    addEventListener("focus", () => this.#look());
  }

  count() {
    if (isLookedAt()) return;
    this.#unread += 1;
    this.#show();
  }

  set text(text) {
    this.#text = text;
    this.#show();
  }

  #look() {
    if (!isLookedAt()) return;
    this.#unread = 0;
    this.#show();
  }

  #show() {
    document.title = this.#unread ? `(${this.#unread}) ${this.#text}` : this.#text;
  }
}

const isLookedAt = () => document.visibilityState === "visible" && document.hasFocus();
