// Who came and who went, as pop-ups: at most three, one for many where many move at once, resting while they are looked at.

import { avatar } from "./avatar.js";
import { byId, el, iconButton } from "./dom.js";

const MOST = 3;
const SHOWN_MS = 5000;
/** A pop-up as young as this takes up what else happens, instead of another one. */
const COALESCE_MS = 1500;
const GOING_MS = 240;
const NAMED = 2;

export class Toasts {
  #box = byId("toasts");
  #toasts = [];

  constructor() {
    for (const event of ["pointerenter", "focusin"]) this.#box.addEventListener(event, () => this.#rest());
    for (const event of ["pointerleave", "focusout"]) this.#box.addEventListener(event, () => this.#wake());
  }

  /** `kind` is "joined" or "left". */
  people(kind, members) {
    if (!members.length) return;
    const open = this.#takesMore(kind) ?? this.#open(kind);
    for (const member of members) open.people.set(member.user, member);
    this.#show(open, avatar(...faceOf(members.at(-1))), sentence(kind, [...open.people.values()]));
  }

  /** Anything else that the page has to say. */
  say(text) {
    this.#show(this.#open("notice"), null, [text]);
  }

  /** Somebody who has come back at once has not left, and the other way round. */
  #takesMore(kind) {
    const ofKind = this.#toasts.filter((toast) => toast.kind === kind);
    const last = ofKind.at(-1);
    if (!last) return undefined;
    const young = Date.now() - last.since < COALESCE_MS;
    return young || this.#toasts.length >= MOST ? last : undefined;
  }

  #open(kind) {
    if (this.#toasts.length >= MOST) this.#close(this.#toasts[0]);
    const toast = { kind, people: new Map(), element: el("div", `toast ${kind}`), since: Date.now(), left: SHOWN_MS, timer: 0 };
    this.#toasts.push(toast);
    return toast;
  }

  #show(toast, face, words) {
    const text = el("span", "toast-text", ...words);
    const close = iconButton("toast-close", "close", "Dismiss", () => this.#close(toast));
    toast.element.replaceChildren(...(face ? [face] : []), text, close);
    if (!toast.element.isConnected) this.#box.append(toast.element);
    toast.left = SHOWN_MS;
    this.#run(toast);
  }

  #run(toast) {
    clearTimeout(toast.timer);
    if (this.#resting()) return;
    toast.started = Date.now();
    toast.timer = setTimeout(() => this.#close(toast), toast.left);
  }

  #rest() {
    for (const toast of this.#toasts) {
      clearTimeout(toast.timer);
      if (toast.started) toast.left = Math.max(1000, toast.left - (Date.now() - toast.started));
      toast.started = 0;
    }
  }

  /** The focus has moved only after this event, and the pointer may still be there. */
  #wake() {
    queueMicrotask(() => !this.#resting() && this.#toasts.forEach((toast) => this.#run(toast)));
  }

  #resting() {
    return this.#box.matches(":hover, :focus-within");
  }

  #close(toast) {
    clearTimeout(toast.timer);
    this.#toasts = this.#toasts.filter((other) => other !== toast);
    toast.element.classList.add("going");
    setTimeout(() => toast.element.remove(), GOING_MS);
  }
}

const faceOf = ({ user, name }) => [user, name];

/** "Ada joined", "Ada and Bo joined", "Ada, Bo and 3 others joined". */
function sentence(kind, people) {
  const names = people.slice(0, NAMED).map(({ user, name }) => el("bdi", "", name ?? user));
  const others = people.length - names.length;
  const rest = others === 1 ? ["1 other"] : others ? [`${others} others`] : [];
  return [...listed([...names, ...rest]), kind === "joined" ? " joined" : " left"];
}

function listed(items) {
  return items.flatMap((item, index) => {
    if (index === 0) return [item];
    return [index === items.length - 1 ? " and " : ", ", item];
  });
}
