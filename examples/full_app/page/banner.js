// The banner of a lost connection: what happens next, when, and a way not to wait for it.

import { byId } from "./dom.js";

const banner = byId("banner");
const text = byId("banner-text");
const countdown = byId("banner-countdown");
const now = byId("banner-now");

export function startBanner(client) {
  now.addEventListener("click", () => client.reconnect());
  client.on("state", (state) => show(state));
  client.on("countdown", ({ seconds }) => tick(seconds));
}

function show(state) {
  if (state.status === "waiting") {
    say(navigator.onLine ? "The connection is lost." : "You are offline.");
    tick(Math.max(0, Math.ceil((state.retryAt - Date.now()) / 1000)));
    now.disabled = false;
  } else if (state.status === "connecting" && state.attempt > 0) {
    say("Connecting again…");
    countdown.textContent = "";
    now.disabled = true;
  } else {
    banner.hidden = true;
  }
}

/** An alert is read out whenever its words change; the seconds are for the eyes only. */
function say(words) {
  banner.hidden = false;
  if (text.textContent !== words) text.textContent = words;
}

function tick(seconds) {
  countdown.textContent = seconds > 0 ? `Next try in ${seconds} s.` : "";
}
