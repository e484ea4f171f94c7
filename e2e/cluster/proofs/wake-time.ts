import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { percentile } from "../../../packages/cli/src/prove/percentile.ts";
import { plainTable } from "../../harness/plain-table.ts";
import { until } from "../../harness/until.ts";
import type { Proof, Scene } from "../proof.ts";
import type { ClusterStage } from "../stage/cluster-stage.ts";
import type { Demo } from "../stage/demo.ts";
import type { Tally } from "../tally.ts";

const count = { whole: 8, quick: 4 };

/** When this machine first saw a Pod, and saw it ready; by its own monotonic clock, in ms. */
interface PodTimes {
  readonly createdAt: number;
  readyAt: number | undefined;
}

/** Times of one start, in ms. */
type Phases = Readonly<Record<string, number>>;

/**
 * Each round wakes the demo once by a request and starts it once by a patch as `kubectl scale` sends it, without traffic
 * otherwise. The Pod's own times are taken from a watch, since the API gives them in whole seconds.
 */
export const wakeTime: Proof = {
  name: "wake-time",
  title: "a wake's phases beside the cluster's own start of a Pod",
  isAlone: true,
  plans: [{ policy: { "idle-after": "1h" } }, { policy: { enabled: "false" } }],
  run: async (scene) => {
    const [woken, scaled] = scene.demos as [Demo, Demo];
    const { tally } = scene;
    const { byRequest, byPatch } = await measure(scene, woken, scaled);
    tally.compare(await woken.ledger());
    for (const line of phaseTable(byRequest, byPatch)) tally.remark(line);
    tally.remark("a DLX asks a new Pod itself, so it may answer before the kubelet has called the Pod ready");
  },
};

async function measure(
  { stage, tally, isQuick }: Scene,
  woken: Demo,
  scaled: Demo,
): Promise<{ readonly byRequest: readonly Phases[]; readonly byPatch: readonly Phases[] }> {
  const byRequest: Phases[] = [];
  const byPatch: Phases[] = [];
  for (let round = 0; round < (isQuick ? count.quick : count.whole); round += 1) {
    await stage.hosts.sleep(woken.ref);
    await scaled.patch({ spec: { replicas: 0 } });
    await untilGone(woken);
    await untilGone(scaled);
    byRequest.push(await PodWatch.use(stage, woken, (watch) => wake(watch, woken, round, tally)));
    byPatch.push(await PodWatch.use(stage, scaled, (watch) => start(watch, scaled, round)));
    tally.countRound();
  }
  return { byRequest, byPatch };
}

async function wake(watch: PodWatch, demo: Demo, round: number, tally: Tally): Promise<Phases> {
  const begin = performance.now();
  const result = await demo.fromHost({ prefix: `wake-${String(round)}-`, count: 1, overMs: 0 });
  const end = performance.now();
  tally.add(result);
  const { createdAt, readyAt } = await watch.ready();
  return {
    "claim, by the DLX": durationOf(result.timings[0], "wake-claim"),
    "request → Pod created": createdAt - begin,
    "Pod created → Ready": readyAt - createdAt,
    "Ready → answer": end - readyAt,
    "request → answer": end - begin,
  };
}

async function start(watch: PodWatch, demo: Demo, round: number): Promise<Phases> {
  const begin = performance.now();
  await demo.patch({ spec: { replicas: 1 } });
  const { createdAt, readyAt } = await watch.ready();
  let tries = 0;
  await until("the first answer through the ClusterIP", async () => {
    const burst = { prefix: `start-${String(round)}-${String(tries++)}-`, count: 1, overMs: 0, limitMs: 150 };
    return (await demo.fromHost(burst)).failures.length === 0;
  });
  const end = performance.now();
  return {
    "request → Pod created": createdAt - begin,
    "Pod created → Ready": readyAt - createdAt,
    "Ready → answer": end - readyAt,
    "request → answer": end - begin,
  };
}

