// The card over a room that is over for this window: why, and where to go from here.

import { byId, el, textButton } from "./dom.js";
import { closeDrawer } from "./drawer.js";

const card = byId("ended");

export function showEnded({ icon, title, text, actions }) {
  closeDrawer();
  byId("ended-icon").setAttribute("href", `/static/icons.svg#${icon}`);
  byId("ended-title").textContent = title;
  byId("ended-text").textContent = text;
  byId("ended-actions").replaceChildren(...actions.map(actionButton));
  for (const behind of card.parentElement.children) if (behind !== card) behind.inert = true;
  card.hidden = false;
  (card.querySelector(".button") ?? card).focus();
}

function actionButton({ text, href, reload }, index) {
  const className = index === 0 ? "button primary" : "button";
  if (reload) return textButton(className, text, () => location.reload());
  const link = el("a", className, text);
  link.href = href;
  return link;
}
