// The room's entries as rows, in order. What was there before us stands in the history, outside the live log, so that
// a screen reader says only what is new.

import { byId } from "./dom.js";
import { dressRow, markDay, messageRow, refreshRow } from "./message.js";
import { sameDay } from "./time.js";

const GROUP_MS = 5 * 60_000;

export class Timeline {
  #history = byId("history");
  #live = byId("live");
  #rows = new Map();
  #room;
  #rights;

  constructor(room, rights) {
    this.#room = room;
    this.#rights = rights;
  }

  /** Everything anew, as after a join that was not a resume. */
  render() {
    this.#rows.clear();
    const rows = this.#room.entries.map((entry) => this.#makeRow(entry));
    const settled = rows.filter(({ entry }) => entry.state === "sent");
    const waiting = rows.filter(({ entry }) => entry.state !== "sent");
    this.#history.replaceChildren(...settled.map(({ row }) => row));
    this.#live.replaceChildren(...waiting.map(({ row }) => row));
    rows.forEach((_, index) => this.#relate(index));
  }

  insert(entry, index) {
    const parts = this.#makeRow(entry);
    parts.arriving = true;
    parts.row.addEventListener("animationend", () => this.#settle(parts), { once: true });
    this.#place(parts, index);
    this.#relateAround(index);
  }

  refresh(entry, index, from) {
    const parts = this.#rows.get(entry.key);
    if (!parts) return;
    refreshRow(parts);
    if (index !== from) this.#place(parts, index);
    this.#relateAround(index);
    this.#relateAround(from);
  }

  /** Who may do what with messages has changed. */
  refreshAll() {
    for (const parts of this.#rows.values()) refreshRow(parts);
  }

  /** Says in place of a message how it was taken back: a list of nodes and strings. */
  takenBack(entry, words) {
    const parts = this.#rows.get(entry.key);
    if (!parts) return;
    parts.takenBack = words;
    refreshRow(parts);
  }

  remove(entry, index) {
    this.#rows.get(entry.key)?.row.remove();
    this.#rows.delete(entry.key);
    this.#relateAround(index);
  }

  prepend(entries) {
    const rows = entries.map((entry) => this.#makeRow(entry).row);
    this.#history.prepend(...rows);
    for (let index = 0; index <= entries.length; index++) this.#relate(index);
  }

  /** Takes away rows at the front whose entries the room has forgotten. */
  forget(entries) {
    for (const entry of entries) {
      this.#rows.get(entry.key)?.row.remove();
      this.#rows.delete(entry.key);
    }
    this.#relate(0);
  }

  #makeRow(entry) {
    const parts = messageRow(entry, this.#rights);
    this.#rows.set(entry.key, parts);
    return parts;
  }

  #settle(parts) {
    parts.arriving = false;
    dressRow(parts);
  }

  #place({ row }, index) {
    const next = this.#partsAt(index + 1)?.row;
    if (next) next.before(row);
    else this.#live.append(row);
  }

  #relateAround(index) {
    for (const near of [index - 1, index, index + 1]) this.#relate(near);
  }

  /** Looks at both neighbours: does a day, a group begin or end here? */
  #relate(index) {
    const parts = this.#partsAt(index);
    if (!parts) return;
    const before = this.#room.entries[index - 1];
    const after = this.#room.entries[index + 1];
    parts.first = !before || !belongTogether(before, parts.entry);
    parts.last = !after || !belongTogether(parts.entry, after);
    dressRow(parts);
    markDay(parts, !before || !sameDay(before.at, parts.entry.at));
  }

  #partsAt(index) {
    const entry = this.#room.entries[index];
    return entry && this.#rows.get(entry.key);
  }
}

function belongTogether(one, next) {
  return one.user !== null && one.user === next.user && next.at - one.at < GROUP_MS && sameDay(one.at, next.at);
}
