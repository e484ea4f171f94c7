import { type SleepStep, sleepSteps } from "@dormouse/autoscaler";
import type { Capabilities, PartialPolicy } from "@dormouse/core";
import { SeededRandom } from "../../harness/seeded-random.ts";
import type { Climate, SlowSpell } from "../engine/weather.ts";
import type { WakeMoment } from "../parts/dlx-process.ts";
import type { RequestPlan } from "../world/request-ledger.ts";
import type { Act, Cue, Deed, DeedKind } from "./act.ts";
import { type Happenings, recipes } from "./recipes.ts";
import type { Scenario, ScenarioResource } from "./scenario.ts";

/** Moments of a wake that a DLX's messages tell. */
export const wakeMoments = [
  "listed",
  "dependencies",
  "claim",
  "start",
  "release",
  "restore",
] as const satisfies readonly WakeMoment[];

/** Draws a scenario: which platform, which hosts, what weather, and which acts. Half of the acts wait for a moment of the protocol. */
export function drawScenario(seed: number): Scenario {
  const random = new SeededRandom(seed, "scenario");
  const hosts = random.chance(0.35) ? "one" : "many";
  const drawn = drawCapabilities(random, hosts);
  const plain = drawResources(random, drawn);
  // By chance of its own: the other runs stay what they are.
  const chance = new SeededRandom(seed, "service");
  const isService = hosts === "many" && drawn.routing && chance.chance(0.5);
  const capabilities = isService ? { ...drawn, watch: true } : drawn;
  const resources = isService ? plain.map((resource) => toServed(resource, chance)) : plain;
  const lastsMs = random.between(12_000, 35_000);
  const world = { hosts, capabilities, resources, lastsMs } as const;
  // Some runs are about one or two narrow windows and nothing else: what happens besides would close them.
  const isNarrow = random.chance(0.25);
  const { acts, spells } = isNarrow ? drawNarrow(random, world) : drawHappenings(random, world);
  const others = isService ? drawServiceActs(chance, world) : [];
  return {
    ...world,
    acts: [...acts, ...others],
    spells,
    isService,
    seed,
    dlxs: hosts === "one" ? 1 : random.integer(1, 3),
    autoscalers: hosts === "one" ? 1 : random.integer(1, 2),
    allLead: random.chance(0.35),
    climate: drawClimate(random, isNarrow || random.chance(0.2)),
    slowStarts: random.pick([0, 0.05, 0.3]),
    propagationMs: random.pick([0, 300, 800, 800]),
    isBodyKept: random.chance(0.7),
  };
}

function drawCapabilities(random: SeededRandom, hosts: Scenario["hosts"]): Capabilities {
  const routing = random.chance(hosts === "one" ? 0.3 : 0.6);
  return {
    replicas: "many",
    watch: random.chance(0.6),
    routing,
    compareAndSet: hosts === "many" || random.chance(0.4),
    settleWithinMs: 800,
  };
}

function drawClimate(random: SeededRandom, isFair: boolean): Climate {
  return {
    late: isFair ? 0.002 : random.between(0, 0.05),
    lost: isFair ? 0 : random.between(0, 0.03),
    repeated: isFair ? 0 : random.between(0, 0.03),
    latestMs: random.pick([500, 4_000, 20_000]),
  };
}

const slowTexts = ["setScale", "get", "targets", "route", "fence", "activity", "list DLXs", "metrics", "dial", "list"];

/** A time in which the platform, or the way to a DLX, is slow: the windows of the protocol stand open for long then. */
function drawSpell(random: SeededRandom, from: number, lastsMs: number): SlowSpell {
  return {
    text: random.pick(slowTexts),
    who: random.pick(["", "dlx-", "autoscaler-"]),
    from,
    until: from + lastsMs,
    ms: random.pick([100, 800, 3_000]),
  };
}

