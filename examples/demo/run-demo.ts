import { once } from "node:events";
import { join } from "node:path";
import pLimit from "p-limit";
import { acceptsConnections } from "./accepts-connections.ts";
import { chatServer } from "./chat-server.ts";
import { finalTable, legend, liveTable } from "./demo-tables.ts";
import type { DemoService } from "./demo-service.ts";
import { measureDirectRun } from "./direct-start.ts";
import { DormouseHost } from "./dormouse-host.ts";
import { flowServer } from "./flow-server.ts";
import { freePort } from "./free-port.ts";
import { type Claim, judgeRun, type RunRecord } from "./judge-run.ts";
import { liveReporter } from "./live-reporter.ts";
import { clearOrders, orderApi, storedOrders } from "./order-api.ts";
import { plainReporter } from "./plain-reporter.ts";
import type { Reporter } from "./reporter.ts";
import { ResourceWatch } from "./resource-watch.ts";
import { holdOpen, runRounds, type Stage } from "./service-rounds.ts";
import { ServiceTally } from "./service-tally.ts";
import { staticSite } from "./static-site.ts";

const rounds = 4;
const directRuns = 3;
/** Three times the demo's idleAfter. */
const openMs = 3_000;

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
  const ports = await Promise.all(Array.from({ length: 6 }, freePort));
  const { services, ordersFile } = prepareServices(folder, ports.slice(2));
  const tallies = services.map((service) => new ServiceTally(service));
  write("Four servers from npm, unchanged: first each by itself, then all behind Dormouse.\n");
  const reporter = plainReporter(write);
  await measureDirect(tallies, reporter, signal);
  clearOrders(ordersFile);
  const host = await DormouseHost.start(folder, { dlx: ports[0] ?? 0, admin: ports[1] ?? 0 }, services, signal);
  try {
    reporter.tell(`dormouse up listens on 127.0.0.1:${host.ports.dlx}; all services sleep`);
    const watch = new ResourceWatch(host);
    const statesWhileOpen = await playTraffic(tallies, { host, watch, reporter, ...options });
    write(`\n${finalTable(tallies, watch)}\n${legend}\n`);
    const claims = judgeRun({ tallies, rounds, orders: ordersOf(tallies, ordersFile), statesWhileOpen });
    const isGood = tellClaims(claims, tallies, write);
    if (options.keep) await stayUp(host, services, write, signal);
    const endsWell = tellClaims([await judgeEnd(host, [...ports])], [], write);
    if (!isGood || !endsWell) write(`\nThe last that dormouse logged:\n${host.output}`);
    return isGood && endsWell ? 0 : 1;
  } finally {
    await host.end();
  }
}

function prepareServices(folder: string, [site = 0, api = 0, chat = 0, flows = 0]: readonly number[]) {
  const ordersFile = join(folder, "orders.json");
  const services: readonly DemoService[] = [
    staticSite(join(folder, "site"), site),
    orderApi(ordersFile, api),
    chatServer(chat),
    flowServer(join(folder, "flows"), flows),
  ];
  return { services, ordersFile };
}

async function measureDirect(tallies: readonly ServiceTally[], reporter: Reporter, signal: AbortSignal): Promise<void> {
  for (const { service, direct } of tallies) {
    for (let run = 1; run <= directRuns; run++) direct.push(await measureDirectRun(service, `direct-${run}`, signal));
    const starts = direct.map(({ firstAnswerMs }) => firstAnswerMs.toFixed(0)).join(", ");
    reporter.tell(`${service.name}: ${service.title} by itself answers ${starts} ms after its start`);
  }
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

function ordersOf(tallies: readonly ServiceTally[], ordersFile: string): RunRecord["orders"] {
  const answered = tallies.find(({ service }) => service.name === "api")?.answered ?? [];
  return { answered, stored: storedOrders(ordersFile) };
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
