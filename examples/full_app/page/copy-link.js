// The room's address, to give to somebody.

import { byId, el } from "./dom.js";

const button = byId("copy-link");
const label = byId("copy-link-text");
const DONE_MS = 2200;

/** `failed(address)` is told when the browser does not let us. */
export function startCopyLink(address, failed) {
  button.addEventListener("click", async () => {
    if (await copy(address())) showDone();
    else failed(address());
  });
}

/** The clipboard is for secure pages only; in a local network over plain http the old way still works. */
async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyBySelecting(text);
  }
}

function copyBySelecting(text) {
  const field = el("textarea", "hidden-text");
  field.value = text;
  document.body.append(field);
  field.select();
  const copied = document.execCommand("copy");
  field.remove();
  button.focus();
  return copied;
}

function showDone() {
  button.classList.add("done");
  label.textContent = "Copied";
  setTimeout(() => {
    button.classList.remove("done");
    label.textContent = "Copy link";
  }, DONE_MS);
}
