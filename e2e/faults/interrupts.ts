type Cleanup = () => Promise<void> | void;

const cleanups = new Set<Cleanup>();

/** What has to be done if the run is interrupted; taken back once disposed. */
export function onInterrupt(cleanup: Cleanup): Disposable {
  cleanups.add(cleanup);
  return { [Symbol.dispose]: () => void cleanups.delete(cleanup) };
}

/** Leaves nothing behind: ends with 130 at Ctrl-C, and with 1 where the run itself is at fault. */
export function watchInterrupts(): void {
  const stop = async (code: number): Promise<void> => {
    // What was opened last rests on what was opened before.
    for (const cleanup of [...cleanups].toReversed()) {
      try {
        await cleanup();
      } catch (error) {
        process.stderr.write(`${String(error)}\n`);
      }
    }
    process.exit(code);
  };
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(name, () => void stop(130));
  process.once("uncaughtException", (error) => {
    process.stderr.write(`${error.stack ?? String(error)}\n`);
    void stop(1);
  });
}
