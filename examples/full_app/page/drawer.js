// On a phone the list of people is a drawer. It takes the focus while it is open and gives it back.

import { byId } from "./dom.js";

const drawer = byId("people");
const opener = byId("people-open");
const closer = byId("people-close");
const scrim = byId("scrim");
const room = byId("room");

export function startDrawer() {
  opener.addEventListener("click", () => show(true));
  closer.addEventListener("click", closeDrawer);
  scrim.addEventListener("click", closeDrawer);
  drawer.addEventListener("keydown", (event) => event.key === "Escape" && closeDrawer());
  // A window that has grown wide shows the list by itself, and nothing may stay inert behind it.
  matchMedia("(max-width: 820px)").addEventListener("change", closeDrawer);
}

export function closeDrawer() {
  if (drawer.classList.contains("open")) show(false);
}

function show(open) {
  drawer.classList.toggle("open", open);
  opener.setAttribute("aria-expanded", String(open));
  scrim.hidden = !open;
  room.inert = open;
  (open ? closer : opener).focus();
}
