// Pop-ups: at most three at a time, each for 4.5 to 6 s, resting while they are looked at. What happens at about the same
// time shares one; what finds no place waits for it.

import { byId, el, iconButton } from "./dom.js";

const MOST = 3;
const SHOWN_MS = 4500;
/** A pop-up as young as this takes up more of its kind, and is then shown as long as a new one. */
const COALESCE_MS = 1500;
const AFTER_REST_MS = 1500;
const GOING_MS = 240;

export class Toasts {
  #box = byId("toasts");
  #toasts = [];
  #waiting = new Map();

  constructor() {
    for (const event of ["pointerenter", "focusin"]) this.#box.addEventListener(event, () => this.#rest());
    for (const event of ["pointerleave", "focusout"]) this.#box.addEventListener(event, () => this.#wake());
  }

  /** `show(items)` gives the nodes of a pop-up of this kind for all the items that share it. */
  add(kind, items, show) {
    const toast = this.#taker(kind.name) ?? this.#open(kind, show);
    if (toast) return this.#fill(toast, items);
    const waiting = this.#waiting.get(kind.name)?.items ?? [];
    this.#waiting.set(kind.name, { kind, show, items: [...waiting, ...items] });
  }

  #taker(name) {
    return this.#toasts.find((toast) => toast.name === name && Date.now() - toast.since < COALESCE_MS);
  }

  #open({ name }, show) {
    if (this.#toasts.length >= MOST) return undefined;
    const toast = { name, show, items: [], element: el("div", `toast ${name}`), since: Date.now(), left: 0, started: 0, timer: 0 };
    this.#toasts.push(toast);
    return toast;
  }

  #fill(toast, items) {
    toast.items.push(...items);
    const close = iconButton("toast-close", "close", "Dismiss", () => this.#close(toast));
    toast.element.replaceChildren(...toast.show(toast.items), close);
    if (!toast.element.isConnected) this.#box.append(toast.element);
    toast.left = SHOWN_MS;
    this.#run(toast);
  }

  #run(toast) {
    clearTimeout(toast.timer);
    if (this.#isLookedAt()) return;
    toast.started = Date.now();
    toast.timer = setTimeout(() => this.#close(toast), toast.left);
  }

  #rest() {
    for (const toast of this.#toasts) {
      clearTimeout(toast.timer);
      if (toast.started) toast.left = Math.max(AFTER_REST_MS, toast.left - (Date.now() - toast.started));
      toast.started = 0;
    }
  }

  /** Asks a moment later: only then has the focus arrived where it goes. */
  #wake() {
    setTimeout(() => !this.#isLookedAt() && this.#toasts.forEach((toast) => this.#run(toast)));
  }

  #isLookedAt() {
    return this.#box.matches(":hover, :focus-within");
  }

  #close(toast) {
    clearTimeout(toast.timer);
    this.#toasts = this.#toasts.filter((other) => other !== toast);
    toast.element.classList.add("going");
    setTimeout(() => this.#gone(toast), GOING_MS);
  }

  #gone({ element }) {
    element.remove();
    this.#wake();
    const [first] = this.#waiting.values();
    if (!first) return;
    this.#waiting.delete(first.kind.name);
    this.add(first.kind, first.items, first.show);
  }
}
