import type { ServiceTally } from "./service-tally.ts";

/** Something the demo says of Dormouse, and whether this run shows it. */
export interface Claim {
  readonly text: string;
  readonly holds: boolean;
}

/** All that a run has shown. */
export interface RunRecord {
  readonly tallies: readonly ServiceTally[];
  readonly rounds: number;
  /** Ids of the orders sent and answered, and of those that the server's file holds. */
  readonly orders: { readonly answered: readonly string[]; readonly stored: readonly string[] };
  /** States of the service behind the WebSocket that stayed open. */
  readonly statesWhileOpen: ReadonlySet<string>;
}

/** What a run proves, claim by claim. */
export function judgeRun({ tallies, rounds, orders, statesWhileOpen }: RunRecord): readonly Claim[] {
  const lost = tallies.reduce((sum, tally) => sum + tally.lost, 0);
  return [
    { text: `every request was answered by its service: lost ${lost}`, holds: lost === 0 },
    {
      text: `each service slept and was woken by requests at least ${rounds} times, its process gone meanwhile`,
      holds: tallies.every(({ sleeps, pairs }) => sleeps >= rounds && pairs.length >= rounds),
    },
    {
      text: `each of ${orders.answered.length} POSTs is stored once and only once`,
      holds: isSameOnce(orders.answered, orders.stored),
    },
    {
      text: "a service with an open WebSocket stayed awake, however silent",
      holds: statesWhileOpen.size === 1 && statesWhileOpen.has("awake"),
    },
    { text: "nothing else was out of order", holds: tallies.every(({ problems, lost }) => problems.length === lost) },
  ];
}

function isSameOnce(wanted: readonly string[], found: readonly string[]): boolean {
  return wanted.length === found.length && new Set(wanted).symmetricDifference(new Set(found)).size === 0;
}
