// Debian's Chromium, driven by playwright-core.

import { existsSync } from "node:fs";
import { chromium } from "playwright-core";

const PLACES = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
const SWITCHES = [
  "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync",
];

export async function launchChromium(switches = []) {
  const executablePath = [process.env.CHROMIUM, ...PLACES].filter(Boolean).find((path) => existsSync(path));
  if (!executablePath) throw new Error("there is no Chromium here: apt-get install chromium, or set CHROMIUM to its path");
  return chromium.launch({ executablePath, args: [...SWITCHES, ...switches] });
}
