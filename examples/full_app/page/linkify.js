// Turns text into text nodes and links. Nothing here parses HTML, so nothing can be smuggled in.

/** What turns the writing round, and would show another address than it leads to, does not belong to one. */
const ADDRESS = /https?:\/\/[^\s<>"'`\p{Cc}\u061C\u200E\u200F\u202A-\u202E\u2066-\u2069]+/giu;
const CLOSERS = new Map([[")", "("], ["]", "["], ["}", "{"]]);

/** The nodes that show `text`: http and https addresses as links, all else as it is. */
export function linkify(text) {
  const nodes = [];
  let end = 0;
  for (const match of text.matchAll(ADDRESS)) {
    const address = withoutTrailingPunctuation(match[0]);
    const link = linkTo(address);
    if (!link) continue;
    nodes.push(document.createTextNode(text.slice(end, match.index)), link);
    end = match.index + address.length;
  }
  nodes.push(document.createTextNode(text.slice(end)));
  return nodes;
}

/** A sentence's full stop does not belong to the address, nor does a bracket that was opened before it. */
function withoutTrailingPunctuation(address) {
  // Counted once: who sends thousands of brackets must not keep everybody's page busy.
  const unopened = new Map();
  for (const [closer, opener] of CLOSERS) unopened.set(closer, count(address, closer) - count(address, opener));
  let end = address.length;
  for (; end > 0; end -= 1) {
    const last = address[end - 1];
    const left = unopened.get(last);
    const belongs = left === undefined ? !/[.,;:!?…]/u.test(last) : left <= 0;
    if (belongs) break;
    if (left !== undefined) unopened.set(last, left - 1);
  }
  return address.slice(0, end);
}

const count = (text, character) => text.split(character).length - 1;

function linkTo(address) {
  const url = parsed(address);
  if (!url) return null;
  const link = document.createElement("a");
  link.href = url.href;
  link.rel = "noopener noreferrer nofollow";
  link.target = "_blank";
  link.textContent = address;
  return link;
}

/** Addresses with a user name in them are a well-known way to show one host and lead to another. */
function parsed(address) {
  try {
    const url = new URL(address);
    const plain = (url.protocol === "http:" || url.protocol === "https:") && !url.username && !url.password;
    return plain ? url : null;
  } catch {
    return null;
  }
}
