// Waiting for conditions, never for time; the limits only end what hangs.

const HANG_MS = 15_000;
const STEP_MS = 25;

/** Asks again and again until the answer is true; tells in words what never came. */
export async function until(what, condition, limitMs = HANG_MS) {
  const end = Date.now() + limitMs;
  let last;
  do {
    last = await condition();
    if (last) return last;
    await new Promise((resolve) => setTimeout(resolve, STEP_MS));
  } while (Date.now() < end);
  throw new Error(`waited ${limitMs} ms in vain until ${what}`);
}

/** The promise's result, or an error that says what was waited for. */
export async function within(limitMs, what, promise) {
  let timer;
  const limit = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`waited ${limitMs} ms in vain for ${what}`)), limitMs);
  });
  return Promise.race([promise, limit]).finally(() => clearTimeout(timer));
}
