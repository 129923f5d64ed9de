// Who is here: oneself first, then the others by name. Names are keys of a Map, so that nobody's name is special.

import { avatar } from "./avatar.js";
import { byId, el } from "./dom.js";
import { memberTools } from "./member-tools.js";

/** Beyond this many nobody reads the list, but the browser would have to lay it out. */
const SHOWN = 300;

export class Members {
  #list = byId("members");
  #count = byId("member-count");
  #countNarrow = byId("member-count-narrow");
  #openButton = byId("people-open");
  #rows = new Map();
  #room;
  #moderation;
  #command;
  #order = new Intl.Collator(undefined, { sensitivity: "base", numeric: true });

  /** `command(fields, done)` passes on what the creator of the room wants with somebody. */
  constructor(room, moderation, command) {
    this.#room = room;
    this.#moderation = moderation;
    this.#command = command;
  }

  render(me) {
    const people = this.#sorted(me);
    const shown = people.slice(0, SHOWN);
    this.#forgetAllBut(shown);
    const rows = shown.map((member) => this.#row(member, member.user === me));
    if (people.length > SHOWN) rows.push(el("li", "members-more", `and ${people.length - SHOWN} more`));
    this.#arrange(rows);
    this.#showCount(people.length);
  }

  /** Nobody is known any more. */
  clear() {
    this.#forgetAllBut([]);
    this.#list.replaceChildren();
    this.#showCount(0);
  }

  #sorted(me) {
    const people = [...this.#room.members.values()];
    const name = (member) => member.name ?? member.user;
    return people.sort((a, b) => (b.user === me) - (a.user === me) || this.#order.compare(name(a), name(b)));
  }

  #row(member, isMe) {
    if (!this.#rows.has(member.user)) this.#rows.set(member.user, makeRow(member, isMe));
    const row = this.#rows.get(member.user);
    if (!isMe) this.#dress(row, member);
    return row;
  }

  /** What only the creator of the room sees. A button stays the same one, so that it keeps the focus. */
  #dress(row, member) {
    const { allowed } = this.#moderation;
    const [note, tools] = [row.querySelector(".member-note"), row.querySelector(".member-tools")];
    const isMuted = allowed && this.#moderation.isMuted(member.user);
    if (isMuted && !note) row.querySelector(".member-name").after(el("span", "member-note", "muted"));
    else if (!isMuted) note?.remove();
    if (allowed && !tools) row.append(memberTools(member, this.#moderation, this.#command));
    else if (!allowed) tools?.remove();
  }

  #forgetAllBut(people) {
    const staying = new Set(people.map((member) => member.user));
    for (const user of this.#rows.keys()) if (!staying.has(user)) this.#rows.delete(user);
  }

  /** Moves only what has to move: a row that is put in anew would glide in once more. */
  #arrange(rows) {
    const staying = new Set(rows);
    for (const row of [...this.#list.children]) if (!staying.has(row)) this.#remove(row);
    rows.forEach((row, index) => {
      const there = this.#list.children[index] ?? null;
      if (there !== row) this.#list.insertBefore(row, there);
    });
  }

  /** Whoever stood on somebody who goes stands on the list then, and not nowhere. */
  #remove(row) {
    if (row.contains(document.activeElement)) this.#list.focus({ preventScroll: true });
    row.remove();
  }

  #showCount(size) {
    const text = this.#room.membersMore ? `${size}+` : `${size}`;
    this.#count.textContent = text;
    this.#countNarrow.textContent = text;
    this.#openButton.setAttribute("aria-label", `Show who is here: ${text}`);
  }
}

function makeRow({ user, name = user }, isMe) {
  const label = el("bdi", "member-name", name);
  label.title = name;
  const row = el("li", "member", avatar(user, name), label);
  if (isMe) row.append(el("span", "member-note", "you"));
  return row;
}
