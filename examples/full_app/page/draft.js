// What was being written, per user and room, for this tab only: it survives a reload and not the tab.

const PREFIX = "chatrooms.draft:";

export class Draft {
  #key;

  constructor(user, room) {
    this.#key = PREFIX + JSON.stringify([user, room]);
  }

  get text() {
    return attempt(() => sessionStorage.getItem(this.#key)) ?? "";
  }

  set text(text) {
    attempt(() => (text ? sessionStorage.setItem(this.#key, text) : sessionStorage.removeItem(this.#key)));
  }
}

export function forgetDrafts() {
  attempt(() => {
    const keys = Object.keys(sessionStorage).filter((key) => key.startsWith(PREFIX));
    for (const key of keys) sessionStorage.removeItem(key);
  });
}

/** Storage may be forbidden or full; a draft is not worth an error. */
function attempt(use) {
  try {
    return use();
  } catch {
    return undefined;
  }
}
