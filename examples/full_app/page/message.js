// One message as an element. Built once, then refreshed when its entry changes; where it stands is the timeline's business.

import { avatar, hueClass } from "./avatar.js";
import { el, icon, iconButton, textButton } from "./dom.js";
import { linkify } from "./linkify.js";
import { dateAndTime, dayName, timeOfDay } from "./time.js";
import { whyNotSent } from "./words.js";

const EMOJI_ONLY = /^(?:(?:\p{Extended_Pictographic}(?:[\uFE0F\u{1F3FB}-\u{1F3FF}]|\u200D\p{Extended_Pictographic})*|\p{Regional_Indicator}{2})\s*){1,3}$/u;
const MOMENT_TO_CONFIRM_MS = 3500;

/**
 * `rights` says what can be done with a message: `takeBack(entry)`, and `mayModerate(entry)` for whoever is not its author, with `tools(entry)` for a button
 * at it.
 */
export function messageRow(entry, rights) {
  const row = el("div");
  const bubble = el("div", "bubble");
  const head = messageHead(entry);
  const line = el("div", "message-row", bubble);
  const delivery = el("div", "delivery");
  const person = entry.user ?? "";
  row.append(avatar(person, entry.name ?? person), head, line, delivery);
  const parts = { row, bubble, head, line, delivery, entry, rights, takenBack: null, first: true, last: true, arriving: false };
  refreshRow(parts);
  return parts;
}

/** Shows what the entry says now. */
export function refreshRow(parts) {
  const { row, bubble, head, line, delivery, entry } = parts;
  row.dataset.seq = entry.seq ?? "";
  dressRow(parts);
  bubble.replaceChildren(...bodyOf(parts));
  bubble.title = dateAndTime(entry.at);
  const time = head.querySelector("time");
  time.textContent = timeOfDay(entry.at);
  time.dateTime = new Date(entry.at).toISOString();
  line.replaceChildren(bubble, ...sideOf(parts));
  delivery.replaceChildren(...deliveryOf(entry));
}

/** Sets the classes that tell the stylesheet what this message is and how it stands in its group. */
export function dressRow({ row, entry, first, last, arriving }) {
  const flags = {
    first, last, arriving, own: entry.own, notice: entry.user === null, redacted: entry.redacted,
    pending: entry.state === "pending", failed: entry.state === "failed",
    jumbo: !entry.redacted && EMOJI_ONLY.test(entry.body),
  };
  const set = Object.keys(flags).filter((name) => flags[name]);
  row.className = ["message", hueClass(entry.user ?? ""), ...set].join(" ");
}

/** Puts the day's name above this message, or takes it away. */
export function markDay({ row, entry }, begins) {
  const shown = row.querySelector(":scope > .day");
  if (begins && !shown) row.prepend(el("div", "day", dayName(entry.at)));
  else if (begins) shown.textContent = dayName(entry.at);
  else shown?.remove();
}

function messageHead(entry) {
  const author = el("bdi", "author", entry.own ? "You" : entry.name ?? entry.user ?? "The host");
  return el("div", "message-head", author, el("time"));
}

/** Who took a message back is known to those who were there then. */
function bodyOf({ entry, takenBack }) {
  return entry.redacted ? takenBack ?? ["This message was taken back"] : linkify(entry.body);
}

function sideOf({ entry, rights }) {
  if (entry.redacted) return [];
  if (entry.state === "pending") return [pendingMark()];
  if (entry.state !== "sent") return [];
  if (entry.own) return [twiceButton("take-back", "undo", "Take this message back", "Take back?", () => rights.takeBack(entry))];
  if (!rights.mayModerate(entry)) return [];
  return [twiceButton("delete", "trash", "Delete this message", "Delete?", () => rights.takeBack(entry)), rights.tools(entry)];
}

function pendingMark() {
  return el("span", "pending-mark", icon("clock"), el("span", "hidden-text", "Sending"));
}

/** Asks once more before it acts: a message that is taken back does not return. */
function twiceButton(className, iconName, label, question, act) {
  const ask = iconButton(`at-message ${className}`, iconName, label, () => {
    const sure = textButton("text-button sure", question, act);
    const restore = () => sure.isConnected && sure.replaceWith(ask);
    // Not within the event: it also comes when the button is being taken out.
    sure.addEventListener("blur", () => setTimeout(restore));
    setTimeout(restore, MOMENT_TO_CONFIRM_MS);
    ask.replaceWith(sure);
    sure.focus({ preventScroll: true });
  });
  return ask;
}

function deliveryOf(entry) {
  if (entry.state !== "failed") return [];
  return [
    el("span", "", `Not sent. ${whyNotSent(entry.error)}`),
    textButton("text-button", "Send again", () => entry.retry()),
    textButton("text-button", "Discard", () => entry.discard()),
  ];
}
