// Who is banned or muted here, for the creator of the room: a list in a dialog, each with a way to lift it.

import { avatar } from "./avatar.js";
import { byId, el, textButton } from "./dom.js";

const dialog = byId("sanctions");
const list = byId("sanctions-list");
const none = byId("sanctions-none");
const done = byId("sanctions-done");

const KINDS = [
  { note: "banned", lift: "Let in again", action: "unban", done: (user) => `${user} may come in again.` },
  { note: "muted", lift: "Unmute", action: "unmute", done: (user) => `${user} may write again.` },
];

/** How many there are. */
export const countSanctions = (moderation) => KINDS.reduce((count, { note }) => count + moderation[note].length, 0);

export function openSanctions(moderation, order) {
  showSanctions(moderation, order);
  dialog.showModal();
  // What has run out meanwhile is news that nobody is told.
  moderation.ask();
}

/** To be called whenever things stand differently. `order(fields, done)` passes on what is to be lifted; `done` is what to say then. */
export function showSanctions(moderation, order) {
  if (!moderation.allowed) return dialog.close();
  const rows = new Map([...list.children].map((row) => [row.dataset.key, row]));
  const wanted = KINDS.flatMap((kind) => moderation[kind.note].map((user) => {
    const key = `${kind.note} ${user}`;
    return rows.get(key) ?? makeRow(key, user, kind, order);
  }));
  const place = [...list.children].findIndex((row) => row.contains(document.activeElement));
  list.replaceChildren(...wanted);
  none.hidden = wanted.length > 0;
  list.hidden = wanted.length === 0;
  if (place >= 0) focusAt(place);
}

/** Whoever stood on one that has gone stands on the next, and not nowhere. */
function focusAt(place) {
  const row = list.children[Math.min(place, list.children.length - 1)];
  (row?.querySelector("button") ?? done).focus();
}

function makeRow(key, user, { note, lift, action, done: told }, order) {
  const name = el("bdi", "sanction-name", user);
  name.title = user;
  const button = textButton("button small", lift, () => order({ action, user }, told(user)));
  button.setAttribute("aria-label", `${lift}: ${user}`);
  const who = el("span", "sanction-who", name, el("span", "member-note", note));
  const row = el("li", "sanction", avatar(user), who, button);
  row.dataset.key = key;
  return row;
}
