// "Ada is typing": a line that is always there, so that nothing jumps when it speaks.

import { byId, el } from "./dom.js";

const line = byId("typing");
const text = byId("typing-text");

export function showTyping(users) {
  // The last words stay while the line fades out.
  if (users.length) text.replaceChildren(...who(users), " typing…");
  line.classList.toggle("on", users.length > 0);
}

function who(users) {
  const [one, other] = users.map((user) => el("bdi", "", user));
  if (users.length === 1) return [one, " is"];
  if (users.length === 2) return [one, " and ", other, " are"];
  return ["Several people are"];
}
