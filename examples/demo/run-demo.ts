import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import pLimit from "p-limit";
import { acceptsConnections } from "./accepts-connections.ts";
import { chatServer } from "./chat-server.ts";
import { finalTable, legend, liveTable } from "./demo-tables.ts";
import type { DemoService } from "./demo-service.ts";
import { DormouseHost } from "./dormouse-host.ts";
import { flowServer } from "./flow-server.ts";
import { freePort } from "./free-port.ts";
import { type Claim, judgeRun, type RunRecord } from "./judge-run.ts";
import { liveReporter } from "./live-reporter.ts";
import { orderApi, storedOrders } from "./order-api.ts";
import { plainReporter } from "./plain-reporter.ts";
import { ResourceWatch } from "./resource-watch.ts";
import { holdOpen, runRounds, type Stage } from "./service-rounds.ts";
import { ServiceTally } from "./service-tally.ts";
import { staticSite } from "./static-site.ts";

const rounds = 3;
/** Twice the demo's idleAfter. */
const openMs = 6_000;

export interface DemoOptions {
  /** An empty folder for everything the demo writes. */
  readonly folder: string;
  readonly keep: boolean;
  readonly stream: NodeJS.WriteStream;
  readonly signal: AbortSignal;
}

/** Runs the whole demo and gives its exit code. Whatever happens, nothing it started is left running. */
export async function runDemo(options: DemoOptions): Promise<number> {
  const { folder, signal } = options;
  const write = (line: string): void => void options.stream.write(`${line}\n`);
  const [dlx, admin] = [await freePort(), await freePort()];
  const tallies = await prepareServices(folder);
  const services = tallies.map(({ service }) => service);
  write(
    "Four servers from npm, unchanged. In each round each is started by hand, then woken by requests to Dormouse.\n",
  );
  const reporter = plainReporter(write);
  const host = await DormouseHost.start(folder, { dlx, admin }, services, signal);
  try {
    reporter.tell(`dormouse up listens on 127.0.0.1:${dlx}; all services sleep`);
    const watch = new ResourceWatch(host);
    const statesWhileOpen = await playTraffic(tallies, { host, watch, reporter, ...options });
    write(`\n${finalTable(tallies, watch)}\n${legend}\n`);
    const claims = judgeRun({ tallies, rounds, orders: ordersOf(tallies, folder), statesWhileOpen });
    const isGood = tellClaims(claims, tallies, write);
    if (options.keep) await stayUp(host, services, write, signal);
    const ports = [dlx, admin, ...tallies.flatMap(({ service, twin }) => [service.port, twin.port])];
    const endsWell = tellClaims([await judgeEnd(host, ports)], [], write);
    if (!isGood || !endsWell) write(`\nThe last that dormouse logged:\n${host.output}`);
    return isGood && endsWell ? 0 : 1;
  } finally {
    await host.end();
  }
}

type MakeService = (folder: string, port: number) => DemoService;

/** Each server twice: behind Dormouse, and with files and a port of its own to be started by hand. */
async function prepareServices(folder: string): Promise<readonly ServiceTally[]> {
  const [behind, byHand] = [join(folder, "behind-dormouse"), join(folder, "by-hand")];
  mkdirSync(behind);
  mkdirSync(byHand);
  const makers: readonly MakeService[] = [staticSite, orderApi, chatServer, flowServer];
  return Promise.all(
    makers.map(async (make) => new ServiceTally(make(behind, await freePort()), make(byHand, await freePort()))),
  );
}

/** Plays all traffic, and gives the states in which the chat server was seen while a WebSocket was open. */
async function playTraffic(
  tallies: readonly ServiceTally[],
  { host, watch, reporter, stream, signal }: DemoOptions & Pick<Stage, "host" | "watch" | "reporter">,
): Promise<ReadonlySet<string>> {
  const over = new AbortController();
  const both = AbortSignal.any([signal, over.signal]);
  const shown = stream.isTTY ? liveReporter(stream, () => liveTable(tallies, watch)) : reporter;
  const stage: Stage = { host, watch, reporter: shown, inTurn: pLimit(1), signal: both };
  const watching = watch.run(both, () => shown.refresh());
  try {
    const played = Promise.all(tallies.map(async (tally) => playService(tally, stage)));
    const seen = await Promise.race([played, watching.then(() => played)]);
    return new Set(seen.flatMap((states) => [...states]));
  } finally {
    over.abort();
    await watching.catch(() => undefined);
    shown.end();
  }
}

async function playService(tally: ServiceTally, stage: Stage): Promise<ReadonlySet<string>> {
  await runRounds(tally, rounds, stage);
  return tally.service.name === "chat" ? holdOpen(tally, openMs, stage) : new Set();
}

function ordersOf(tallies: readonly ServiceTally[], folder: string): RunRecord["orders"] {
  const answered = tallies.find(({ service }) => service.name === "api")?.answered ?? [];
  return { answered, stored: storedOrders(join(folder, "behind-dormouse")) };
}

/** Writes each claim with its verdict and what was out of order; gives whether all hold. */
function tellClaims(
  claims: readonly Claim[],
  tallies: readonly ServiceTally[],
  write: (line: string) => void,
): boolean {
  for (const { text, holds } of claims) write(`${holds ? "yes" : "NO "}  ${text}`);
  for (const problem of tallies.flatMap(({ problems }) => problems).slice(0, 20)) write(`     ${problem}`);
  return claims.every(({ holds }) => holds);
}

async function stayUp(
  host: DormouseHost,
  services: readonly DemoService[],
  write: (line: string) => void,
  signal: AbortSignal,
): Promise<void> {
  write(`\nEverything stays up until Ctrl-C. Names below localhost work in browsers; with curl:`);
  for (const { name, sample } of services) {
    write(`  curl -i -H 'Host: ${name}.localhost' 'http://127.0.0.1:${host.ports.dlx}${sample}'`);
  }
  write(`  curl http://127.0.0.1:${host.ports.admin}/v1/resources      (configuration: ${host.configFile})`);
  await once(signal, "abort");
}

/** Ends the host and looks at every port that was in use. */
async function judgeEnd(host: DormouseHost, ports: readonly number[]): Promise<Claim> {
  const code = await host.end();
  const open = (await Promise.all(ports.map(async (port) => acceptsConnections(port)))).filter(Boolean).length;
  return {
    text: `dormouse ended with ${code} and left nothing running: ${open} ports open`,
    holds: code === 0 && open === 0,
  };
}
