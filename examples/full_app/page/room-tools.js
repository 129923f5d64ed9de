// What the creator can do with the room as a whole: slow it down, see whom it keeps out, or close it.

import { byId } from "./dom.js";
import { closeMenu, openMenu } from "./menu.js";
import { countSanctions, openSanctions } from "./sanctions.js";

const WAITS = [[0, "Off"], [5, "Once in 5 seconds"], [30, "Once in 30 seconds"]];

const opener = byId("moderate");
const dialog = byId("confirm-close");

/** `order(fields, done)` passes on what was chosen; `done` is what to say then. */
export function startRoomTools(moderation, order) {
  opener.addEventListener("click", () => {
    if (opener.getAttribute("aria-expanded") === "true") closeMenu();
    else openMenu(opener, "Moderate this room", groups(moderation, order));
  });
  dialog.addEventListener("close", () => {
    if (dialog.returnValue === "close") order({ action: "close" });
    dialog.returnValue = "";
  });
}

export function showRoomTools(allowed) {
  opener.hidden = !allowed;
  if (!allowed && dialog.open) dialog.close();
}

function groups(moderation, order) {
  const waits = WAITS.map(([seconds, text]) => ({
    text, checked: moderation.slowSeconds === seconds, act: () => order({ action: "slow", seconds }),
  }));
  const close = { text: "Close the room…", icon: "door", grave: true, act: () => dialog.showModal() };
  const count = countSanctions(moderation);
  const sanctions = { text: `Banned and muted: ${count}…`, icon: "people", act: () => openSanctions(moderation, order) };
  return [{ label: "Slow mode", entries: waits }, { entries: count > 0 ? [sanctions, close] : [close] }];
}
