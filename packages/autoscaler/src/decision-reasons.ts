/** What a reason means to an operator. */
export interface ReasonFacts {
  /** What it says of the resource. */
  readonly meaning: string;
  /** What has to happen before the resource can sleep; for a sleep, what has been found. */
  readonly next: string;
}

/** Every reason that a decision can have, in the order in which decisions look at them. */
export const decisionReasons = {
  "not-leader": {
    meaning: "Another autoscaler decides, or nobody does yet.",
    next: "this process has to become the leader",
  },
  "not-enabled": { meaning: "The policy does not opt in.", next: "`enabled` has to be true" },
  asleep: { meaning: "It is asleep.", next: "a request or an operator has to wake it first" },
  sleeping: { meaning: "Its last instances are ending.", next: "nothing: it will be asleep" },
  "min-replicas": {
    meaning: "Its `minReplicas` is 1 or more, so it never sleeps.",
    next: "`minReplicas` has to be 0",
  },
  busy: {
    meaning: "This process is putting it to sleep, changing its count of replicas or mending its routing.",
    next: "that has to end",
  },
  "platform-unknown": {
    meaning: "The platform could not be listed, so nothing about it is certain.",
    next: "the platform has to answer",
  },
  unguarded: {
    meaning: "The platform cannot compare and set, and the DLXs are other processes, so a stop could cut a request.",
    next: "run everything in one process, or accept the risk with `sleep: best-effort`",
  },
  "peers-unknown": { meaning: "The DLXs could not be listed.", next: "the list has to be readable" },
  "no-dlx": { meaning: "There is no DLX, so nobody would receive the next request.", next: "a DLX has to run" },
  "dlx-unknown": { meaning: "A listed DLX did not say what it is doing.", next: "every listed DLX has to answer" },
  "in-flight": { meaning: "Requests are in flight.", next: "they have to end" },
  held: { meaning: "Requests are held for it.", next: "they have to be answered" },
  waking: {
    meaning: "It is being woken, or its replicas are not ready yet.",
    next: "it has to become ready, or `wakeTimeout` has to pass",
  },
  needed: {
    meaning: "A resource that depends on it is not asleep.",
    next: "every resource that depends on it has to sleep",
  },
  "rule-unknown": {
    meaning: "An idle rule has no value, or one that is no number.",
    next: "its source has to give a finite value",
  },
  "rule-stale": {
    meaning: "An idle rule's newest measurement is older than half its window.",
    next: "its source has to give a fresher value",
  },
  "rule-busy": { meaning: "An idle rule is above its threshold.", next: "its value has to fall to the threshold" },
  "no-evidence": {
    meaning: "Its traffic does not pass the DLX, and no idle rule has a source that sees it.",
    next: "an idle rule with such a source, or `routing: always`, is needed",
  },
  "not-diverted": {
    meaning: "Its traffic should pass the DLX and is not known to yet.",
    next: "the reconciler has to divert it",
  },
  observing: {
    meaning: "This autoscaler has not watched it for a full window yet.",
    next: "the longest of `idleAfter` and the rules' windows has to pass",
  },
  "recent-activity": { meaning: "It was used within `idleAfter`.", next: "it has to stay unused" },
  "min-awake": { meaning: "It was woken or updated within `minAwake`.", next: "it has to stay unused" },
  "backing-off": { meaning: "The last attempt came to nothing a moment ago.", next: "a short wait has to pass" },
  idle: { meaning: "It has been idle for long enough.", next: "it is put to sleep" },
  failed: { meaning: "It has failed for `wakeTimeout`, and nobody waits for it.", next: "it is put to sleep" },
  "never-ready": {
    meaning: "It has not been ready for `wakeTimeout`, and nobody waits for it.",
    next: "it is put to sleep",
  },
  asked: { meaning: "An operator asked for it, and nothing is in use.", next: "it is put to sleep" },
} as const satisfies Record<string, ReasonFacts>;

/** Code of a decision's reason; stable. */
export type DecisionReason = keyof typeof decisionReasons;

/** Reasons of a decision to sleep. */
export type SleepReason = "idle" | "failed" | "never-ready" | "asked";

/** Reasons of a decision to keep. */
export type KeepReason = Exclude<DecisionReason, SleepReason>;
