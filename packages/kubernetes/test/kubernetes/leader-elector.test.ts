import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { type LeaderElector, silentLogger, systemClock } from "@dormouse/core";
import { type TestNamespace, testNamespace } from "@dormouse/test-kubernetes";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { leaderElector } from "../../src/index.ts";
import { leaderElectorOptionsSchema } from "../../src/lease/leader-elector-options.ts";
import type { Lease } from "../../src/lease/lease-store.ts";
import { TcpGate } from "./tcp-gate.ts";

const times = { leaseDuration: "3s", renewDeadline: "2s", retryPeriod: "400ms" };
/** A lease that does not run out while a test waits. */
const longTimes = { leaseDuration: "30s", renewDeadline: "15s", retryPeriod: "400ms" };
const patience = { timeout: 20_000, interval: 20 };
/** Several processes that start at once on a busy machine. */
const slowPatience = { timeout: 50_000, interval: 20 };

let namespace: TestNamespace;
const opened: AsyncDisposable[] = [];

beforeEach(async () => {
  namespace = await testNamespace();
});

afterEach(async () => {
  for (const each of opened.splice(0).toReversed()) await each[Symbol.asyncDispose]();
});

function optionsFor(kubeconfig = namespace.kubeconfig): object {
  return { kubeconfig, namespace: namespace.name, name: "host", ...times };
}

/** An elector in this process that campaigns until its test ends. */
async function openElector(kubeconfig?: string, ownTimes: object = times): Promise<LeaderElector> {
  const options = leaderElectorOptionsSchema.parse({ ...optionsFor(kubeconfig), ...ownTimes });
  const elector = await leaderElector.create(options, { id: "test", clock: systemClock, logger: silentLogger });
  opened.push(elector);
  void elector.lead(new AbortController().signal);
  return elector;
}

/** An elector in a process of its own, which can be stopped, frozen and killed. */
class ElectorProcess implements AsyncDisposable {
  readonly said: string[] = [];
  readonly #child: ChildProcess;

  constructor() {
    const file = join(import.meta.dirname, "fixtures/elector.ts");
    const args = ["--conditions=@dormouse/source", file, JSON.stringify(optionsFor())];
    this.#child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
    if (this.#child.stdout !== null) createInterface(this.#child.stdout).on("line", (line) => this.said.push(line));
    opened.push(this);
  }

  get last(): string | undefined {
    return this.said.at(-1);
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGKILL");
    if (this.#child.exitCode === null && this.#child.signalCode === null)
      await new Promise((resolve) => this.#child.once("exit", resolve));
  }
}

async function readLease(): Promise<Lease["spec"]> {
  const path = `/apis/coordination.k8s.io/v1/namespaces/${namespace.name}/leases/host`;
  return (await namespace.api.get<Lease>(path)).spec;
}

async function startProcesses(count: number): Promise<readonly [leader: ElectorProcess, ...others: ElectorProcess[]]> {
  const all = Array.from({ length: count }, () => new ElectorProcess());
  await expect.poll(() => all.every(({ said }) => said.length > 0), slowPatience).toBe(true);
  await expect.poll(() => all.filter(({ last }) => last === "leads").length, patience).toBe(1);
  const leader = all.find(({ last }) => last === "leads");
  if (leader === undefined) throw new Error("nobody leads");
  return [leader, ...all.filter((each) => each !== leader)];
}

describe("the leader elector", () => {
  it("lets one of two lead, and the other at once when the first stops", async () => {
    const first = await openElector(undefined, longTimes);
    await expect.poll(() => first.isLeader(), patience).toBe(true);
    const second = await openElector(undefined, longTimes);
    const before = await readLease();
    expect(before).toMatchObject({ leaseDurationSeconds: 30, leaseTransitions: 0 });
    await expect.poll(async () => (await readLease())?.renewTime, patience).not.toBe(before?.renewTime);
    expect(second.isLeader()).toBe(false);
    await first[Symbol.asyncDispose]();
    expect(first.isLeader()).toBe(false);
    // Released, not run out: that would take longer than this waits.
    await expect.poll(() => second.isLeader(), patience).toBe(true);
    expect(await readLease()).toMatchObject({ leaseTransitions: 1 });
    await second[Symbol.asyncDispose]();
    expect((await readLease())?.holderIdentity ?? "").toBe("");
  });

  it("lets one of three lead, another one once it is killed, and never two", async () => {
    const [leader, ...others] = await startProcesses(3);
    leader.signal("SIGKILL");
    await expect.poll(() => others.filter(({ last }) => last === "leads").length, patience).toBe(1);
    const [next, spare] = others[0]?.last === "leads" ? others : [others[1], others[0]];
    next?.signal("SIGTERM");
    await expect.poll(() => next?.last, patience).toBe("released");
    await expect.poll(() => spare?.last, patience).toBe("leads");
    expect(others.flatMap(({ said }) => said).filter((line) => line === "leads")).toHaveLength(2);
    expect(await readLease()).toMatchObject({ leaseTransitions: 2 });
  }, 120_000);

  it("lets a frozen leader find that it leads no more when it goes on", async () => {
    const [leader, other] = await startProcesses(2);
    leader.signal("SIGSTOP");
    await expect.poll(() => other?.last, patience).toBe("leads");
    leader.signal("SIGCONT");
    await expect.poll(() => leader.last, patience).toBe("follows");
    // Longer than it would take to win.
    await new Promise((resolve) => setTimeout(resolve, 4_000));
    expect([leader.last, other?.last]).toEqual(["follows", "leads"]);
  }, 120_000);

  it.each(["shut", "silence"] as const)(
    "gives up where the way to the server is %s, and another takes over",
    async (how) => {
      const gate = await TcpGate.open(namespace.kubeconfig);
      opened.push(gate);
      const first = await openElector(gate.kubeconfig);
      await expect.poll(() => first.isLeader(), patience).toBe(true);
      const second = await openElector();
      const startedAt = performance.now();
      gate[how]();
      let both = 0;
      await expect
        .poll(() => {
          if (first.isLeader() && second.isLeader()) both += 1;
          return second.isLeader();
        }, patience)
        .toBe(true);
      expect(both).toBe(0);
      expect(performance.now() - startedAt).toBeGreaterThan(2_000);
      gate.reopen();
      await second[Symbol.asyncDispose]();
      await expect.poll(() => first.isLeader(), patience).toBe(true);
    },
  );

  it("stops at once where the server is away, and leads again where it comes back to nobody else", async () => {
    const gate = await TcpGate.open(namespace.kubeconfig);
    opened.push(gate);
    const elector = await openElector(gate.kubeconfig);
    await expect.poll(() => elector.isLeader(), patience).toBe(true);
    gate.shut();
    await expect.poll(() => elector.isLeader(), patience).toBe(false);
    gate.reopen();
    await expect.poll(() => elector.isLeader(), patience).toBe(true);
    expect(await readLease()).toMatchObject({ leaseTransitions: 0 });
    gate.shut();
    const startedAt = performance.now();
    await elector[Symbol.asyncDispose]();
    // Twice the lease's time: a machine may be slow, but it does not wait for the server.
    expect(performance.now() - startedAt).toBeLessThan(6_000);
  });
});
