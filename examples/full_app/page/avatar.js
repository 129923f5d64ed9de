// A person's colour and initials, the same in every browser.

import { el } from "./dom.js";

/** A power of two, as many as style.css has. */
const HUES = 8;

/** A class that sets the person's colours (see style.css). */
export function hueClass(user) {
  let hash = 2166136261;
  for (const character of user) hash = Math.imul(hash ^ character.codePointAt(0), 16777619);
  return `hue-${(hash ^ (hash >>> 15)) & (HUES - 1)}`;
}

/** The first letters of the first two words. */
export function initials(name) {
  const words = name.split(/[\s._-]+/u).filter(Boolean);
  return (words.length ? words : [name]).slice(0, 2).map(firstGrapheme).join("").toLocaleUpperCase();
}

export function avatar(user, name = user) {
  const disc = el("span", `avatar ${hueClass(user)}`, initials(name));
  disc.setAttribute("aria-hidden", "true");
  return disc;
}

const graphemes = "Segmenter" in Intl ? new Intl.Segmenter() : null;

function firstGrapheme(word) {
  const characters = graphemes ? graphemes.segment(word)[Symbol.iterator]().next().value?.segment : [...word][0];
  return characters ?? "";
}
