// "Ada is typing": a line that is always there, so that nothing jumps when it speaks.

import { byId } from "./dom.js";

const line = byId("typing");
const text = byId("typing-text");

export function showTyping(users) {
  // The last words stay while the line fades out.
  if (users.length) text.textContent = `${who(users)} typing…`;
  line.classList.toggle("on", users.length > 0);
}

function who(users) {
  if (users.length === 1) return `${users[0]} is`;
  if (users.length === 2) return `${users[0]} and ${users[1]} are`;
  return "Several people are";
}
