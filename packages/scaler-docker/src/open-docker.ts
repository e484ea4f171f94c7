import { X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import type Dockerode from "dockerode";
import { toFileError } from "./docker-error.ts";
import type { DockerOptions } from "./docker-options.ts";
import { SshAgent } from "./ssh-agent.ts";

/** Connections to one engine at a time; further calls wait for one. */
const mostConnections = 32;

/** A client and what ends its connections. */
export interface OpenedDocker extends Disposable {
  readonly docker: Dockerode;
  /** Until when the client certificate is good, epoch ms; left out: there is none. */
  readonly certificateEndsAt?: number;
}

/** The client's settings; none is left to the variables of Docker's own command line, which the client reads too. */
interface Settings {
  readonly agent: HttpAgent;
  readonly protocol: "http" | "https";
  readonly socketPath?: string;
  readonly host?: string;
  readonly port?: string;
  readonly ca?: Buffer;
  readonly cert?: Buffer;
  readonly key?: Buffer;
}

const nothing = {
  socketPath: undefined,
  host: undefined,
  port: undefined,
  ca: undefined,
  cert: undefined,
  key: undefined,
  timeout: undefined,
  pathPrefix: "/",
};

/**
 * Opens a client for the configured endpoint; nothing is sent yet.
 *
 * @throws ScalerError `SCALER_BAD_OPTIONS` where a certificate or key cannot be read
 */
export async function openDocker(options: DockerOptions): Promise<OpenedDocker> {
  const settings = await readSettings(options);
  // Loaded here, since only hosts with this scaler should pay for it.
  const { default: Client } = await import("dockerode");
  const { cert } = settings;
  return {
    ...(cert !== undefined && { certificateEndsAt: endOf(cert) }),
    docker: new Client({ ...nothing, ...settings }),
    [Symbol.dispose]: () => settings.agent.destroy(),
  };
}

async function readSettings({ endpoint, tls, ssh }: DockerOptions): Promise<Settings> {
  const url = new URL(endpoint);
  const pool = { keepAlive: true, maxSockets: mostConnections };
  if (url.protocol === "unix:") {
    return { agent: new HttpAgent(pool), protocol: "http", socketPath: decodeURIComponent(url.pathname) };
  }
  if (url.protocol === "ssh:") {
    // Where the sessions lead the name of the host means nothing.
    return { agent: await openSshAgent(url, ssh), protocol: "http", host: "docker" };
  }
  const host = url.hostname.replace(/^\[|\]$/g, "");
  if (tls === undefined) return { agent: new HttpAgent(pool), protocol: "http", host, port: url.port };
  const [ca, cert, key] = await Promise.all([
    readOption("tls.ca", tls.ca),
    readOption("tls.cert", tls.cert),
    readOption("tls.key", tls.key),
  ]);
  return { agent: new HttpsAgent(pool), protocol: "https", host, port: url.port, ca, cert, key };
}

async function openSshAgent(url: URL, ssh: DockerOptions["ssh"]): Promise<SshAgent> {
  const { privateKey, agent, hostKey = "" } = ssh ?? {};
  const key = privateKey === undefined ? undefined : await readOption("ssh.privateKey", privateKey);
  const { default: ssh2 } = await import("ssh2");
  return new SshAgent({
    hostKey,
    createClient: () => new ssh2.Client(),
    config: {
      host: url.hostname,
      port: url.port === "" ? 22 : Number(url.port),
      username: decodeURIComponent(url.username),
      readyTimeout: 8_000,
      keepaliveInterval: 15_000,
      keepaliveCountMax: 3,
      ...(key !== undefined && { privateKey: key }),
      ...(agent !== undefined && { agent }),
    },
  });
}

function endOf(certificate: Buffer): number {
  try {
    return Date.parse(new X509Certificate(certificate).validTo);
  } catch (error) {
    throw toFileError("tls.cert", "as it is", error);
  }
}

async function readOption(option: string, file: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (error) {
    throw toFileError(option, file, error);
  }
}
