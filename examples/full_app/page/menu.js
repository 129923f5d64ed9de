// A menu at a button: one at a time, with the keys that menus have. It takes the focus and gives it back.

import { el, icon } from "./dom.js";

const GAP_PX = 6;
const EDGE_PX = 8;

let current = null;

/**
 * A group has `entries`, and perhaps a `label` that is shown above them. An entry has a `text` and an `act()`, and perhaps an `icon`; it may be
 * `grave`, and one of several that exclude each other says whether it is `checked`.
 */
export function openMenu(opener, label, groups) {
  closeMenu();
  const menu = el("div", "menu", ...groups.map(groupElement));
  menu.setAttribute("role", "menu");
  menu.setAttribute("aria-label", label);
  document.body.append(menu);
  place(menu, opener.getBoundingClientRect());
  opener.setAttribute("aria-expanded", "true");
  const ending = new AbortController();
  current = { menu, opener, ending };
  listen(menu, opener, ending.signal);
  (menu.querySelector("[aria-checked=true]") ?? items(menu)[0]).focus({ preventScroll: true });
}

export function closeMenu() {
  if (!current) return;
  const { menu, opener, ending } = current;
  current = null;
  const hadFocus = menu.contains(document.activeElement);
  ending.abort();
  if (hadFocus) opener.focus({ preventScroll: true });
  menu.remove();
  opener.setAttribute("aria-expanded", "false");
}

function groupElement({ label, entries }) {
  const group = el("div", "menu-group", ...entries.map(itemElement));
  group.setAttribute("role", "group");
  if (label) {
    group.setAttribute("aria-label", label);
    const heading = el("p", "menu-label", label);
    heading.setAttribute("aria-hidden", "true");
    group.prepend(heading);
  }
  return group;
}

function itemElement({ text, icon: iconName, grave, checked, act }) {
  const mark = checked === undefined ? iconName : checked && "check";
  const item = el("button", grave ? "menu-item grave" : "menu-item", mark ? icon(mark) : el("span", "menu-no-icon"), text);
  item.type = "button";
  item.tabIndex = -1;
  item.setAttribute("role", checked === undefined ? "menuitem" : "menuitemradio");
  if (checked !== undefined) item.setAttribute("aria-checked", String(checked));
  item.addEventListener("click", () => {
    closeMenu();
    act();
  });
  return item;
}

/** Below the button, or above where there is no room; never over the edge of the window. */
function place(menu, at) {
  const { offsetWidth: width, offsetHeight: height } = menu;
  const below = at.bottom + GAP_PX + height <= innerHeight - EDGE_PX;
  const top = below ? at.bottom + GAP_PX : Math.max(EDGE_PX, at.top - GAP_PX - height);
  const left = Math.min(Math.max(EDGE_PX, at.right - width), innerWidth - EDGE_PX - width);
  menu.style.top = `${top}px`;
  menu.style.left = `${left}px`;
}

function listen(menu, opener, signal) {
  menu.addEventListener("keydown", (event) => key(event, menu), { signal });
  menu.addEventListener("focusout", ({ relatedTarget }) => relatedTarget && !menu.contains(relatedTarget) && closeMenu(), { signal });
  addEventListener("pointerdown", ({ target }) => !menu.contains(target) && !opener.contains(target) && closeMenu(), { signal, capture: true });
  addEventListener("resize", closeMenu, { signal });
  // What carries the button away, and nothing else: the talk goes on beside an open menu.
  addEventListener("scroll", ({ target }) => target.contains?.(opener) && closeMenu(), { signal, capture: true });
}

function key(event, menu) {
  const all = items(menu);
  const at = all.indexOf(document.activeElement);
  const steps = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: -1 };
  if (event.key in steps) all.at(steps[event.key] % all.length).focus();
  else if (event.key === "Escape") closeMenu();
  // From where the menu was, as if it had never been there.
  else if (event.key === "Tab") return closeMenu();
  else return;
  event.preventDefault();
}

const items = (menu) => [...menu.querySelectorAll(".menu-item")];
