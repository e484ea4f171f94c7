import type { Milliseconds } from "@dormouse/core";
import type { SeededRandom } from "../../harness/seeded-random.ts";

/**
 * `starting`: has an address, takes no connection; `accepting`: takes connections, not yet in the platform's own traffic;
 * `ready`: in it; `doomed`: its stop was accepted, nobody can see it yet; `terminating`: everybody can, and it still
 * takes connections; `gone`.
 */
export type InstanceState = "starting" | "accepting" | "ready" | "doomed" | "terminating" | "gone";

/** One request that an instance executes. */
export interface Execution {
  readonly request: string;
  /** The instance is gone before it could answer. */
  cut(cause: string): void;
}

/** One running copy of an application. */
export class Instance {
  readonly id: string;
  readonly host: string;
  /** Version of the resource that it was started at. */
  readonly bornAt: number;
  state: InstanceState = "starting";
  /** Who ended it; undefined while it lives. */
  endedBy: string | undefined;
  readonly executing = new Set<Execution>();

  constructor(id: string, host: string, bornAt: number) {
    this.id = id;
    this.host = host;
    this.bornAt = bornAt;
  }

  get takesConnections(): boolean {
    return this.state !== "starting" && this.state !== "gone";
  }

  /** Wanted, as far as the controllers know. */
  get isServing(): boolean {
    return this.state === "starting" || this.state === "accepting" || this.state === "ready";
  }

  /** In the platform's own traffic: that it ends shows there a moment late. */
  get isInTraffic(): boolean {
    return this.state === "ready" || this.state === "doomed";
  }
}

/** How long the parts of an instance's life take. */
interface Lifetimes {
  readonly bootMs: Milliseconds;
  readonly readyMs: Milliseconds;
  readonly unseenMs: Milliseconds;
  readonly graceMs: Milliseconds;
}

/** @param slowStarts how often a start takes seconds, from 0 to 1 */
export function drawLifetimes(random: SeededRandom, slowStarts: number): Lifetimes {
  const isSlow = random.chance(slowStarts);
  return {
    bootMs: isSlow ? random.between(400, 5_000) : random.between(10, 120),
    readyMs: random.between(0, 400),
    unseenMs: random.between(0, 1_000),
    graceMs: random.between(10, 900),
  };
}
