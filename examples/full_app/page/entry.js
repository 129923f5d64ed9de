// The entry page: puts the cursor where it is needed and shows which rooms are open.

import { byId, el } from "./dom.js";
import { hasVisited, rememberVisit } from "./visited.js";

const form = byId("enter");
const username = byId("username");
const room = byId("room");

room.value ||= new URLSearchParams(location.search).get("room") ?? "";
fieldToFill().focus();
for (const field of [username, room]) field.addEventListener("input", () => withdrawComplaint(field));
form.addEventListener("submit", stopEmpty);
if (hasVisited()) listOpenRooms();

/** The one the server complained about, else the first empty one. */
function fieldToFill() {
  return form.querySelector("[aria-invalid]") ?? [username, room].find((field) => !field.value) ?? room;
}

/** The server judges names; that there is none needs no journey. */
function stopEmpty(event) {
  const empty = [username, room].filter((field) => !field.value.trim());
  for (const field of empty) complain(field, field === username ? "Please choose a name." : "Please name a room.");
  if (!empty.length) return;
  event.preventDefault();
  empty[0].focus();
}

function complain(field, text) {
  field.setAttribute("aria-invalid", "true");
  byId(`${field.id}-error`).textContent = text;
}

function withdrawComplaint(field) {
  field.removeAttribute("aria-invalid");
  byId(`${field.id}-error`).textContent = "";
}

async function listOpenRooms() {
  const answer = await fetch("/chat/rooms?limit=50").catch(() => null);
  if (answer?.status === 401) rememberVisit(false);
  if (!answer?.ok) return;
  const { rooms } = await answer.json();
  byId("open-rooms-list").replaceChildren(...rooms.map((open) => el("li", "", roomButton(open))));
  byId("open-rooms").hidden = rooms.length === 0;
}

function roomButton({ room: name, users }) {
  const button = el("button", "open-room", el("bdi", "", name), el("span", "open-room-count", people(users)));
  button.type = "button";
  button.addEventListener("click", () => {
    room.value = name;
    withdrawComplaint(room);
    if (username.value.trim()) form.requestSubmit();
    else username.focus();
  });
  return button;
}

const people = (count) => (count === 1 ? "1 person" : `${count} people`);
