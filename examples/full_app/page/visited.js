// Remembers that this browser has entered: the cookie is none of a script's business, and asking the server for what
// only guests may see would be refused without it.

const KEY = "chatrooms.entered";

export function rememberVisit(entered) {
  try {
    if (entered) localStorage.setItem(KEY, "yes");
    else localStorage.removeItem(KEY);
  } catch {
    // Storage is forbidden: the entry page will not list rooms.
  }
}

export function hasVisited() {
  try {
    return localStorage.getItem(KEY) !== null;
  } catch {
    return false;
  }
}
