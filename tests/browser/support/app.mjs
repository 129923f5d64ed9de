// full_app as a child process with a memory store, on a port of its own.

import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { within } from "./until.mjs";

const BUILT = fileURLToPath(new URL("../../../target/debug/examples/full_app", import.meta.url));
const LISTENING = /listening on (http:\/\/\S+)/;
const START_MS = 20_000;
const STOP_MS = 20_000;

/** Starts the app; `address` lets a second one take the place of a first. */
export async function startApp({ address = "127.0.0.1:0", options = [] } = {}) {
  const program = process.env.FULL_APP || BUILT;
  if (!existsSync(program)) throw new Error(`there is no ${program}: cargo build --example full_app, or set FULL_APP`);
  const child = spawn(program, ["--addr", address, "--store", "memory", ...options], { stdio: ["ignore", "pipe", "pipe"] });
  const output = collect(child);
  const exited = new Promise((resolve) => child.once("close", resolve));
  const url = await within(START_MS, "full_app to listen", Promise.race([listening(child, output), exited.then(() => null)]));
  if (!url) throw new Error(`full_app ended before it listened:\n${output.text}`);
  return {
    url,
    address: new URL(url).host,
    /** As a service manager does it. */
    async stop() {
      child.kill("SIGTERM");
      await within(STOP_MS, "full_app to stop", exited).finally(() => child.kill("SIGKILL"));
    },
    /** As a power cut does it. */
    async kill() {
      child.kill("SIGKILL");
      await exited;
    },
  };
}

function collect(child) {
  const output = { text: "" };
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text) => { output.text += text; });
  return output;
}

function listening(child, output) {
  return new Promise((resolve) => {
    child.stdout.on("data", () => {
      const found = LISTENING.exec(output.text);
      if (found) resolve(found[1]);
    });
  });
}
