// The line under the room's name: how the connection is, or who is there to talk to.

import { byId } from "./dom.js";

const lamp = byId("lamp");
const line = byId("connection-state");

export function showStatus(client, room) {
  const [state, words] = status(client.state, room);
  lamp.dataset.state = state;
  if (line.textContent !== words) line.textContent = words;
}

function status({ status: connection }, room) {
  if (connection === "closed" || ["left", "removed", "refused"].includes(room.state)) return ["ended", "Not connected"];
  if (connection === "waiting") return ["waiting", "Not connected"];
  if (connection === "connecting") return ["waiting", "Connecting…"];
  if (room.state === "joining") return ["waiting", room.error ? "Waiting to be let in…" : "Entering…"];
  return ["open", people(room.members.size)];
}

function people(size) {
  return size <= 1 ? "Only you are here" : `${size} people are here`;
}
