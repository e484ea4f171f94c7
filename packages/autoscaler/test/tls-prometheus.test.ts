import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { openPort, silentLogger, systemClock } from "@dormouse/core";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { prometheusSource } from "../src/index.ts";
import { commandOnPath } from "./command-on-path.ts";

const openssl = commandOnPath("openssl");
const missing = "there is no openssl here to make a certificate with; get it with: apt-get install openssl";
const web = { scaler: "k8s", namespace: "shop", name: "web" };

let folder: string | undefined;
let server: Server | undefined;
let ca = "";

beforeAll(async () => {
  if (openssl === undefined) return console.warn(`Skipped: ${missing}`);
  folder = await mkdtemp(join(tmpdir(), "dormouse-tls-"));
  const [key, certificate] = [join(folder, "key.pem"), join(folder, "cert.pem")];
  const subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"];
  await promisify(execFile)(openssl, [
    "req",
    "-x509",
    "-newkey",
    "ec",
    "-pkeyopt",
    "ec_paramgen_curve:prime256v1",
    "-nodes",
    "-days",
    "1",
    "-keyout",
    key,
    "-out",
    certificate,
    ...subject,
  ]);
  ca = await readFile(certificate, "utf8");
  const body = {
    status: "success",
    data: { resultType: "vector", result: [{ metric: { namespace: "shop", name: "web" }, value: [1, "5"] }] },
  };
  server = createServer({ key: await readFile(key), cert: ca }, (_request, response) => {
    response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(body));
  });
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

async function read(tls: object) {
  const url = `https://127.0.0.1:${String((server!.address() as AddressInfo).port)}`;
  const options = { url, tls, metrics: { open: { query: "open" } } };
  const source = await openPort(prometheusSource, options, {
    id: "prometheus",
    logger: silentLogger,
    clock: systemClock,
  });
  try {
    return await source.read({ metric: "open", windowMs: 60_000, resources: [web] });
  } finally {
    await source[Symbol.asyncDispose]();
  }
}

describe("a Prometheus behind TLS", () => {
  it("is asked where its certificate comes from the authority that is given", async () => {
    expect(await read({ ca })).toEqual([{ ref: web, value: 5 }]);
  });

  it("is asked where the authority stands in a file, and refused at once where that cannot be read", async () => {
    expect(await read({ ca: { file: join(folder!, "cert.pem") } })).toEqual([{ ref: web, value: 5 }]);
    await expect(read({ ca: { file: join(folder!, "none.pem") } })).rejects.toThrow("none.pem cannot be read");
    await expect(read({ ca: { file: "cert.pem" } })).rejects.toThrow("must be an absolute path");
  });

  it("is unknown where it does not", async () => {
    await expect(read({})).rejects.toMatchObject({
      code: "SCALER_UNAVAILABLE",
      message: expect.stringContaining("self-signed") as string,
    });
  });
});
