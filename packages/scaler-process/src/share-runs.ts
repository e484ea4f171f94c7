/**
 * Makes a function that runs one at a time. A call that comes while a run is under way shares the next run with all
 * others that wait, so that each caller gets a result that began after its call.
 */
export function shareRuns<Result>(run: () => Promise<Result>): () => Promise<Result> {
  let running: Promise<Result> | undefined;
  let next: Promise<Result> | undefined;
  const begin = (): Promise<Result> => {
    const current = run().finally(() => {
      if (running === current) running = undefined;
    });
    running = current;
    return current;
  };
  return () => {
    if (running === undefined) return begin();
    next ??= running.then(noResult, noResult).then(() => {
      next = undefined;
      return begin();
    });
    return next;
  };
}

function noResult(): void {}
