import { execFile } from "node:child_process";
import { chmod, readFile, writeFile } from "node:fs/promises";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { connect } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { createHash } from "node:crypto";
import { defaultPolicy, openScaler, silentLogger, systemClock, type GuardedScaler } from "@dormouse/core";
import ssh2 from "ssh2";
import { expect, it, onTestFinished } from "vitest";
import { scaler as plugin } from "../src/index.ts";
import { inspected, listed, openFakeEngine, respond, serve, temporaryFolder } from "./fake-engine.ts";

const run = promisify(execFile);

async function openTestScaler(options: object): Promise<GuardedScaler> {
  const context = { id: "docker", logger: silentLogger, clock: systemClock, defaults: defaultPolicy };
  const scaler = await openScaler(plugin, options, context);
  onTestFinished(() => scaler[Symbol.asyncDispose]());
  return scaler;
}

function answer(_method: string, path: string): { body: unknown } | undefined {
  if (path === "/containers/json") return { body: [listed("web")] };
  return path === "/containers/id-web/json" ? { body: inspected("web") } : undefined;
}

it("says that there is no socket, and works once there is one", async () => {
  const endpoint = await openFakeEngine(answer);
  const missing = await openTestScaler({ endpoint: `${endpoint}-not` });
  await expect(missing.listResources()).rejects.toMatchObject({
    code: "SCALER_UNAVAILABLE",
    message: expect.stringMatching(/there is no socket .*start the Docker Engine/) as string,
  });
  expect(await (await openTestScaler({ endpoint })).listResources()).toHaveLength(1);
});

it("says that nobody listens", async () => {
  const path = join(await temporaryFolder(), "docker.sock");
  await writeFile(path, "");
  const scaler = await openTestScaler({ endpoint: `unix://${path}` });
  await expect(scaler.listResources()).rejects.toMatchObject({
    code: "SCALER_UNAVAILABLE",
    message: expect.stringMatching(/nobody listens at/) as string,
  });
});

// Root may open everything.
it.skipIf(process.getuid?.() === 0)("says who may open a socket that this user may not", async () => {
  const endpoint = await openFakeEngine(answer);
  await chmod(new URL(endpoint).pathname, 0o000);
  const scaler = await openTestScaler({ endpoint });
  await expect(scaler.listResources()).rejects.toMatchObject({
    code: "SCALER_FORBIDDEN",
    message: expect.stringMatching(/may not open .*group/) as string,
  });
});

interface Certificates {
  readonly folder: string;
  readonly tls: { readonly ca: string; readonly cert: string; readonly key: string };
}

/** An authority with a server's and a client's certificate of it. */
async function makeCertificates(serverDays: number, clientDays: number): Promise<Certificates> {
  const folder = await temporaryFolder();
  const file = (name: string): string => join(folder, name);
  const openssl = (...parameters: string[]): Promise<unknown> => run("openssl", parameters, { cwd: folder });
  const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  await openssl("req", "-x509", ...newKey, "-keyout", "ca.key", "-out", "ca.pem", "-days", "2", "-subj", "/CN=test ca");
  await writeFile(file("server.ext"), "subjectAltName=IP:127.0.0.1\n");
  await writeFile(file("client.ext"), "extendedKeyUsage=clientAuth\n");
  for (const [name, days] of [
    ["server", serverDays],
    ["client", clientDays],
  ] as const) {
    await openssl("req", ...newKey, "-keyout", `${name}.key`, "-out", `${name}.csr`, "-subj", `/CN=${name}`);
    const ca = ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", String(days)];
    await openssl("x509", "-req", "-in", `${name}.csr`, ...ca, "-extfile", `${name}.ext`, "-out", `${name}.pem`);
  }
  return { folder, tls: { ca: file("ca.pem"), cert: file("client.pem"), key: file("client.key") } };
}

