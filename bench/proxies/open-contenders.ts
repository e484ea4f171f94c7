import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { request } from "undici";
import { acceptsConnections } from "../host/accepts-connections.ts";
import type { BenchContext } from "../host/bench-context.ts";
import type { ChildProgram } from "../host/child-program.ts";
import { cpuTimeMs, withChildren } from "../host/cpu-time.ts";
import { DormouseHost } from "../host/dormouse-host.ts";
import { freePort } from "../host/free-port.ts";
import { until } from "../host/until.ts";
import type { Contender, Missing } from "./contender.ts";
import { haproxyConfig } from "./haproxy-config.ts";
import { nginxConfig } from "./nginx-config.ts";

/** The host that all contenders are asked for. */
export const benchHost = "bench.localhost";

const upstream = fileURLToPath(new URL("../children/upstream.mjs", import.meta.url));
const plainProxy = fileURLToPath(new URL("../children/plain-proxy.mjs", import.meta.url));
const goSource = fileURLToPath(new URL("../go-proxy/main.go", import.meta.url));

/** Starts every proxy that this machine has, all in front of one service, which Dormouse has woken. */
export async function openContenders(context: BenchContext): Promise<readonly (Contender | Missing)[]> {
  const port = await freePort();
  const service = `http://127.0.0.1:${port}`;
  return [
    { name: "direct", url: service },
    await openDormouse(context, port),
    await openPlainProxy(context, service, "http-proxy-3", {}),
    await openPlainProxy(context, service, "http-proxy-3, keep-alive", { KEEP_ALIVE: "1" }),
    await openGo(context, service),
    await openNginx(context, port),
    await openHaproxy(context, port),
  ];
}

async function openDormouse(context: BenchContext, port: number): Promise<Contender> {
  const command = [process.execPath, upstream];
  const resources = [{ name: "bench", command, port, policy: { hosts: [benchHost] } }];
  const host = await DormouseHost.start(context, { resources });
  const { statusCode, body } = await request(`${host.origin}/`, { headers: { host: benchHost } });
  if (statusCode !== 200)
    throw new Error(`Dormouse answered ${statusCode} ${await body.text()}\n${host.program.output}`);
  await body.dump();
  return { name: "dormouse", url: host.origin, cpuMs: () => cpuTimeMs([host.program.pid]) };
}

async function openPlainProxy(
  context: BenchContext,
  service: string,
  name: string,
  env: Readonly<Record<string, string>>,
): Promise<Contender> {
  const port = await freePort();
  const program = context.start([process.execPath, plainProxy], {
    env: { ...env, PORT: String(port), TARGET: service },
  });
  return opened(name, program, port, () => [program.pid]);
}

async function openGo(context: BenchContext, service: string): Promise<Contender | Missing> {
  const name = "Go ReverseProxy";
  const binary = join(context.folder(), "go-proxy");
  const env = { ...process.env, GOCACHE: context.folder(), GO111MODULE: "off" };
  const built = spawnSync("go", ["build", "-o", binary, goSource], { env, encoding: "utf8" });
  if (built.error !== undefined) return { name, advice: "apt-get install golang-go" };
  if (built.status !== 0) throw new Error(`go build failed:\n${built.stderr}`);
  const port = await freePort();
  const program = context.start([binary, `127.0.0.1:${port}`, service]);
  return opened(name, program, port, () => [program.pid]);
}

async function openNginx(context: BenchContext, servicePort: number): Promise<Contender | Missing> {
  const name = "nginx";
  const binary = findProgram("nginx");
  if (binary === undefined) return { name, advice: "apt-get install nginx" };
  const [port, folder] = [await freePort(), context.folder()];
  writeFileSync(join(folder, "nginx.conf"), nginxConfig({ folder, port, servicePort }));
  const program = context.start([binary, "-p", folder, "-e", "stderr", "-c", join(folder, "nginx.conf")]);
  return opened(name, program, port, () => withChildren(program.pid));
}

async function openHaproxy(context: BenchContext, servicePort: number): Promise<Contender | Missing> {
  const name = "HAProxy";
  const binary = findProgram("haproxy");
  if (binary === undefined) return { name, advice: "apt-get install haproxy" };
  const [port, folder] = [await freePort(), context.folder()];
  writeFileSync(join(folder, "haproxy.cfg"), haproxyConfig({ port, servicePort }));
  const program = context.start([binary, "-db", "-f", join(folder, "haproxy.cfg")]);
  return opened(name, program, port, () => [program.pid]);
}

async function opened(
  name: string,
  program: ChildProgram,
  port: number,
  findPids: () => readonly number[],
): Promise<Contender> {
  await until(`${name} listens`, async () => {
    if (program.hasEnded) throw new Error(`${name} ended by itself:\n${program.output}`);
    return acceptsConnections(port);
  });
  // Looked up each time: nginx listens before its worker is there.
  return { name, url: `http://127.0.0.1:${port}`, cpuMs: () => cpuTimeMs(findPids()) };
}

/** Debian keeps servers in /usr/sbin, which a user's PATH may lack. */
function findProgram(name: string): string | undefined {
  return [name, `/usr/sbin/${name}`].find((each) => spawnSync(each, ["-v"]).error === undefined);
}
