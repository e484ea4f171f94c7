import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** A certificate that signs itself, as PEM. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

/** Makes one for a name, by openssl. */
export async function makeCertificate(name: string): Promise<Certificate> {
  const folder = mkdtempSync(join(tmpdir(), "dormouse-adapter-"));
  try {
    const [cert, key, config] = ["tls.crt", "tls.key", "openssl.cnf"].map((file) => join(folder, file)) as [
      string,
      string,
      string,
    ];
    writeFileSync(
      config,
      `[req]\ndistinguished_name=dn\nx509_extensions=ext\nprompt=no\n[dn]\nCN=adapter\n[ext]\nsubjectAltName=DNS:${name}\nbasicConstraints=critical,CA:TRUE\n`,
    );
    const shape = ["-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"];
    await run("openssl", ["req", ...shape, "-config", config, "-keyout", key, "-out", cert]);
    return { cert: readFileSync(cert, "utf8"), key: readFileSync(key, "utf8") };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
