// Turns text into text nodes and links. Nothing here parses HTML, so nothing can be smuggled in.

const ADDRESS = /https?:\/\/[^\s<>"'`]+/giu;
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
  let rest = address;
  for (;;) {
    const last = rest.at(-1);
    const opener = CLOSERS.get(last);
    const belongs = opener ? count(rest, opener) >= count(rest, last) : !/[.,;:!?…]/u.test(last);
    if (belongs) return rest;
    rest = rest.slice(0, -1);
  }
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
