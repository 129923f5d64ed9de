// What the page says for the codes of the protocol.

import { el } from "./dom.js";

const FAILED = new Map([
  ["too_large", "It is too long."],
  ["muted", "The creator of this room has muted you."],
  ["banned", "The creator of this room keeps you out."],
  ["rate_limited", "That was a little fast."],
  ["busy", "The server is busy."],
  ["store_unavailable", "The server cannot keep messages at the moment."],
  ["outcome_unknown", "Nobody knows yet whether it arrived. Sending it again will not double it."],
  ["room_ended", "The room had emptied before it arrived."],
  ["disconnected", "The connection was lost."],
  ["not_joined", "You are not in the room any more."],
  ["not_in_room", "You are not in the room any more."],
  ["closed", "The connection is closed."],
]);

/** Why a message was not sent. */
export function whyNotSent(error) {
  if (error?.code === "slow_mode") return `This room is in slow mode: you can write again in ${seconds(error.retryAfterMs)}.`;
  return FAILED.get(error?.code) ?? FAILED.get(error?.kind) ?? "The room did not take it.";
}

function seconds(ms) {
  const whole = Math.max(1, Math.ceil((ms ?? 0) / 1000));
  return whole === 1 ? "1 second" : `${whole} seconds`;
}

/** What stands in place of a message that somebody has taken back, oneself (`me`) perhaps: nodes and strings. */
export function takenBackBy(by, { user, own }, me) {
  if (by !== user) return by === me ? ["You deleted this message"] : [el("bdi", "", by), own ? " deleted your message" : " deleted this message"];
  return [own ? "You took this message back" : "This message was taken back"];
}

const ENTER_AGAIN = { text: "Enter again", href: "/" };
const OTHER_NAME = { text: "Choose another name", href: "/" };
const OTHER_ROOM = { text: "Choose another room", href: "/" };
const TRY_AGAIN = { text: "Try again", reload: true };

const CLOSED = new Map([
  ["logged_out", { icon: "power", title: "You are logged out", text: "All your windows have left their rooms.", actions: [ENTER_AGAIN] }],
  ["unauthorized", { icon: "power", title: "You are logged out", text: "Your visit has ended. Enter again under any name you like.", actions: [ENTER_AGAIN] }],
  ["forbidden", { icon: "alert", title: "You were not let in", text: "Your name, or one that looks like it, is in use elsewhere, or the server does not want this connection.", actions: [OTHER_NAME, TRY_AGAIN] }],
  ["kicked", { icon: "door", title: "You were sent away", text: "Somebody who may do so has ended your visit.", actions: [ENTER_AGAIN] }],
  ["banned", { icon: "alert", title: "You are banned", text: "This server does not let you in.", actions: [] }],
  ["abuse", { icon: "alert", title: "The server hung up", text: "This window has sent too much that made no sense.", actions: [TRY_AGAIN] }],
]);

/** The state of a window whose connection has ended for good. */
export function connectionEnded(reason) {
  return CLOSED.get(reason) ?? { icon: "alert", title: "The connection has ended", text: "The server will not go on with this one.", actions: [TRY_AGAIN, ENTER_AGAIN] };
}

const REFUSED = new Map([
  ["room_full", { icon: "people", title: "This room is full", text: "Nobody more fits in. As soon as somebody leaves there is a place again.", actions: [TRY_AGAIN, OTHER_ROOM] }],
  ["banned", { icon: "alert", title: "You are banned from this room", text: "Its creator keeps you out for now. There are others.", actions: [OTHER_ROOM] }],
  ["invalid_room", { icon: "alert", title: "There can be no such room", text: "Its name holds characters that a room's name may not have.", actions: [OTHER_ROOM] }],
  ["too_many_rooms", { icon: "door", title: "Too many rooms", text: "You are in as many rooms as one visitor may be.", actions: [OTHER_ROOM] }],
  ["server_full", { icon: "people", title: "The server is full", text: "It takes no more guests at the moment.", actions: [TRY_AGAIN] }],
]);

/** The state of a window that may not enter its room. */
export function roomRefused(error) {
  return REFUSED.get(error?.code) ?? { icon: "alert", title: "You were not let in", text: "This room is not open to you.", actions: [OTHER_ROOM, TRY_AGAIN] };
}

const REMOVED = new Map([
  ["kicked", { icon: "door", title: "You were sent out of this room", actions: [TRY_AGAIN, OTHER_ROOM] }],
  ["banned", { icon: "alert", title: "You are banned from this room", actions: [OTHER_ROOM] }],
  ["room_closed", { icon: "door", title: "This room was closed", actions: [OTHER_ROOM] }],
]);

/** The state of a window that was kept out of its room and is not any more. */
export function banLifted() {
  return { icon: "door", title: "You may come in again", text: "The creator of this room has lifted your ban.", actions: [{ text: "Come in", reload: true }, OTHER_ROOM] };
}

/** The state of a window that was taken out of its room. */
export function roomRemoved(code, reason) {
  const known = REMOVED.get(code) ?? { icon: "door", title: "You are no longer in this room", actions: [TRY_AGAIN, OTHER_ROOM] };
  return { ...known, text: reason || "What was said here is gone for you." };
}
