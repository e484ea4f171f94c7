import { execFile } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer, type Server } from "node:https";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import { systemClock } from "@dormouse/core";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { HttpClient, parseJson } from "../src/index.ts";
import type { TlsOptions } from "../src/index.ts";

const openssl = (process.env["PATH"] ?? "")
  .split(delimiter)
  .map((folder) => join(folder, "openssl"))
  .find(isExecutable);
const missing = "there is no openssl here to make a certificate with; get it with: apt-get install openssl";

let folder: string | undefined;
let server: Server | undefined;
let certificate = "";

beforeAll(async () => {
  if (openssl === undefined) return console.warn(`Skipped: ${missing}`);
  folder = await mkdtemp(join(tmpdir(), "dormouse-http-tls-"));
  const files = ["-keyout", join(folder, "key.pem"), "-out", join(folder, "cert.pem")];
  const subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"];
  const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1"];
  await promisify(execFile)(openssl, ["req", "-x509", ...curve, ...files, ...subject]);
  certificate = await readFile(join(folder, "cert.pem"), "utf8");
  const key = await readFile(join(folder, "key.pem"));
  server = createServer({ key, cert: certificate }, (_request, response) => void response.end('{"replicas":2}'));
  await new Promise<void>((resolve) => server?.listen(0, "127.0.0.1", resolve));
});

afterAll(async () => {
  server?.closeAllConnections();
  await new Promise<unknown>((resolve) => (server === undefined ? resolve(undefined) : server.close(resolve)));
  if (folder !== undefined) await rm(folder, { recursive: true });
});

beforeEach((context) => {
  context.skip(openssl === undefined, missing);
});

async function ask(host: string, tls: TlsOptions): Promise<unknown> {
  const client = await HttpClient.open({ clock: systemClock, tls });
  const address = server?.address();
  const port = typeof address === "object" ? address?.port : 0;
  const call = {
    method: "GET" as const,
    url: new URL(`https://${host}:${String(port)}/`),
    headers: {},
    timeoutMs: 5_000,
    mostBytes: 1_000,
    retries: { attempts: 1, firstWait: 0, longestWait: 0 },
  };
  try {
    return await client.exchange(call, { deadlineMs: 9_000 }, (answer) => parseJson(call, answer));
  } finally {
    await client[Symbol.asyncDispose]();
  }
}

describe("an API behind TLS", () => {
  it("is trusted by the authority that is given, as text or in a file", async () => {
    expect(await ask("localhost", { ca: certificate })).toEqual({ replicas: 2 });
    expect(await ask("localhost", { ca: { file: join(folder ?? "", "cert.pem") } })).toEqual({ replicas: 2 });
  });

  it("is refused without it, and the error says what to give", async () => {
    await expect(ask("localhost", {})).rejects.toMatchObject({
      code: "SCALER_UNAVAILABLE",
      message: expect.stringContaining("give its authority as tls.ca") as unknown,
      mayHaveHappened: false,
    });
  });

  it("is refused under another name than its certificate's", async () => {
    await expect(ask("127.0.0.1", { ca: certificate })).rejects.toMatchObject({
      message: expect.stringContaining("write the name that the server's certificate is for") as unknown,
    });
  });
});

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