/** An engine that wants a client certificate. @returns its endpoint */
async function openTlsEngine({ folder }: Certificates): Promise<string> {
  const read = (name: string): Promise<Buffer> => readFile(join(folder, name));
  const [ca, cert, key] = await Promise.all([read("ca.pem"), read("server.pem"), read("server.key")]);
  const server = createTlsServer({ ca, cert, key, requestCert: true, rejectUnauthorized: true }, (request, response) =>
    respond(request, response, answer),
  );
  await serve(server, { port: 0, host: "127.0.0.1" });
  return `tcp://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
}

it("speaks to an engine over mutual TLS", async () => {
  const certificates = await makeCertificates(1, 1);
  const endpoint = await openTlsEngine(certificates);
  const scaler = await openTestScaler({ endpoint, tls: certificates.tls });
  expect(await scaler.listResources()).toMatchObject([{ ref: { name: "web" }, ready: 1 }]);
});

it("names an engine's certificate that has expired, one of another authority, and a client's that has expired", async () => {
  const [good, old, stranger] = await Promise.all([
    makeCertificates(1, -1),
    makeCertificates(-1, 1),
    makeCertificates(1, 1),
  ]);
  const forbidden = (message: RegExp): object => ({
    code: "SCALER_FORBIDDEN",
    message: expect.stringMatching(message) as string,
  });
  const expired = await openTestScaler({ endpoint: await openTlsEngine(old), tls: old.tls });
  await expect(expired.listResources()).rejects.toMatchObject(forbidden(/certificate of .* has expired/));
  const endpoint = await openTlsEngine(good);
  const foreign = await openTestScaler({ endpoint, tls: stranger.tls });
  await expect(foreign.listResources()).rejects.toMatchObject(forbidden(/tls\.ca did not sign/));
  const refused = await openTestScaler({ endpoint, tls: good.tls });
  await expect(refused.listResources()).rejects.toMatchObject(forbidden(/certificate in tls\.cert has expired/));
});

it("says which file of the options cannot be read", async () => {
  const tls = { ca: "/nowhere/ca.pem", cert: "/nowhere/cert.pem", key: "/nowhere/key.pem" };
  await expect(openTestScaler({ endpoint: "tcp://127.0.0.1:1", tls })).rejects.toMatchObject({
    code: "SCALER_BAD_OPTIONS",
    message: expect.stringMatching(/tls\.\w+ \/nowhere\/\w+\.pem cannot be read \(ENOENT\)/) as string,
  });
});

interface SshEngine {
  readonly endpoint: string;
  readonly ssh: { readonly hostKey: string; readonly privateKey: string };
  /** How many connections came. */
  connections(): number;
}

/** A new pair of keys. One in some hundred that ssh2 makes it cannot read itself. */
function sshKeys(): ssh2.utils.KeyPairReturn {
  for (;;) {
    const pair = ssh2.utils.generateKeyPairSync("ed25519");
    if (!(ssh2.utils.parseKey(pair.private) instanceof Error)) return pair;
  }
}

/** A machine with an engine that is reached by SSH, by the user `dormouse` with one key. */
async function openSshEngine(): Promise<SshEngine> {
  const folder = await temporaryFolder();
  const socket = new URL(await openFakeEngine(answer)).pathname;
  const [host, client] = [sshKeys(), sshKeys()];
  const allowed = ssh2.utils.parseKey(client.public);
  if (allowed instanceof Error) throw allowed;
  let connections = 0;
  const server = new ssh2.Server({ hostKeys: [host.private] }, (connection) => {
    connections += 1;
    connection.on("error", () => {});
    connection.on("authentication", (attempt) => {
      const isKnown = attempt.method === "publickey" && attempt.key.data.equals(allowed.getPublicSSH());
      if (isKnown && attempt.username === "dormouse") attempt.accept();
      else attempt.reject(["publickey"]);
    });
    connection.on("session", (accept) => {
      accept().on("exec", (acceptExec, _reject, { command }) => {
        const channel = acceptExec();
        if (command !== "docker system dial-stdio") {
          channel.exit(127);
          return;
        }
        const upstream = connect(socket);
        channel.pipe(upstream).pipe(channel);
        upstream.on("error", () => {});
        channel.on("error", () => {});
      });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => new Promise<void>((resolve) => void server.close(() => resolve())));
  const privateKey = join(folder, "key");
  await writeFile(privateKey, client.private, { mode: 0o600 });
  const [, blob = ""] = host.public.split(" ");
  const digest = createHash("sha256").update(Buffer.from(blob, "base64")).digest("base64").replace(/=+$/, "");
  const { port } = server.address() as AddressInfo;
  return {
    endpoint: `ssh://dormouse@127.0.0.1:${String(port)}`,
    ssh: { hostKey: `SHA256:${digest}`, privateKey },
    connections: () => connections,
  };
}

it("speaks to an engine through sessions of one SSH connection", async () => {
  const { endpoint, ssh, connections } = await openSshEngine();
  const scaler = await openTestScaler({ endpoint, ssh });
  for (let round = 0; round < 3; round += 1) {
    expect(await scaler.listResources()).toMatchObject([{ ref: { name: "web" }, ready: 1 }]);
  }
  expect(connections()).toBe(1);
});

it("refuses an SSH host with another key, and says a refused login", async () => {
  const { endpoint, ssh } = await openSshEngine();
  const other = `SHA256:${"A".repeat(43)}`;
  const elsewhere = await openTestScaler({ endpoint, ssh: { ...ssh, hostKey: other } });
  await expect(elsewhere.listResources()).rejects.toMatchObject({
    code: "SCALER_FORBIDDEN",
    message: expect.stringContaining(`has the key ${ssh.hostKey}, not the one in ssh.hostKey`) as string,
  });
  const stranger = await openTestScaler({ endpoint: endpoint.replace("dormouse@", "stranger@"), ssh });
  await expect(stranger.listResources()).rejects.toMatchObject({
    code: "SCALER_FORBIDDEN",
    message: expect.stringMatching(/refuses the login/) as string,
  });
});
