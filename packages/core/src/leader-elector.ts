/**
 * Who may decide. Serves progress only: no step's safety rests on there being one leader. `isLeader` is asked before
 * each act and answers from memory; `lead` campaigns until the signal aborts and releases the lease on its way out.
 */
export interface LeaderElector extends AsyncDisposable {
  isLeader(): boolean;
  /** Who leads as far as this process knows, from memory, for display; undefined: nobody knows. */
  leader?(): string | undefined;
  lead(signal: AbortSignal): Promise<void>;
}

/** For one host alone: always the leader. */
export const soleLeader: LeaderElector = {
  isLeader: () => true,
  lead: (signal) =>
    new Promise((resolve) => {
      if (signal.aborted) return resolve();
      signal.addEventListener("abort", () => resolve(), { once: true });
    }),
  [Symbol.asyncDispose]: async () => {},
};
