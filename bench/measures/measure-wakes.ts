import { fileURLToPath } from "node:url";
import { request } from "undici";
import { acceptsConnections } from "../host/accepts-connections.ts";
import type { BenchContext } from "../host/bench-context.ts";
import { DormouseHost } from "../host/dormouse-host.ts";
import { freePort } from "../host/free-port.ts";
import { until } from "../host/until.ts";
import { median, percentile } from "./statistics.ts";

const service = fileURLToPath(new URL("../children/timed-service.mjs", import.meta.url));
const host = "timed.localhost";

/** Time between two dials of a start without Dormouse, in ms. */
const redialMs = 1;

/** What is left of a cold request's time once the service's own is taken off, over all wakes, in ms. */
export interface WakeFigures {
  /** Whole time of a cold request. */
  readonly wholeP50: number;
  /** Counted from the moment the service listened: every delay in noticing it is Dormouse's. */
  readonly addedP50: number;
  readonly addedP95: number;
  /** Counted from the first connection that the service accepted. */
  readonly beyondFirstConnectionP50: number;
  readonly beyondFirstConnectionP95: number;
  /** The same as `added` for starts by hand with a dial every millisecond: what the method itself shows of nothing. */
  readonly zeroP50: number;
  readonly zeroP95: number;
}

/** One start as the service and the caller saw it, in ms. */
interface Start {
  /** From the caller's first act to the answer. */
  readonly wholeMs: number;
  /** From the caller's first act to the service's first instruction. */
  readonly toBeginMs: number;
  readonly beginToListenMs: number;
  readonly listenToFirstConnectionMs: number;
  /** From the service's accepting the request's connection to its answering. */
  readonly handledMs: number;
}

/** Wakes a service many times through Dormouse, and starts it as often by hand in between. */
export async function measureWakes(context: BenchContext): Promise<WakeFigures> {
  const port = await freePort();
  const resources = [{ name: "timed", command: [process.execPath, service], port, policy: { hosts: [host] } }];
  const dormouse = await DormouseHost.start(context, { resources, defaults: { minAwake: 0 } });
  const [woken, byHand]: [Start[], Start[]] = [[], []];
  for (let wake = 0; wake < context.sizes.wakes; wake++) {
    if (wake % 10 === 0) context.tell(`wakes: ${wake} of ${context.sizes.wakes}`);
    byHand.push(await startByHand(context, port));
    woken.push(await ask(dormouse.origin, process.hrtime.bigint()));
    await dormouse.sleep("timed");
    await until("the process is gone", async () => !(await acceptsConnections(port)));
  }
  await dormouse[Symbol.asyncDispose]();
  return toFigures(woken, byHand);
}

async function startByHand(context: BenchContext, port: number): Promise<Start> {
  const startedAt = process.hrtime.bigint();
  const program = context.start([process.execPath, service], { env: { PORT: String(port) } });
  await until("the service listens", async () => acceptsConnections(port), redialMs);
  const start = await ask(`http://127.0.0.1:${port}`, startedAt);
  await program.end();
  return start;
}

async function ask(origin: string, startedAt: bigint): Promise<Start> {
  const { statusCode, body } = await request(origin, { headers: { host } });
  const text = await body.text();
  const answeredAt = process.hrtime.bigint();
  if (statusCode !== 200) throw new Error(`a wake was answered ${statusCode}: ${text}`);
  const told = JSON.parse(text) as Record<"beganAt" | "listenedAt" | "connectedAt" | "handledNs", string>;
  const [beganAt, listenedAt, connectedAt] = [BigInt(told.beganAt), BigInt(told.listenedAt), BigInt(told.connectedAt)];
  return {
    wholeMs: toMs(answeredAt - startedAt),
    toBeginMs: toMs(beganAt - startedAt),
    beginToListenMs: toMs(listenedAt - beganAt),
    listenToFirstConnectionMs: toMs(connectedAt - listenedAt),
    handledMs: toMs(BigInt(told.handledNs)),
  };
}

function toFigures(woken: readonly Start[], byHand: readonly Start[]): WakeFigures {
  // What the system itself takes from spawn to a program's first instruction is the service's own.
  const loadMs = median(byHand.map(({ toBeginMs }) => toBeginMs));
  const added = woken.map((start) => addedMs(start, loadMs));
  const beyond = woken.map((start) => addedMs(start, loadMs) - start.listenToFirstConnectionMs);
  const zero = byHand.map((start) => addedMs(start, loadMs));
  return {
    wholeP50: percentile(
      woken.map(({ wholeMs }) => wholeMs),
      0.5,
    ),
    addedP50: percentile(added, 0.5),
    addedP95: percentile(added, 0.95),
    beyondFirstConnectionP50: percentile(beyond, 0.5),
    beyondFirstConnectionP95: percentile(beyond, 0.95),
    zeroP50: percentile(zero, 0.5),
    zeroP95: percentile(zero, 0.95),
  };
}

function addedMs({ wholeMs, beginToListenMs, handledMs }: Start, loadMs: number): number {
  return wholeMs - loadMs - beginToListenMs - handledMs;
}

function toMs(ns: bigint): number {
  return Number(ns) / 1e6;
}
