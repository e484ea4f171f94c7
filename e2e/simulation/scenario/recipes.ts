import type { SeededRandom } from "../../harness/seeded-random.ts";
import type { SlowSpell } from "../engine/weather.ts";
import type { RequestPlan } from "../world/request-ledger.ts";
import type { Act, Cue, Deed } from "./act.ts";

/** What happens around one moment: acts, and what is slow then. */
export interface Happenings {
  readonly acts: readonly Act[];
  readonly spells: readonly SlowSpell[];
}

/**
 * Draws what happens from a moment on, around one narrow window of the protocol: things that meet each other there by
 * chance alone once in ten thousand runs. What comes of it is still open: times, counts and everything else are drawn.
 */
export type Recipe = (random: SeededRandom, from: number, resources: readonly string[]) => Happenings;

const quick: Pick<RequestPlan, "method" | "body" | "workMs"> = { method: "GET", body: "none", workMs: 1 };

function request(resource: string, which: number, plan: Partial<RequestPlan> = {}): Deed {
  return { do: "request", which, plans: [{ ...quick, resource, ...plan }] };
}

function slow(text: string, who: SlowSpell["who"], from: number, lastsMs: number): SlowSpell {
  return { text, who, from, until: from + lastsMs, ms: 3_000 };
}

/** So that it is awake, with nothing to do, when the rest begins. */
function wakeUp(random: SeededRandom, resource: string, from: number): readonly Act[] {
  return [0, 1, 2].map((which) => ({
    cue: { at: Math.max(0, from - random.between(400, 1_500)) },
    deed: request(resource, which),
  }));
}

/** Long requests as a sleep comes to its last steps, the first few times. */
function latecomers(random: SeededRandom, resource: string, since: number): readonly Act[] {
  return [0, 1, 2, 3].map((which) => {
    const cue: Cue = { sleep: random.pick(["fence", "stop"]), since, nth: random.integer(1, 2) };
    return { cue, deed: request(resource, which, { method: "POST", workMs: 6_000 }) };
  });
}

function asks(random: SeededRandom, resource: string, from: number, withinMs: number): readonly Act[] {
  return [0, 1].map((which) => ({
    cue: { at: from + random.between(0, withinMs) },
    deed: { do: "ask-sleep", resource, which },
  }));
}

/** A stop that is long on its way, and requests that come meanwhile. */
const slowStop: Recipe = (random, from, resources) => {
  const resource = random.pick(resources);
  return {
    acts: [
      ...wakeUp(random, resource, from),
      ...asks(random, resource, from, 500),
      ...latecomers(random, resource, from),
    ],
    spells: [slow("setScale", random.pick(["autoscaler-", ""]), from, 6_000)],
  };
};

/** A client that leaves while its claim has no target yet: the wake runs on, and a sleep begins. */
const abandonedClaim: Recipe = (random, from, resources) => {
  const resource = random.pick(resources);
  const which = random.integer(0, 3);
  const leaving = request(resource, which, { leavesAfterMs: 5 });
  return {
    acts: [
      ...wakeUp(random, resource, from),
      { cue: { at: from }, deed: { do: "late-fence", resource, which } },
      { cue: { at: from + 5 }, deed: leaving },
      ...asks(random, resource, from + 20, 100),
      ...latecomers(random, resource, from),
    ],
    spells: [
      slow(random.pick(["targets", "get", "dial"]), "dlx-", from + 8, 2_000),
      slow(`setScale ${resource} 0`, "", from + 20, 8_000),
    ],
  };
};

/** A DLX that joins, and works, while a sleep begins. */
const lateJoin: Recipe = (random, from, resources) => {
  const resource = random.pick(resources);
  const early = [300, 600, 900, 1_200].map((ms, which) => ({
    cue: { at: from + ms + random.between(0, 200) },
    deed: request(resource, which),
  }));
  return {
    acts: [
      ...wakeUp(random, resource, from),
      ...asks(random, resource, from, 100),
      { cue: { at: from + random.between(0, 200) }, deed: { do: "join-dlx", which: 0 } },
      ...early,
      ...latecomers(random, resource, from),
    ],
    spells: [slow("get", "autoscaler-", from, 2_000), slow(`setScale ${resource} 0`, "", from, 8_000)],
  };
};

