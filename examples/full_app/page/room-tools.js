// What the creator can do with the room as a whole: slow it down, or close it.

import { byId } from "./dom.js";
import { closeMenu, openMenu } from "./menu.js";

const WAITS = [[0, "Off"], [5, "Once in 5 seconds"], [30, "Once in 30 seconds"]];

const opener = byId("moderate");
const dialog = byId("confirm-close");

/** `order(fields)` passes on what was chosen. */
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
  return [{ label: "Slow mode", entries: waits }, { entries: [close] }];
}
