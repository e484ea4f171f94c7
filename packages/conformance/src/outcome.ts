/** How a call ended: what it resolved with, or what it rejected with. */
export interface Outcome {
  readonly rejected: boolean;
  readonly value: unknown;
}

/** Runs something to its end, however it ends. */
export async function toOutcome(work: () => Promise<unknown>): Promise<Outcome> {
  try {
    return { rejected: false, value: await work() };
  } catch (error) {
    return { rejected: true, value: error };
  }
}
