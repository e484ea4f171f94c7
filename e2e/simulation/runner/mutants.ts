/** A change to one file, as its text: what stands there, and what would stand there instead. */
interface Edit {
  /** From the root of the repository. */
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

/** Our own code with one hole of the protocol's earlier forms put back. Exists in memory alone, in the thread that runs it. */
export interface Mutant {
  /** As docs/protocol.md numbers it. */
  readonly hole: string;
  readonly title: string;
  readonly edits: readonly Edit[];
}

const resourceGate = "packages/dlx/src/gate/resource-gate.ts";
const gateKeeper = "packages/dlx/src/gate/gate-keeper.ts";
const sleepResource = "packages/autoscaler/src/sleep-resource.ts";
const simulatedResource = "e2e/simulation/platform/simulated-resource.ts";
const simulatedPlatform = "e2e/simulation/platform/simulated-platform.ts";

/** A fence that leaves the targets where they are, so that a licence without a claim could use them. */
const fenceKeepsTargets = (then: string): Edit => ({
  file: resourceGate,
  find: `    this.book.fence();
    this.#unlicensed();
    this.#level("a request is held after a fence");`,
  replace: `    const had = this.book.licensed;
    this.book.fence();
    if (!had) this.#unlicensed();
    ${then}
    this.#level("a request is held after a fence");`,
});

const licenceAgain =
  "if (!this.#closed && this.#targets.size > 0) { this.book.grant(this.book.fences); this.#release(); }";

/**
 * Each hole that an earlier form of the protocol had. Where the contract lays the mend on a plugin, the plugin of the
 * simulation has the hole.
 */
export const mutants: readonly Mutant[] = [
  {
    hole: "H1",
    title: "a fence ends by itself after a while",
    edits: [fenceKeepsTargets(`if (had) this.#ports.clock.setTimer(2_000, () => { ${licenceAgain} });`)],
  },
  {
    hole: "H1b",
    title: "a claim on an awake resource writes nothing",
    edits: [
      {
        file: "packages/dlx/src/gate/claim.ts",
        find: "  const condition =",
        replace:
          "  if (resource.desired >= 1) return { version: resource.version, from: resource.desired, to };\n  const condition =",
      },
    ],
  },
  {
    hole: "H2",
    title: "the version of the stop is read after the fence",
    edits: [
      {
        file: sleepResource,
        find: "  await setScale(attempt, marked, 0);",
        replace: "  await setScale(attempt, await readFresh(attempt), 0);",
      },
    ],
  },
  {
    hole: "H3",
    title: "the stop is sent without its version",
    edits: [
      {
        file: sleepResource,
        find: "...(compareAndSet && { ifVersion: resource.version })",
        replace: "...(compareAndSet && replicas > 0 && { ifVersion: resource.version })",
      },
    ],
  },
  {
    hole: "H3b",
    title: "without compare-and-set there is no mutex",
    edits: [
      {
        file: "packages/autoscaler/src/with-sleep-gate.ts",
        find: "  if (scaler.capabilities.compareAndSet) return act(undefined);",
        replace: "  if (scaler !== undefined) return act(undefined);",
      },
    ],
  },
  {
    hole: "H4",
    title: "targets include instances that an accepted stop will end",
    edits: [
      {
        file: simulatedResource,
        find: "      .filter((instance) => instance.isServing && this.#stays(instance))",
        replace: '      .filter((instance) => instance.state !== "gone")',
      },
    ],
  },
  {
    hole: "H5",
    title: "a sleep that is kept lifts its fences",
    edits: [
      fenceKeepsTargets(""),
      {
        file: resourceGate,
        find: "  /** Ends the wake and refuses all that is held. */",
        replace: `  lift(): void { ${licenceAgain} }\n`,
      },
      {
        file: gateKeeper,
        find: "    const users = this.#usersOf(key);",
        replace: `    const users = this.#usersOf(key);
    if (attempt === "lift") {
      gate?.lift();
      return { process: this.process, attempt, inFlight: 0, held: 0 };
    }`,
      },
      {
        file: sleepResource,
        find: '    await steps.run("stop", () => stop(attempt, marked, pass));',
        replace: `    try {
      await steps.run("stop", () => stop(attempt, marked, pass));
    } catch (error) {
      for (const peer of peers) void peer.fence(entry.ref, "lift").catch(() => {});
      throw error;
    }`,
      },
    ],
  },
  {
    hole: "H6",
    title: "a claim that was sent before a fence counts after it",
    edits: [
      {
        file: "packages/dlx/src/gate/book.ts",
        find: "    if (this.#fences !== fencesWhenSent) return false;",
        replace: "    if (fencesWhenSent < 0) return false;",
      },
      {
        file: "packages/dlx/src/gate/wake.ts",
        find: "    if (book.fences !== fences) continue;",
        replace: "",
      },
      {
        file: "packages/dlx/src/gate/wake.ts",
        find: "const isFenced = (): boolean => book.fences !== fences;",
        replace: "const isFenced = (): boolean => false;",
      },
    ],
  },
  {
    hole: "H7",
    title: "the DLXs are listed before the resource is read",
    edits: [
      {
        file: sleepResource,
        find: '  const resource = await steps.run("read", () => read(attempt));',
        replace: `  const peers = await list(attempt);
  const resource = await steps.run("read", () => read(attempt));`,
      },
      { file: sleepResource, find: '    const peers = await steps.run("list", () => list(attempt));\n', replace: "" },
    ],
  },
  {
    hole: "H7b",
    title: "a DLX works before it is listed",
    edits: [
      {
        file: gateKeeper,
        find: "for (let attempt = 0; !this.#isListed && peers !== undefined; attempt += 1) {",
        replace: "for (let attempt = 0; attempt < 0 && peers !== undefined; attempt += 1) {",
      },
    ],
  },
  {
    hole: "H7c",
    title: "a DLX that drains leaves the list",
    edits: [
      {
        file: "e2e/simulation/world/perform.ts",
        find: "      await dlx.drain(drainLimitMs);",
        replace: "      world.unlist(dlx, false);\n      await dlx.drain(drainLimitMs);",
      },
    ],
  },
  {
    hole: "H8",
    title: "an older version may route",
    edits: [{ file: simulatedResource, find: "    if (version < this.#route.version) return false;", replace: "" }],
  },
  {
    hole: "H9",
    title: "traffic is restored before the instances are ready",
    edits: [
      {
        file: "packages/dlx/src/gate/restore-traffic.ts",
        find: "      if (resource.ready >= resource.desired) {",
        replace: "      if (resource.ready >= 0) {",
      },
    ],
  },
  {
    hole: "H9b",
    title: "traffic is restored while an instance in it is about to end",
    edits: [
      { file: simulatedPlatform, find: '    if (to === "resource") resource.assertTrafficSettled();', replace: "" },
      {
        file: simulatedResource,
        find: 'one.state === "ready" && this.#stays(one)',
        replace: "one.isInTraffic",
      },
    ],
  },
  {
    hole: "H10",
    title: "a drain ends before its divert has reached everybody",
    edits: [
      {
        file: "packages/autoscaler/src/drain-resource.ts",
        find: "  return Math.max(context.config.quietPeriod, entry.scaler.capabilities.settleWithinMs);",
        replace: "  return 0 * context.config.quietPeriod * entry.scaler.capabilities.settleWithinMs;",
      },
    ],
  },
  {
    hole: "H10b",
    title: "a drain believes numbers from before its divert has reached everybody",
    edits: [
      {
        file: "packages/autoscaler/src/decide-drain.ts",
        find: "rule.ageMs <= elapsedMs - quietMs",
        replace: "rule.ageMs <= elapsedMs",
      },
    ],
  },
  {
    hole: "H11",
    title: "nobody mends routes",
    edits: [
      {
        file: "packages/autoscaler/src/running-autoscaler.ts",
        find: "    if (!entry.scaler.capabilities.routing) return false;",
        replace: "    if (!entry.scaler.capabilities.routing || hasDlx) return false;",
      },
    ],
  },
  {
    hole: "H12",
    title: "targets come from the platform's own traffic, which a divert empties",
    edits: [
      {
        file: simulatedResource,
        find: "  targets(): readonly Target[] {",
        replace: '  targets(): readonly Target[] {\n    if (this.#route.to === "dlx") return [];',
      },
    ],
  },
  {
    hole: "H13",
    title: "a POST is sent again after its head was written",
    edits: [
      {
        file: "packages/dlx/src/exchange/replay-rule.ts",
        find: "  if (!idempotent.has(attempts.method) || !attempts.isBodyKept",
        replace: "  if (idempotent.size === 0 || !attempts.isBodyKept",
      },
    ],
  },
  {
    hole: "D1",
    title: "a fence does not ask who depends on the resource",
    edits: [{ file: gateKeeper, find: "    const users = this.#usersOf(key);", replace: "    const users = 0;" }],
  },
  {
    hole: "C1",
    title: "a claim asks for one replica, whatever there is",
    edits: [
      {
        file: "packages/dlx/src/gate/claim.ts",
        find: "  const to = resource.desired >= 1 ? resource.desired : Math.max(1, resource.wakeReplicas);",
        replace: "  const to = 1;",
      },
    ],
  },
  {
    hole: "C2",
    title: "a mark stores no count to come back to",
    edits: [
      {
        file: "packages/autoscaler/src/sleep-resource.ts",
        find: "    const { version } = await setScale(attempt, resource, resource.desired);",
        replace: "    const { version } = await setScale(attempt, resource, resource.wakeReplicas);",
      },
    ],
  },
  {
    hole: "E1",
    title: "a fence starts no wake for those that are held",
    edits: [{ file: resourceGate, find: '    this.#level("a request is held after a fence");', replace: "" }],
  },
  {
    hole: "K1",
    title: "DLXs leave a Service before its own instances are in its traffic",
    edits: [
      {
        file: "e2e/simulation/platform/service-traffic.ts",
        find: "    while (!this.#isInPlace()) {",
        replace: "    while (!this.#isInPlace() && version < 0) {",
      },
    ],
  },
  {
    hole: "K2",
    title: "instances stay in a Service's traffic while they are diverted",
    edits: [
      {
        file: "e2e/simulation/platform/service-traffic.ts",
        find: "this.#endpoints = this.#service.hasKey ? [] : instances()",
        replace: "this.#endpoints = instances()",
      },
    ],
  },
  {
    hole: "S1",
    title: "a late answer hides what a watch has told",
    edits: [
      {
        file: "packages/core/src/resource-catalog.ts",
        find: "this.#told.get(key) === told && ",
        replace: "",
      },
    ],
  },
];
