// What the creator can do with one of the others: at the list of those who are here, and at the messages of those who may have gone.

import { closeMenu, openMenu } from "./menu.js";
import { iconButton } from "./dom.js";

const BANS = [
  ["600", "For 10 minutes", "for 10 minutes"],
  ["3600", "For an hour", "for an hour"],
  ["", "While this room lives", "for as long as this room lives"],
];

/** The button at a member. `order(fields, done)` passes on what was chosen; `done` is what to say then. */
export const memberTools = (member, moderation, order) => tools("member-tools", member, moderation, order);

/** The button at somebody's message. */
export const authorTools = (entry, moderation, order) => tools("at-message author-tools", entry, moderation, order);

function tools(className, { user, name: shown }, moderation, order) {
  const name = shown ?? user;
  const button = iconButton(className, "more", `Moderate ${name}`, () => {
    if (button.getAttribute("aria-expanded") === "true") closeMenu();
    else openMenu(button, `Moderate ${name}`, groups(user, name, moderation, order));
  });
  button.setAttribute("aria-haspopup", "menu");
  button.setAttribute("aria-expanded", "false");
  return button;
}

function groups(user, name, moderation, order) {
  const bans = BANS.map(([seconds, text, time]) => ({
    text, icon: "clock", grave: true, act: () => order({ action: "ban", user, seconds }, `${name} is banned ${time}.`),
  }));
  return [
    { entries: [silence(user, name, moderation, order), { text: "Remove", icon: "leave", act: () => order({ action: "kick", user }, `${name} was sent out.`) }] },
    { label: "Ban", entries: bans },
  ];
}

function silence(user, name, moderation, order) {
  if (moderation.isMuted(user)) return { text: "Unmute", icon: "speak", act: () => order({ action: "unmute", user }, `${name} may write again.`) };
  return { text: "Mute", icon: "mute", act: () => order({ action: "mute", user }, `${name} is muted.`) };
}
