import { createServer, type IncomingMessage, type RequestListener, type Server } from "node:http";
import { type AddressInfo, createServer as createTcpServer, type Server as TcpServer, type Socket } from "node:net";
import {
  type Clock,
  configSchema,
  defaultPolicy,
  type DlxConfig,
  type Logger,
  type Policy,
  type Route,
  silentLogger,
  systemClock,
} from "@dormouse/core";
import { freePort } from "@dormouse/core/testing";
import { onTestFinished } from "vitest";
import { type Front, openFront } from "../src/exchange/open-front.ts";
import type { ReachedTarget } from "../src/gate/passage.ts";
import { FakeGate } from "./fake-gate.ts";

interface Recorded {
  readonly key: string;
  readonly status: number;
  readonly cold: boolean;
}

export interface TestFront {
  readonly front: Front;
  readonly gate: FakeGate;
  readonly port: number;
  readonly url: string;
  readonly records: Recorded[];
  readonly config: DlxConfig;
  policy: Policy;
  isStarting: boolean;
  isDirect: boolean;
}

export interface TestFrontOptions {
  readonly config?: Partial<DlxConfig>;
  readonly policy?: Partial<Policy>;
  readonly clock?: Clock;
  readonly logger?: Logger;
  readonly targets?: readonly ReachedTarget[];
  readonly routes?: readonly Route[];
}

export const appRef = { scaler: "local", namespace: "default", name: "app" };
export const appRoute: Route = { ref: appRef, origin: "test" };

export function testConfig(config: Partial<DlxConfig> = {}): DlxConfig {
  const { dlx } = configSchema.parse({ scalers: [{ use: "process" }], dlx: { listen: "127.0.0.1:0" } });
  return { ...dlx, ...config };
}

/** A front whose one resource, `local/default/app`, has a gate that the test works by hand; awake where it has targets. */
export async function openTestFront(options: TestFrontOptions = {}): Promise<TestFront> {
  const gate = new FakeGate();
  if (options.targets !== undefined) gate.wake(...options.targets);
  const records: Recorded[] = [];
  const config = testConfig(options.config);
  const state = {
    gate,
    records,
    config,
    policy: { ...defaultPolicy, ...options.policy },
    isStarting: false,
    isDirect: false,
  };
  const front = await openFront({
    clock: options.clock ?? systemClock,
    logger: options.logger ?? silentLogger,
    config,
    gateOf: (key) => (key === gate.key ? gate : undefined),
    policyOf: () => state.policy,
    starting: () => state.isStarting,
    direct: () => state.isDirect,
    recorder: { record: (key, status, _durationMs, cold) => void records.push({ key, status, cold }) },
  });
  onTestFinished(() => front[Symbol.asyncDispose]());
  await front.setRoutes(options.routes ?? [appRoute]);
  const port = Number(front.addresses[0]?.listen.split(":").at(-1));
  return Object.assign(state, { front, port, url: `http://127.0.0.1:${port}` });
}

export interface TestTarget extends ReachedTarget {
  readonly server: Server | TcpServer;
  /** Open connections. */
  readonly sockets: ReadonlySet<Socket>;
  /** Connections so far. */
  readonly connections: () => number;
}

let ids = 0;

function listen(server: Server | TcpServer): Promise<TestTarget> {
  const sockets = new Set<Socket>();
  let connections = 0;
  server.on("connection", (socket: Socket) => {
    connections += 1;
    sockets.add(socket);
    socket.on("error", () => {});
    socket.once("close", () => sockets.delete(socket));
  });
  onTestFinished(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo;
      ids += 1;
      resolve({ id: `target-${ids}`, address: "127.0.0.1", port, server, sockets, connections: () => connections });
    });
  });
}

/** A real HTTP server as a target. */
export function openTarget(listener: RequestListener): Promise<TestTarget> {
  return listen(createServer({ keepAliveTimeout: 60_000, maxHeaderSize: 262_144 }, listener));
}

/** A target that the test speaks for, byte by byte. */
export function openRawTarget(onConnection: (socket: Socket) => void): Promise<TestTarget> {
  return listen(createTcpServer(onConnection));
}

/** A target that hands its connections to the test. */
export async function openSilentTarget(): Promise<{
  target: TestTarget;
  connections: { socket: Socket; text: string }[];
}> {
  const connections: { socket: Socket; text: string }[] = [];
  const target = await openRawTarget((socket) => {
    const connection = { socket, text: "" };
    connections.push(connection);
    socket.on("data", (chunk: Buffer) => (connection.text += chunk.toString("latin1")));
  });
  return { target, connections };
}

/** A target whose port nobody listens on. */
export async function openDeadTarget(): Promise<ReachedTarget> {
  ids += 1;
  return { id: `target-${ids}`, address: "127.0.0.1", port: await freePort() };
}

/** The names and values of a request's head as lines, in order. */
export function headerLines({ rawHeaders }: IncomingMessage): string[] {
  return rawHeaders.flatMap((name, index) => (index % 2 === 0 ? [`${name}: ${rawHeaders[index + 1]}`] : []));
}
