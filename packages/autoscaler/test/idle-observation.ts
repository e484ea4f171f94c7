import type { Observation } from "../src/observation.ts";

const minute = 60_000;

/** An observation of a resource that nothing keeps awake; what a test is about comes in place of it. */
export function idleObservation(different: Partial<Observation> = {}): Observation {
  return {
    state: "awake",
    desired: 1,
    ready: 1,
    policy: {
      enabled: true,
      idleAfter: 5 * minute,
      minAwake: 30_000,
      minReplicas: 0,
      wakeTimeout: 5 * minute,
      idleRules: [],
    },
    awakeForMs: 10 * minute,
    unreadyForMs: 0,
    observedForMs: 10 * minute,
    routes: false,
    routing: "always",
    guarded: true,
    dlxs: [{ known: true, id: "dlx-1", inFlight: 0, held: 0, idleForMs: 10 * minute }],
    rules: [],
    awakeUsers: [],
    ...different,
  };
}
