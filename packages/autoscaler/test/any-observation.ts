import * as fc from "fast-check";
import type { DlxObservation, Observation, RuleObservation } from "../src/observation.ts";

const odd = fc.constantFrom(NaN, Infinity, -Infinity, -1, -0, Number.MAX_VALUE);
const age = fc.oneof({ weight: 4, arbitrary: fc.integer({ min: 0, max: 1_000 }) }, { weight: 1, arbitrary: odd });
const count = fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 3 }), odd);
const windowMs = fc.integer({ min: 0, max: 500 });

const knownDlx = fc.record({
  known: fc.constant(true as const),
  id: fc.constant("d"),
  inFlight: count,
  held: count,
  idleForMs: age,
});
const unknownDlx = fc.record({ known: fc.constant(false as const), id: fc.constant("d"), problem: fc.constant("x") });
const dlx: fc.Arbitrary<DlxObservation> = fc.oneof(
  { weight: 4, arbitrary: knownDlx },
  { weight: 1, arbitrary: unknownDlx },
);
const quietDlx: fc.Arbitrary<DlxObservation> = fc
  .integer({ min: 400, max: 2_000 })
  .map((idleForMs) => ({ known: true, id: "d", inFlight: 0, held: 0, idleForMs }));

const rule: fc.Arbitrary<RuleObservation> = fc.record(
  {
    metric: fc.constantFrom("a", "b"),
    windowMs,
    threshold: fc.oneof(fc.integer({ min: 0, max: 3 }), odd),
    source: fc.constant("s"),
    dlxOnly: fc.boolean(),
    value: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 5 }), odd),
    ageMs: age,
  },
  { requiredKeys: ["metric", "windowMs", "threshold", "source", "dlxOnly"] },
);
const quietRule: fc.Arbitrary<RuleObservation> = fc
  .record({
    metric: fc.constant("c"),
    windowMs,
    threshold: fc.integer({ min: 0, max: 3 }),
    source: fc.constant("s"),
    dlxOnly: fc.boolean(),
  })
  .map((each) => ({ ...each, value: each.threshold, ageMs: each.windowMs / 2 }));

const busyRule = quietRule.map((each) => ({ ...each, value: each.threshold + 1 }));
const staleRule = quietRule.map((each) => ({ ...each, ageMs: each.windowMs + 1 }));

type Parts = Omit<Observation, "policy"> & Omit<Observation["policy"], "idleRules"> & { readonly unasked: number };

const longAge = fc.integer({ min: 400, max: 2_000 });

/** Mostly nothing that speaks against a sleep. */
const quietParts: fc.Arbitrary<Parts> = fc.record({
  state: fc.constantFrom("awake" as const, "awake" as const, "waking" as const, "failed" as const),
  desired: fc.constantFrom(1, 3),
  ready: fc.constantFrom(1, 0),
  enabled: fc.constant(true),
  idleAfter: windowMs,
  minAwake: windowMs,
  wakeTimeout: windowMs,
  minReplicas: fc.constant(0),
  awakeForMs: longAge,
  unreadyForMs: longAge,
  observedForMs: longAge,
  routes: fc.boolean(),
  routing: fc.constantFrom("direct" as const, "always" as const),
  divertedForMs: longAge,
  guarded: fc.constant(true),
  dlxs: fc.array(quietDlx, { minLength: 1, maxLength: 3 }),
  rules: fc.array(quietRule, { maxLength: 2 }),
  unasked: fc.constant(0),
  awakeUsers: fc.constant([]),
});

/** Anything that a member can be, the absurd too. */
const oddParts = fc.record({
  state: fc.constantFrom(
    "asleep" as const,
    "sleeping" as const,
    "awake" as const,
    "waking" as const,
    "failed" as const,
  ),
  desired: fc.oneof(fc.constantFrom(0, 1), odd),
  ready: fc.oneof(fc.constantFrom(0, 1), odd),
  enabled: fc.boolean(),
  idleAfter: fc.oneof(windowMs, odd),
  minAwake: fc.oneof(windowMs, odd),
  wakeTimeout: fc.oneof(windowMs, odd),
  minReplicas: fc.oneof(fc.constantFrom(0, 1, 3), odd),
  awakeForMs: age,
  unreadyForMs: age,
  observedForMs: age,
  divertedForMs: fc.option(age, { nil: undefined }),
  guarded: fc.boolean(),
  dlxs: fc.option(fc.array(dlx, { maxLength: 3 }), { nil: undefined }),
  rules: fc.array(fc.oneof(rule, quietRule, busyRule, staleRule), { maxLength: 3 }),
  unasked: fc.constant(1),
  awakeUsers: fc.constantFrom([], ["u"]),
  platformProblem: fc.constant("x"),
  operation: fc.constant("sleep" as const),
  retryInMs: age,
});

const oddKeys = [
  "state",
  "desired",
  "ready",
  "enabled",
  "idleAfter",
  "minAwake",
  "wakeTimeout",
  "minReplicas",
  "awakeForMs",
  "unreadyForMs",
  "observedForMs",
  "divertedForMs",
  "guarded",
  "dlxs",
  "rules",
  "unasked",
  "awakeUsers",
  "platformProblem",
  "operation",
  "retryInMs",
] as const;

/** A quiet observation with up to four members replaced by anything: both results come up often. */
export const anyObservation: fc.Arbitrary<Observation> = fc
  .tuple(quietParts, oddParts, fc.subarray([...oddKeys], { maxLength: 4 }))
  .map(([quiet, strange, keys]) => {
    const replaced = Object.fromEntries(keys.map((key) => [key, strange[key]]));
    return toObservation({ ...quiet, ...replaced });
  });

function toObservation({
  enabled,
  idleAfter,
  minAwake,
  wakeTimeout,
  minReplicas,
  unasked,
  ...seen
}: Parts): Observation {
  const idleRules = [
    ...seen.rules.map((each) => ({ window: each.windowMs })),
    ...Array.from({ length: unasked }, () => ({ window: 1 })),
  ];
  const policy = { enabled, idleAfter, minAwake, wakeTimeout, minReplicas, idleRules };
  return Object.fromEntries(
    Object.entries({ ...seen, policy }).filter(([, value]) => value !== undefined),
  ) as unknown as Observation;
}
