// What ends TLS in front of the app, as a proxy does: the bytes within go through as they are.

import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createServer } from "node:tls";

/** Ends TLS for a host before what listens at an address; nobody has signed the certificate but itself. */
export async function endTls(host, address) {
  const [hostname, port] = address.split(":");
  const server = createServer(certificate(host), (outer) => {
    const inner = connect(Number(port), hostname);
    outer.pipe(inner).pipe(outer);
    for (const [one, other] of [[outer, inner], [inner, outer]]) one.on("error", () => other.destroy());
    for (const [one, other] of [[outer, inner], [inner, outer]]) one.on("close", () => other.destroy());
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    address: `127.0.0.1:${server.address().port}`,
    stop: () => server.close(),
  };
}

function certificate(host) {
  const folder = mkdtempSync(join(tmpdir(), "chatrooms-tls-"));
  const [key, cert] = ["key.pem", "cert.pem"].map((name) => join(folder, name));
  try {
    const made = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1"];
    execFileSync("openssl", [...made, "-subj", `/CN=${host}`, "-keyout", key, "-out", cert], { stdio: "pipe" });
    return { key: readFileSync(key), cert: readFileSync(cert) };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
