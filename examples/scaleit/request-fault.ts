import { randomAt } from "./random-at.ts";

/** What can go wrong with a request: status 500, no answer at all, a body that breaks off. */
export type RequestFault = "error" | "timeout" | "broken";

/** Share of the time, 0 to 1, in which requests meet each fault. */
export type FaultRates = Readonly<Record<RequestFault, number>>;

/** A few of each, as a real service has them. */
export const usualFaults: FaultRates = { error: 0.03, timeout: 0.01, broken: 0.01 };

/** No fault at all. */
export const noFaults: FaultRates = { error: 0, timeout: 0, broken: 0 };

/** For so long, in simulated ms, requests meet the same fate. */
const slotMs = 1_000;

/** The fate of a request at a simulated moment: by the seed, whoever asks and however often. Undefined: none, all is well. */
export function requestFault(seed: number, method: string, atMs: number, rates: FaultRates): RequestFault | undefined {
  let draw = randomAt(seed, `fault of ${method}`, Math.floor(atMs / slotMs));
  for (const fault of ["error", "timeout", "broken"] as const) {
    if (draw < rates[fault]) return fault;
    draw -= rates[fault];
  }
  return undefined;
}