/** What kubectl sees of a demo's new Pods, at the time when it sees it. */
class PodWatch implements AsyncDisposable {
  readonly #pods = new Map<string, PodTimes>();
  readonly #known: ReadonlySet<string>;
  readonly #child;

  private constructor(stage: ClusterStage, demo: Demo, known: readonly string[]) {
    this.#known = new Set(known);
    const what = '{.metadata.name} {.status.conditions[?(@.type=="Ready")].status}{"\\n"}';
    const which = ["get", "pods", "--namespace", demo.name, "--selector", "app=web"];
    this.#child = spawn(stage.tools.kubectlPath, [...which, "--watch", "-o", `jsonpath=${what}`], {
      env: { KUBECONFIG: stage.cluster.kubeconfig, HOME: "/nonexistent" },
      stdio: ["ignore", "pipe", "ignore"],
    });
    createInterface({ input: this.#child.stdout }).on("line", (line) => this.#note(line));
  }

  static async use<Result>(
    stage: ClusterStage,
    demo: Demo,
    measure: (watch: PodWatch) => Promise<Result>,
  ): Promise<Result> {
    const names = (await demo.pods()).map(({ metadata }) => metadata.name);
    const watch = new PodWatch(stage, demo, names);
    // It lists before it watches; what is made meanwhile comes with the list, too late to be timed.
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    try {
      return await measure(watch);
    } finally {
      await watch[Symbol.asyncDispose]();
    }
  }

  async ready(): Promise<Readonly<Record<"createdAt" | "readyAt", number>>> {
    return until("the watch saw a ready Pod", () => {
      for (const { createdAt, readyAt } of this.#pods.values()) {
        if (readyAt !== undefined) return { createdAt, readyAt };
      }
      return undefined;
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = new Promise((resolve) => this.#child.once("exit", resolve));
    this.#child.kill();
    await ended;
  }

  #note(line: string): void {
    const [name = "", ready] = line.split(" ");
    if (name === "" || this.#known.has(name)) return;
    const now = performance.now();
    const times = this.#pods.get(name) ?? { createdAt: now, readyAt: undefined };
    if (ready === "True") times.readyAt ??= now;
    this.#pods.set(name, times);
  }
}

async function untilGone(demo: Demo): Promise<void> {
  await until(
    `the Pods of ${demo.ref} had gone`,
    async () => {
      const { status } = await demo.deployment();
      return (status.replicas ?? 0) === 0 && (await demo.allPods()).length === 0;
    },
    60_000,
  );
}

function durationOf(timing: string | undefined, phase: string): number {
  return Number(new RegExp(`${phase};dur=([0-9.]+)`).exec(timing ?? "")?.[1] ?? 0);
}

/** Phases as rows, with and without Dormouse beside each other, and what Dormouse adds to create → Ready. */
function phaseTable(byRequest: readonly Phases[], byPatch: readonly Phases[]): readonly string[] {
  const of = (all: readonly Phases[], phase: string, share: number): string => {
    const numbers = all.flatMap((phases) => phases[phase] ?? []);
    const found = percentile(numbers, share);
    return found === undefined ? "" : found.toFixed(0);
  };
  const rows = Object.keys(byRequest[0] ?? {}).map((phase) => [
    phase,
    of(byRequest, phase, 0.5),
    of(byRequest, phase, 0.95),
    of(byPatch, phase, 0.5),
    of(byPatch, phase, 0.95),
  ]);
  const added = byRequest.map((phases) => ({
    added: (phases["request → answer"] ?? 0) - (phases["Pod created → Ready"] ?? 0),
  }));
  rows.push(["added to created → Ready", of(added, "added", 0.5), of(added, "added", 0.95), "", ""]);
  const heads = ["phase, ms", "wake p50", "wake p95", "kubectl scale p50", "kubectl scale p95"];
  return plainTable(heads, rows, "right").split("\n");
}
