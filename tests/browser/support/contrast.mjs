// Contrast as the eye meets it: a text's colour against the pixels that are really behind it, glass, glow and all.

/** The worst contrast of every visible text of `selector`, as `[{text, ratio}]`. */
export async function contrasts(page, selector) {
  const texts = await dressed(page, "* { pointer-events: auto !important }", () => page.$$eval(selector, measurable));
  const shot = await dressed(page, NO_TEXT, () => page.screenshot());
  return page.context().newPage().then(async (bench) => {
    try {
      return await bench.evaluate(worstRatios, { texts, image: `data:image/png;base64,${shot.toString("base64")}` });
    } finally {
      await bench.close();
    }
  });
}

const NO_TEXT = `*, *::placeholder {
  color: transparent !important; -webkit-text-fill-color: transparent !important; caret-color: transparent !important; transition: none !important;
}`;

/** What cannot be pressed for a moment may be dim (WCAG 1.4.3 leaves it out), and may be so at the screenshot and not before it. */
const LIT = ":disabled { opacity: 1 !important; }";

/** Does something while the page wears another stylesheet, in a way that its content security policy allows. */
async function dressed(page, css, action) {
  await page.evaluate((text) => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(text);
    document.adoptedStyleSheets = [sheet];
  }, css + LIT);
  try {
    return await action();
  } finally {
    await page.evaluate(() => { document.adoptedStyleSheets = []; });
  }
}

/** What is written in the elements themselves, line by line, with where it stands and in which colour. */
function measurable(elements) {
  const inset = ({ x, y, width, height }) => new DOMRect(x + 6, y + 6, width - 12, height - 12);
  // Letters that are cut out of a gradient have no colour that could be asked for.
  const isRead = (element) => getComputedStyle(element).backgroundClip !== "text" && !element.closest(".hidden-text")
    && element.checkVisibility({ visibilityProperty: true, opacityProperty: true });
  // Not what something else stands in front of.
  const isOnTop = (element, { x, y, width, height }) => [0.02, 0.5, 0.98].every((across) => [0.1, 0.9].every((down) => (
    element.contains(document.elementFromPoint(x + width * across, y + height * down)))));
  // Nor what is just being scrolled out of sight.
  const EDGE = 17;
  const isInside = (element, { x, y, right, bottom }) => {
    const frame = element.closest("#timeline")?.getBoundingClientRect();
    return x >= 0 && right <= innerWidth && y >= (frame ? frame.top + EDGE : 0) && bottom <= (frame ? frame.bottom - EDGE : innerHeight);
  };

  return elements.filter(isRead).flatMap((element) => {
    const opacity = opacityOf(element);
    return lines(element).map(({ text, rect, pseudo }) => {
      const { color } = getComputedStyle(element, pseudo);
      const { x, y, width, height } = rect;
      return { text: text.trim().slice(0, 40), color, opacity, x, y, width, height, inside: isInside(element, rect) && isOnTop(element, rect) };
    });
  }).filter(({ text, width, height, inside }) => text && width > 2 && height > 2 && inside);

  function lines(element) {
    if (element.value !== undefined && element.matches("input, textarea")) {
      const placeholder = !element.value;
      return [{ text: placeholder ? element.placeholder : element.value, rect: inset(element.getBoundingClientRect()), pseudo: placeholder ? "::placeholder" : null }];
    }
    const texts = [...element.childNodes].filter(({ nodeType }) => nodeType === Node.TEXT_NODE);
    return texts.flatMap((node) => {
      const range = document.createRange();
      range.selectNode(node);
      return [...range.getClientRects()].map((rect) => ({ text: node.data, rect, pseudo: null }));
    });
  }

  function opacityOf(element) {
    let opacity = 1;
    for (let node = element; node; node = node.parentElement) opacity *= Number(getComputedStyle(node).opacity);
    return opacity;
  }
}

async function worstRatios({ texts, image }) {
  const bitmap = await createImageBitmap(await (await fetch(image)).blob());
  const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(bitmap, 0, 0);

  const linear = (value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
  const luminance = ([r, g, b]) => 0.2126 * linear(r / 255) + 0.7152 * linear(g / 255) + 0.0722 * linear(b / 255);
  const ratio = (one, other) => (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
  const parse = (color) => color.match(/[\d.]+/g).map(Number);

  return texts.map(({ text, color, opacity, x, y, width, height }) => {
    const [r, g, b, alpha = 1] = parse(color);
    const strength = alpha * opacity;
    const { data } = context.getImageData(Math.ceil(x), Math.ceil(y), Math.floor(width), Math.floor(height));
    let worst = Infinity;
    for (let at = 0; at < data.length; at += 4) {
      const behind = [data[at], data[at + 1], data[at + 2]];
      const shown = [r, g, b].map((value, index) => value * strength + behind[index] * (1 - strength));
      worst = Math.min(worst, ratio(luminance(shown), luminance(behind)));
    }
    return { text, ratio: Math.round(worst * 100) / 100 };
  });
}
