// Where one writes. Enter sends, Shift+Enter breaks the line, and while an input method composes, Enter belongs to it.

import { byId } from "./dom.js";

/** From this share of the limit on, the page says how much room is left. */
const NEARLY_FULL = 0.8;
const LATE_COMPOSITION_KEY = 229;

export class Composer {
  #form = byId("composer");
  #field = byId("message");
  #hint = byId("composer-hint");
  #button = this.#form.querySelector("button");
  #draft;
  #limit = Infinity;
  #handlers;

  /** `handlers`: `send(text)` and `typing()`. */
  constructor(draft, handlers) {
    this.#draft = draft;
    this.#handlers = handlers;
    this.#field.value = draft.text;
    this.#field.addEventListener("input", () => this.#changed());
    this.#field.addEventListener("keydown", (event) => this.#key(event));
    this.#form.addEventListener("submit", (event) => this.#submit(event));
    this.#look();
  }

  /** The most bytes that a message may have. */
  set limit(bytes) {
    this.#limit = bytes;
    this.#look();
  }

  focus() {
    this.#field.focus({ preventScroll: true });
  }

  #changed() {
    this.#draft.text = this.#field.value;
    if (this.#field.value.trim()) this.#handlers.typing();
    this.#look();
  }

  #key(event) {
    const composing = event.isComposing || event.keyCode === LATE_COMPOSITION_KEY;
    if (event.key !== "Enter" || event.shiftKey || composing) return;
    event.preventDefault();
    this.#form.requestSubmit();
  }

  #submit(event) {
    event.preventDefault();
    const text = this.#text();
    if (!text || this.#bytesLeft(text) < 0) return;
    this.#field.value = "";
    this.#draft.text = "";
    this.#look();
    this.#handlers.send(text);
    this.focus();
  }

  /** Without the empty lines around it; the first line's indentation may be meant. */
  #text() {
    return this.#field.value.replace(/^(?:[^\S\n]*\n)+|\s+$/gu, "");
  }

  #look() {
    const text = this.#text();
    const left = this.#bytesLeft(text);
    this.#button.disabled = !text || left < 0;
    this.#hint.classList.toggle("over", left < 0);
    this.#hint.textContent = this.#words(left);
    this.#grow();
  }

  #words(left) {
    if (left < 0) return `${-left} bytes too long`;
    return left < this.#limit * (1 - NEARLY_FULL) ? `${left} bytes left` : "";
  }

  #bytesLeft(text) {
    return this.#limit - new TextEncoder().encode(text).length;
  }

  #grow() {
    this.#field.style.height = "auto";
    this.#field.style.height = `${this.#field.scrollHeight}px`;
  }
}