function drawResources(random: SeededRandom, { routing }: Capabilities): readonly ScenarioResource[] {
  const policy: PartialPolicy = {
    enabled: true,
    idleAfter: random.pick([1_000, 2_500]),
    minAwake: random.pick([0, 1_000]),
    holdTimeout: random.pick([6_000, 15_000]),
    wakeTimeout: 12_000,
    drainTimeout: 6_000,
    maxHeld: random.pick([3, 1_000]),
    releaseConcurrency: random.pick([1, 50]),
    maxConcurrency: random.pick([0, 0, 2]),
    ...drawRouting(random, routing),
  };
  const web = { name: "web", desired: random.integer(0, 2), policy };
  if (random.chance(0.6)) return [web];
  const user: PartialPolicy = { ...policy, dependsOn: ["db"] };
  const db = { name: "db", desired: random.integer(0, 1), policy };
  const first = { ...web, policy: user };
  return random.chance(0.5) ? [first, db] : [first, db, { name: "api", desired: 0, policy: user }];
}

function drawRouting(random: SeededRandom, routes: boolean): PartialPolicy {
  const rule = { metric: "open_requests", window: 3_000, threshold: 0, source: "metrics" };
  if (!routes) return random.chance(0.2) ? { idleRules: [rule] } : {};
  return random.chance(0.7) ? { routing: "auto", idleRules: [rule] } : { routing: "always" };
}

/** Kubernetes knows a third policy: direct whatever sees it. */
function toServed(resource: ScenarioResource, random: SeededRandom): ScenarioResource {
  const { policy } = resource;
  if (policy.routing !== "auto" || random.chance(0.5)) return resource;
  return { ...resource, policy: { ...policy, routing: "direct" } };
}

/** A tool that reverts what we annotate, and hands in what we have written. */
function drawServiceActs(random: SeededRandom, world: World): readonly Act[] {
  return Array.from({ length: random.integer(0, 4) }, () => ({
    cue: drawCue(random, world),
    deed: drawDeed(random, random.pick(["gitops", "tamper", "tamper"]), world),
  }));
}

type World = Pick<Scenario, "hosts" | "capabilities" | "resources" | "lastsMs">;

/** How often each deed is drawn, against the others. */
const weights: Readonly<Record<DeedKind, number>> = {
  request: 16,
  "kill-dlx": 1.5,
  "drain-dlx": 2,
  "join-dlx": 2,
  "rest-dlx": 1.5,
  "kill-autoscaler": 1.5,
  "rest-autoscaler": 2,
  "switch-lead": 1,
  "break-watches": 0.7,
  "jump-clock": 0.5,
  "scale-by-hand": 1.5,
  hpa: 1,
  "edit-policy": 0.7,
  crash: 1.2,
  break: 0.5,
  mend: 0.5,
  metrics: 0.7,
  "ask-sleep": 2.5,
  "ask-wake": 0.7,
  "late-fence": 1.5,
  gitops: 0,
  tamper: 0,
};

/** Each run leaves out some kinds of deeds, so that the others meet each other more often; some come in a crowd. */
function drawHappenings(random: SeededRandom, world: World): Happenings {
  const kinds = Object.entries(weights).filter(
    ([kind, weight]) => weight > 0 && (kind === "request" || random.chance(0.6)),
  ) as [DeedKind, number][];
  const acts = Array.from({ length: random.integer(4, 16) }, () => drawAct(random, kinds, world));
  const crowds = Array.from({ length: random.integer(1, 4) }, () =>
    random.chance(0.4) ? drawCrowd(random, kinds, world) : drawRecipe(random, world),
  );
  return { acts: [...acts, ...crowds.flatMap((crowd) => crowd.acts)], spells: crowds.flatMap(({ spells }) => spells) };
}

function drawNarrow(random: SeededRandom, world: World): Happenings {
  const drawn = Array.from({ length: random.integer(1, 2) }, () => drawRecipe(random, world));
  return { acts: drawn.flatMap(({ acts }) => acts), spells: drawn.flatMap(({ spells }) => spells) };
}

function drawRecipe(random: SeededRandom, { resources, lastsMs }: World): Happenings {
  const names = resources.map(({ name }) => name);
  const from = random.chance(0.3) ? lastsMs - random.between(1_000, 8_000) : random.between(1_500, lastsMs);
  return random.pick(recipes)(random, from, names);
}

