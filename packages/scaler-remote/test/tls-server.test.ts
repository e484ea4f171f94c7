import { execFile, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { complaintOf, openRemote } from "./open-remote.ts";

const hasOpenssl = spawnSync("openssl", ["version"], { stdio: "ignore" }).status === 0;
if (!hasOpenssl)
  console.warn("Skipped: there is no openssl here to make certificates; get it with: apt-get install openssl");

let folder: string;
let server: Server;
let url: string;

/** A self-signed certificate and its key, as files of these names. */
async function certify(name: string): Promise<void> {
  const kind = ["-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1"];
  const files = ["-keyout", join(folder, `${name}.key`), "-out", join(folder, `${name}.pem`)];
  const subject = ["-subj", `/CN=${name}`, "-addext", "subjectAltName=DNS:scaler.example"];
  await promisify(execFile)("openssl", ["req", ...kind, ...files, ...subject]);
}

const file = (name: string) => ({ file: join(folder, name) });
const text = (name: string): Promise<string> => readFile(join(folder, name), "utf8");

// A server that takes nobody without the client's certificate and the token.
beforeAll(async () => {
  if (!hasOpenssl) return;
  folder = await mkdtemp(join(tmpdir(), "dormouse-remote-tls-"));
  await Promise.all(["server", "client", "stranger"].map(certify));
  const [cert, key, ca] = await Promise.all(["server.pem", "server.key", "client.pem"].map(text));
  server = createServer({ cert, key, ca, requestCert: true, rejectUnauthorized: true }, (request, response) => {
    const isKnown = request.headers.authorization === "Bearer secret";
    const capabilities = { replicas: "one", settleWithinMs: 0 };
    const answer = request.url === "/base/v1/hello" ? { contract: 1, name: "tls", capabilities } : { resources: [] };
    request.resume().once("end", () => response.writeHead(isKnown ? 200 : 401).end(JSON.stringify(answer)));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  url = `https://127.0.0.1:${(server.address() as AddressInfo).port}/base/`;
});

afterAll(async () => {
  if (!hasOpenssl) return;
  server.closeAllConnections();
  server.close();
  await rm(folder, { recursive: true, force: true });
});

function openWith(tls: object, token = "secret") {
  const whole = {
    ca: file("server.pem"),
    certificate: file("client.pem"),
    privateKey: file("client.key"),
    serverName: "scaler.example",
  };
  return openRemote({ http: { url, token, tls: { ...whole, ...tls } } });
}

describe.runIf(hasOpenssl)("a server behind mutual TLS", () => {
  it("is called with token and certificate, from files", async () => {
    expect(await (await openWith({})).listResources()).toEqual([]);
  });

  it("is called with PEM texts", async () => {
    const tls = {
      ca: await text("server.pem"),
      certificate: await text("client.pem"),
      privateKey: await text("client.key"),
    };
    expect(await (await openWith(tls)).listResources()).toEqual([]);
  });

  it.each([
    ["another token", () => ({}), "wrong", "SCALER_FORBIDDEN", "check token"],
    [
      "another name",
      () => ({ serverName: "other.example" }),
      "secret",
      "SCALER_UNAVAILABLE",
      "check the remote's certificate",
    ],
    [
      "an authority that did not sign",
      () => ({ ca: file("stranger.pem") }),
      "secret",
      "SCALER_UNAVAILABLE",
      "check the remote's",
    ],
    [
      "a file that is not there",
      () => ({ ca: { file: "/no/such.pem" } }),
      "secret",
      "SCALER_BAD_OPTIONS",
      "/no/such.pem cannot",
    ],
  ])("refuses %s, by name", async (_, tls, token, code, message) => {
    const complaint = await complaintOf(openWith(tls(), token));
    expect(complaint).toMatch(code);
    expect(complaint).toContain(message);
  });

  it("refuses another certificate of ours, by name", async () => {
    const tls = { certificate: file("stranger.pem"), privateKey: file("stranger.key") };
    await expect(openWith(tls)).rejects.toMatchObject({ code: "SCALER_UNAVAILABLE" });
  });

  it("is shown a renewed certificate as soon as a connection is made anew", async () => {
    const [cert, key] = ["mine.pem", "mine.key"].map((name) => join(folder, name)) as [string, string];
    const show = async (name: string): Promise<void> => {
      await Promise.all([writeFile(cert, await text(`${name}.pem`)), writeFile(key, await text(`${name}.key`))]);
      server.closeAllConnections();
    };
    await show("client");
    const scaler = await openWith({ certificate: { file: cert }, privateKey: { file: key } });
    await show("stranger");
    await expect(scaler.listResources()).rejects.toMatchObject({ code: "SCALER_UNAVAILABLE" });
    await show("client");
    expect(await scaler.listResources()).toEqual([]);
  });
});
