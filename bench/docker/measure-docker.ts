import { connect } from "node:net";
import { fileURLToPath } from "node:url";
import { openTestProject, type TestProject } from "@dormouse/test-docker";
import { request } from "undici";
import type { BenchContext } from "../host/bench-context.ts";
import { DormouseHost } from "../host/dormouse-host.ts";

const plugin = fileURLToPath(new URL("../../packages/scaler-docker/dist/index.js", import.meta.url));

/** Time between two dials of a start without Dormouse, in ms. */
const redialMs = 1;

/** One start by hand, in ms. */
interface StartAlone {
  /** `docker start`: from the call to its answer. */
  readonly startMs: number;
  /** From that answer to the first connection that is accepted. */
  readonly listenMs: number;
  /** From the call to the first byte of an answer. */
  readonly wholeMs: number;
}

/** One wake by a request, in ms. */
interface DockerWake {
  /** What the answer's `Server-Timing` says, in its order. */
  readonly phases: Readonly<Record<string, number>>;
  /** From the request to the first byte of its answer. */
  readonly wholeMs: number;
}

/** Starts and wakes in turn, one of each in every round. */
export interface DockerFigures {
  readonly alone: readonly StartAlone[];
  readonly woken: readonly DockerWake[];
}

/** Wakes one container through Dormouse, and starts a like one by hand in between. */
export async function measureDocker(context: BenchContext, socket: string, rounds: number): Promise<DockerFigures> {
  const project = await openTestProject(socket);
  try {
    return await measureIn(project, context, socket, rounds);
  } finally {
    await project[Symbol.asyncDispose]();
  }
}

async function measureIn(
  project: TestProject,
  context: BenchContext,
  socket: string,
  rounds: number,
): Promise<DockerFigures> {
  const host = "web.localhost";
  // Neither has a health check: readiness is the first connection, for both.
  const body = { Healthcheck: { Test: ["NONE"] } };
  await project.create(`${project.name}-woken`, { service: "woken", body, labels: { "dormouse.dev/hosts": host } });
  const alone = await project.create(`${project.name}-alone`, { labels: { "dormouse.dev/enabled": "false" }, body });
  const scaler = { use: plugin, namespace: project.name, options: { endpoint: `unix://${socket}`, longestStop: "1s" } };
  const dormouse = await DormouseHost.start(context, { scaler, defaults: { minAwake: 0 } });
  const figures: { readonly alone: StartAlone[]; readonly woken: DockerWake[] } = { alone: [], woken: [] };
  // One of each to warm up: programs, files and connections.
  for (let round = -1; round < rounds; round += 1) {
    if (round % 10 === 0) context.tell(`rounds: ${String(round)} of ${String(rounds)}`);
    const start = await startAlone(project, alone);
    await project.docker.getContainer(alone).stop({ t: 1 });
    const wake = await wakeOnce(dormouse.origin, host);
    await dormouse.sleep("woken");
    if (round < 0) continue;
    figures.alone.push(start);
    figures.woken.push(wake);
  }
  await dormouse[Symbol.asyncDispose]();
  return figures;
}

async function startAlone(project: TestProject, id: string): Promise<StartAlone> {
  const begun = performance.now();
  await project.docker.getContainer(id).start();
  const started = performance.now();
  const { NetworkSettings } = await project.inspect(id);
  const address = NetworkSettings.Networks[project.name]?.IPAddress ?? "";
  while (!(await accepts(address))) await new Promise((resolve) => setTimeout(resolve, redialMs));
  const listening = performance.now();
  await answerOf(`http://${address}:8080/`, "alone");
  return { startMs: started - begun, listenMs: listening - started, wholeMs: performance.now() - begun };
}

async function wakeOnce(origin: string, host: string): Promise<DockerWake> {
  const begun = performance.now();
  const timing = await answerOf(origin, host);
  return { phases: readPhases(timing), wholeMs: performance.now() - begun };
}

/** Resolves at the first byte. @returns the `Server-Timing` of the answer */
async function answerOf(origin: string, host: string): Promise<string> {
  const { statusCode, headers, body } = await request(origin, { headers: { host } });
  for await (const _chunk of body) break;
  if (statusCode !== 200) throw new Error(`${origin} answered ${String(statusCode)}`);
  return String(headers["server-timing"] ?? "");
}

function readPhases(timing: string): Record<string, number> {
  const phases = [...timing.matchAll(/([\w-]+);dur=([\d.]+)/g)];
  return Object.fromEntries(phases.map(([, name = "", ms]) => [name, Number(ms)]));
}

async function accepts(host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(8_080, host);
    const end = (isAccepted: boolean): void => {
      socket.destroy();
      resolve(isAccepted);
    };
    socket.once("connect", () => end(true));
    socket.once("error", () => end(false));
  });
}
