import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** A key and its certificate in PEM. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

/** An authority for tests, and certificates of it for this machine. Needs openssl. */
export interface TestAuthority extends AsyncDisposable {
  /** PEM file of the authority's own certificate. */
  readonly caFile: string;
  readonly valid: Certificate;
  /** The same name, and its time is over. */
  readonly expired: Certificate;
}

/** Makes the authority in a folder of its own. */
export async function openAuthority(): Promise<TestAuthority> {
  const folder = await mkdtemp(join(tmpdir(), "dormouse-aci-ca-"));
  const caFile = join(folder, "ca.pem");
  await newKey(folder, "ca", ["-x509", "-days", "2", "-subj", "/CN=test authority", "-out", caFile]);
  const valid = await issue(folder, "valid", 1);
  const expired = await issue(folder, "expired", -1);
  return { caFile, valid, expired, [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }) };
}

async function issue(folder: string, name: string, days: number): Promise<Certificate> {
  const file = (ending: string): string => join(folder, `${name}.${ending}`);
  await newKey(folder, name, ["-subj", "/CN=localhost", "-out", file("csr")]);
  await writeFile(file("ext"), "subjectAltName=DNS:localhost,IP:127.0.0.1\n");
  const authority = ["-CA", join(folder, "ca.pem"), "-CAkey", join(folder, "ca.key"), "-CAcreateserial"];
  const times = ["-days", String(days), "-extfile", file("ext")];
  await run("openssl", ["x509", "-req", "-in", file("csr"), ...authority, ...times, "-out", file("pem")]);
  return { cert: await readFile(file("pem"), "utf8"), key: await readFile(file("key"), "utf8") };
}

async function newKey(folder: string, name: string, rest: readonly string[]): Promise<void> {
  const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  await run("openssl", ["req", ...curve, "-keyout", join(folder, `${name}.key`), ...rest]);
}
