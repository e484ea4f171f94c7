type Cleanup = () => Promise<void> | void;

const cleanups = new Set<Cleanup>();

/** What has to be done if the run is interrupted; taken back once disposed. */
export function onInterrupt(cleanup: Cleanup): Disposable {
  cleanups.add(cleanup);
  return { [Symbol.dispose]: () => void cleanups.delete(cleanup) };
}

/** Leaves nothing behind at Ctrl-C, and ends with 130. */
export function watchInterrupts(): void {
  const stop = async (): Promise<void> => {
    await Promise.allSettled([...cleanups].map(async (cleanup) => cleanup()));
    process.exit(130);
  };
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(name, () => void stop());
}
