// On a phone the list of people is a drawer. It takes the focus while it is open and gives it back.

import { byId } from "./dom.js";

const drawer = byId("people");
const opener = byId("people-open");
const closer = byId("people-close");
const scrim = byId("scrim");
const room = byId("room");

export function startDrawer() {
  opener.addEventListener("click", () => show(true));
  closer.addEventListener("click", () => show(false));
  scrim.addEventListener("click", () => show(false));
  drawer.addEventListener("keydown", (event) => event.key === "Escape" && show(false));
  // A window that has grown wide shows the list by itself, and nothing may stay inert behind it.
  matchMedia("(max-width: 820px)").addEventListener("change", () => isOpen() && show(false));
}

const isOpen = () => drawer.classList.contains("open");

function show(open) {
  drawer.classList.toggle("open", open);
  opener.setAttribute("aria-expanded", String(open));
  scrim.hidden = !open;
  room.inert = open;
  (open ? closer : opener).focus();
}
