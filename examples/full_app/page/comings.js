// Who comes and who goes, told as pop-ups. Whoever reloads a page goes and comes back: that is not news.

import { avatar } from "./avatar.js";
import { el } from "./dom.js";

/** How long a leave waits to be told, in case it is only a reload. */
const RELOAD_MS = 1200;
const NAMED = 2;
const JOINED = { name: "joined" };
const LEFT = { name: "left" };

export class Comings {
  #toasts;
  #leaving = new Map();

  constructor(toasts) {
    this.#toasts = toasts;
  }

  tell({ joined, left }) {
    const news = joined.filter(({ user }) => !this.#cameBack(user));
    if (news.length) this.#toasts.add(JOINED, news, (people) => face(people, "joined"));
    for (const member of left) this.#hold(member);
  }

  #cameBack(user) {
    clearTimeout(this.#leaving.get(user));
    return this.#leaving.delete(user);
  }

  #hold(member) {
    const timer = setTimeout(() => {
      this.#leaving.delete(member.user);
      this.#toasts.add(LEFT, [member], (people) => face(people, "left"));
    }, RELOAD_MS);
    this.#leaving.set(member.user, timer);
  }
}

/** The newest face, and "Ada, Bo and 3 others joined". */
function face(people, verb) {
  const unique = [...new Map(people.map((member) => [member.user, member])).values()];
  const { user, name } = unique.at(-1);
  const names = unique.slice(0, NAMED).map((member) => el("bdi", "", member.name ?? member.user));
  const others = unique.length - names.length;
  const rest = others === 1 ? ["1 other"] : others ? [`${others} others`] : [];
  return [avatar(user, name), el("span", "toast-text", ...listed([...names, ...rest]), ` ${verb}`)];
}

function listed(items) {
  return items.flatMap((item, index) => {
    if (index === 0) return [item];
    return [index === items.length - 1 ? " and " : ", ", item];
  });
}