/** Requests, sleeps that are asked for, and more, within a second or four, often while something is slow. */
function drawCrowd(random: SeededRandom, kinds: readonly [DeedKind, number][], world: World): Happenings {
  const from = random.between(0, world.lastsMs);
  const widthMs = random.pick([30, 300, 2_000, 4_000]);
  const asked = Array.from({ length: random.integer(1, 3) }, () => drawDeed(random, "ask-sleep", world));
  const requests = Array.from({ length: random.integer(1, 6) }, () => drawDeed(random, "request", world));
  const others = Array.from({ length: random.integer(0, 4) }, () => drawAct(random, kinds, world).deed);
  const acts = [...asked, ...requests, ...others].map((deed) => ({
    cue: { at: from + random.between(0, widthMs) },
    deed,
  }));
  const spells = Array.from({ length: random.integer(0, 3) }, () =>
    drawSpell(random, from - random.between(0, 500), widthMs + random.between(500, 4_000)),
  );
  return { acts, spells };
}

function drawAct(random: SeededRandom, kinds: readonly [DeedKind, number][], world: World): Act {
  const total = kinds.reduce((sum, [, weight]) => sum + weight, 0);
  let die = random.next() * total;
  const kind = kinds.find(([, weight]) => (die -= weight) < 0)?.[0] ?? "request";
  return { cue: drawCue(random, world), deed: drawDeed(random, kind, world) };
}

function drawCue(random: SeededRandom, { lastsMs }: World): Cue {
  if (random.chance(0.5)) return { at: random.between(100, lastsMs) };
  const nth = random.integer(1, 2);
  const since = random.chance(0.5) ? 0 : random.between(0, lastsMs);
  return random.chance(0.6)
    ? { sleep: random.pick<SleepStep>(sleepSteps), since, nth }
    : { wake: random.pick<WakeMoment>(wakeMoments), since, nth };
}

function drawDeed(random: SeededRandom, kind: DeedKind, { resources }: World): Deed {
  const which = random.integer(0, 5);
  const resource = random.pick(resources).name;
  switch (kind) {
    case "request":
      return { do: kind, which, plans: drawPlans(random, resources) };
    case "rest-dlx":
    case "rest-autoscaler":
      return { do: kind, which, ms: random.pick([300, 3_000, 15_000]) };
    case "jump-clock":
      return { do: kind, which, ms: random.pick([-3_600_000, -5_000, 5_000, 86_400_000]) };
    case "scale-by-hand":
      return { do: kind, resource, to: random.pick([0, 1, 2]) };
    case "hpa":
      return { do: kind, resource, to: random.integer(1, 3) };
    case "edit-policy":
    case "crash":
    case "break":
    case "mend":
      return { do: kind, resource };
    case "gitops":
      return { do: kind, resource, ms: random.pick([2_000, 8_000, 20_000]) };
    case "tamper":
      return { do: kind, resource, what: random.pick(["slice", "key"] as const) };
    case "metrics":
      return { do: kind, fault: random.pick(["stopped", "missing", "broken", "lagging", "lies", "none"]) };
    case "ask-sleep":
    case "ask-wake":
    case "late-fence":
      return { do: kind, resource, which };
    case "kill-dlx":
    case "drain-dlx":
    case "join-dlx":
    case "kill-autoscaler":
    case "break-watches":
    case "switch-lead":
      return { do: kind, which };
  }
}

function drawPlans(random: SeededRandom, resources: readonly ScenarioResource[]): readonly RequestPlan[] {
  return Array.from({ length: random.pick([1, 1, 2, 5]) }, () => drawPlan(random, resources));
}

function drawPlan(random: SeededRandom, resources: readonly Pick<ScenarioResource, "name">[]): RequestPlan {
  const method = random.pick(["GET", "POST", "PUT"] as const);
  return {
    resource: random.pick(resources).name,
    method,
    body: method === "GET" ? "none" : random.pick(["none", "small"]),
    workMs: random.pick([1, 20, 300, 2_500, 6_000]),
    ...(random.chance(0.2) && { leavesAfterMs: random.pick([5, 200, 4_000]) }),
  };
}