/** A DLX that stops with a long request, and a sleep meanwhile. */
const lastRequest: Recipe = (random, from, resources) => {
  const resource = random.pick(resources);
  const which = random.integer(0, 3);
  return {
    acts: [
      { cue: { at: from }, deed: request(resource, which, { method: "POST", workMs: 6_000 }) },
      { cue: { at: from + random.between(200, 600) }, deed: { do: "drain-dlx", which } },
      ...asks(random, resource, from + 700, 2_000),
    ],
    spells: [],
  };
};

/** A wake of a user that is slow after it has claimed what it depends on, and a sleep of that. */
const slowUser: Recipe = (random, from, resources) => {
  const others = resources.filter((name) => name !== "db");
  const acts: readonly Act[] = [1, 2, 3].map((nth) => ({
    cue: { wake: "dependencies", since: from, nth },
    deed: { do: "ask-sleep", resource: resources.includes("db") ? "db" : random.pick(resources), which: nth },
  }));
  const wakes = [0, 1_500].map((ms, which) => ({ cue: { at: from + ms }, deed: request(random.pick(others), which) }));
  const [user = "web"] = others;
  const spells = ["get", "setScale"].map((text) => slow(`${text} ${user}`, "dlx-", from, 4_000));
  return { acts: [...wakes, ...acts], spells };
};

/** A stop and a wake at once after it, with requests on the resource's own way. */
const quickWake: Recipe = (random, from, resources) => {
  const resource = random.pick(resources);
  const after = [1, 2, 3].flatMap((nth) => [
    { cue: { sleep: "done", since: from, nth } as const, deed: request(resource, nth) },
    {
      cue: { wake: "restore", since: from, nth, afterMs: random.between(5, 300) } as const,
      deed: request(resource, nth, { workMs: 2_500 }),
    },
  ]);
  const later = [200, 400, 700, 1_000, 1_400].map((ms, which) => ({
    cue: { at: from + 1_700 + ms },
    deed: request(resource, which, { workMs: 2_500 }),
  }));
  const spells = random.chance(0.5) ? [slow("route", "dlx-", from, 6_000)] : [];
  return {
    acts: [...wakeUp(random, resource, from), ...asks(random, resource, from, 200), ...after, ...later],
    spells,
  };
};

/** A long request on the resource's own way just as that way is diverted, perhaps while the numbers lag. */
const stragglers: Recipe = (random, from, resources) => {
  const resource = random.pick(resources);
  const late = [1, 2, 3].map((nth) => ({
    cue: { sleep: "divert", since: from, nth, afterMs: random.between(50, 700) } as const,
    deed: request(resource, nth, { method: "POST", workMs: random.pick([2_500, 6_000]) }),
  }));
  const fault = random.pick(["lagging", "lagging", "lagging", "none"] as const);
  return {
    acts: [
      { cue: { at: from }, deed: { do: "metrics", fault } },
      ...wakeUp(random, resource, from),
      ...asks(random, resource, from + 3_000, 500),
      ...late,
    ],
    spells: [],
  };
};

/** A restore that is long on its way, and a sleep meanwhile. */
const lateRestore: Recipe = (random, from, resources) => {
  const resource = random.pick(resources);
  const later = [0, 1, 2].map((which) => ({
    cue: { at: from + random.between(3_000, 6_000) },
    deed: request(resource, which),
  }));
  return {
    acts: [
      { cue: { at: Math.max(0, from - 1_000) }, deed: request(resource, 0) },
      ...asks(random, resource, from, 400),
      ...later,
    ],
    spells: [slow("route", "dlx-", from - 1_500, 2_000)],
  };
};

/** An answer that is long on its way, while what it tells becomes old. */
const oldNews: Recipe = (random, from, resources) => {
  const resource = random.pick(resources);
  const wakes = [1, 2].map((nth) => ({
    cue: { sleep: "done", since: from, nth } as const,
    deed: request(resource, nth),
  }));
  return {
    acts: [...wakeUp(random, resource, from), ...asks(random, resource, from, 100), ...wakes],
    spells: [slow("get", "autoscaler-", from, 3_000)],
  };
};

export const recipes: readonly Recipe[] = [
  slowStop,
  abandonedClaim,
  lateJoin,
  lastRequest,
  slowUser,
  quickWake,
  stragglers,
  lateRestore,
  oldNews,
];
