// The chat page: one client, one room, and the parts of the page that listen to them.

import { connect } from "/chat/chatrooms.js";
import { avatar } from "./avatar.js";
import { startBanner } from "./banner.js";
import { Comings } from "./comings.js";
import { Composer } from "./composer.js";
import { startCopyLink } from "./copy-link.js";
import { byId, el } from "./dom.js";
import { Draft, forgetDrafts } from "./draft.js";
import { startDrawer } from "./drawer.js";
import { showEmpty } from "./empty.js";
import { showEnded } from "./ended.js";
import { History } from "./history.js";
import { authorTools } from "./member-tools.js";
import { Members } from "./members.js";
import { closeMenu } from "./menu.js";
import { Moderation } from "./moderation.js";
import { showRoomTools, startRoomTools } from "./room-tools.js";
import { showSanctions } from "./sanctions.js";
import { Scroll } from "./scroll.js";
import { showStatus } from "./status.js";
import { Timeline } from "./timeline.js";
import { Title } from "./title.js";
import { Toasts } from "./toasts.js";
import { showTyping } from "./typing.js";
import { rememberVisit } from "./visited.js";
import { banLifted, connectionEnded, roomRefused, roomRemoved, takenBackBy, whyNotSent } from "./words.js";

/** Rows kept while the reader follows the newest; older ones come back by scrolling. */
const ROWS_KEPT = 400;
const ROWS_MOST = 600;
const LEAVE_MS = 1000;

const { room: roomName, user } = document.body.dataset;
const client = connect({ mount: "/chat" });
const room = client.join(roomName);

const toasts = new Toasts();
const comings = new Comings(toasts);
const title = new Title();
const scroll = new Scroll();
const moderation = new Moderation(room, showModeration);
const timeline = new Timeline(room, {
  takeBack,
  mayModerate: ({ user: author }) => moderation.allowed && author !== null,
  tools: (entry) => authorTools(entry, moderation, command),
});
const history = new History(room, scroll);
const members = new Members(room, moderation, command);
const composer = new Composer(new Draft(user, roomName), {
  send: (text) => { room.send(text); scroll.toNewest(); },
  typing: () => room.typing(),
});

let going = false;
let moderates = false;
let banned = false;

startBanner(client);
startDrawer();
startRoomTools(moderation, command);
startCopyLink(() => new URL(`/rooms/${encodeURIComponent(room.name)}`, location.href).href, say);
showMe(user);
byId("leave").addEventListener("click", leave);
byId("logout").addEventListener("submit", logOut);
addEventListener("pageshow", (event) => event.persisted && location.reload());
// On a phone that would open the keyboard over the room that one has come to see.
if (matchMedia("(pointer: fine)").matches) composer.focus();
listenToClient();
listenToRoom();
showAll();

function listenToClient() {
  client.on("state", (state) => {
    showStatus(client, room);
    if (state.status === "closed" && !going) end(connectionEnded(state.reason));
  });
  client.on("hello", ({ user: me, limits }) => {
    showMe(me);
    rememberVisit(true);
    composer.limit = limits.body_bytes;
  });
  client.on("notice", ({ name, data }) => data?.room === room.name && noticed(name));
}

function listenToRoom() {
  room.on("joined", ({ resumed, newLife }) => {
    if (newLife) say("The room had emptied meanwhile. This is a new beginning.");
    if (!resumed) scroll.steady(() => timeline.render());
    showAll();
    moderation.joined(resumed);
  });
  room.on("message", ({ entry, index }) => arrived(entry, index));
  room.on("update", ({ entry, index, from }) => scroll.steady(() => timeline.refresh(entry, index, from)));
  room.on("redacted", ({ entry, by }) => entry && by && scroll.steady(() => timeline.takenBack(entry, takenBackBy(by, entry, client.user))));
  room.on("remove", ({ entry, index }) => {
    scroll.steady(() => timeline.remove(entry, index));
    showAll();
  });
  room.on("older", ({ entries }) => {
    scroll.steady(() => timeline.prepend(entries));
    history.look();
  });
  room.on("members", showAll);
  room.on("presence", (change) => comings.tell(change));
  room.on("typing", ({ users }) => showTyping(users));
  room.on("removed", ({ code, reason }) => {
    banned = code === "banned";
    end(roomRemoved(code, reason));
  });
  room.on("state", ({ state, error }) => {
    showStatus(client, room);
    if (state !== "refused" || client.state.status === "closed") return;
    banned = error?.code === "banned";
    end(roomRefused(error));
  });
}

/** Another name may have been chosen in another tab meanwhile. */
function showMe(me) {
  byId("my-avatar").replaceChildren(avatar(me));
  byId("my-name").textContent = me;
}

function showAll() {
  title.text = `${room.name} · chatrooms`;
  byId("room-name").textContent = room.name;
  members.render(client.user ?? user);
  showStatus(client, room);
  showEmpty(room);
  history.look();
}

function arrived(entry, index) {
  scroll.steady(() => timeline.insert(entry, index));
  if (!entry.own) {
    scroll.count();
    title.count();
  }
  if (scroll.pinned && room.entries.length > ROWS_MOST) scroll.steady(() => timeline.forget(room.trim(ROWS_KEPT)));
  showEmpty(room);
  history.look();
}

async function takeBack(entry) {
  try {
    await room.redact(entry);
  } catch (error) {
    say(`The message could not be taken back. ${whyNotSent(error)}`);
  }
}

function noticed(name) {
  if (name === "moderation") moderation.ask();
  else if (name === "muted") say("The creator of this room has muted you: you can read on, but what you write is not sent.");
  else if (name === "unmuted") say("You may write in this room again.");
  else if (name === "unbanned" && banned) end(banLifted());
}

function showModeration() {
  members.render(client.user ?? user);
  showRoomTools(moderation.allowed);
  showSanctions(moderation, command);
  if (moderation.allowed === moderates) return;
  moderates = moderation.allowed;
  if (!moderates) closeMenu();
  scroll.steady(() => timeline.refreshAll());
}

async function command(fields, done) {
  try {
    await moderation.order(fields);
    if (done) say(done);
  } catch (error) {
    say(error.message);
    // Something stands otherwise than it is shown.
    moderation.ask();
  }
}

/** Anything that has no place of its own on the page. */
function say(text) {
  toasts.add({ name: "notice" }, [text], (texts) => [el("span", "toast-text", texts.at(-1))]);
}

/** Leaving is said, not just done: then the room knows at once that nobody is coming back. */
async function leave(event) {
  event.preventDefault();
  going = true;
  const patience = new Promise((resolve) => setTimeout(resolve, LEAVE_MS));
  await Promise.race([room.leave().catch(() => undefined), patience]);
  client.close();
  location.assign("/");
}

/** The form itself does the rest. */
function logOut() {
  going = true;
  forgetDrafts();
  rememberVisit(false);
}

function end(state) {
  showStatus(client, room);
  showTyping([]);
  moderation.end();
  members.clear();
  showEnded(state);
}
