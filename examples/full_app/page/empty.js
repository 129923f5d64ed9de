// What a room says that nobody has said anything in.

import { byId, el, icon } from "./dom.js";

const place = byId("empty");

export function showEmpty(room) {
  const empty = room.state === "joined" && room.entries.length === 0 && !room.more;
  if (empty && place.hidden) place.replaceChildren(...words());
  place.hidden = !empty;
}

function words() {
  return [
    icon("spark"),
    el("strong", "", "Nothing has been said here yet"),
    el("p", "", "Say the first word, or copy the link and bring somebody along. When the last one leaves, the room forgets everything."),
  ];
}
