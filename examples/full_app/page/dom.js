// The few ways in which this page makes elements. User text only ever becomes a text node.

const SVG = "http://www.w3.org/2000/svg";

/** The element with this id, which the template is known to hold. */
export const byId = (id) => document.getElementById(id);

/** An element with a class and children: strings become text nodes. */
export function el(tag, className, ...children) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  element.append(...children);
  return element;
}

/** A symbol of icons.svg. */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `/static/icons.svg#${name}`);
  svg.append(use);
  return svg;
}

/** A button that shows an icon and tells its name to those who cannot see it. */
export function iconButton(className, iconName, label, onClick) {
  const button = el("button", className, icon(iconName));
  button.type = "button";
  button.title = label;
  button.setAttribute("aria-label", label);
  button.addEventListener("click", onClick);
  return button;
}

export function textButton(className, text, onClick) {
  const button = el("button", className, text);
  button.type = "button";
  button.addEventListener("click", onClick);
  return button;
}
