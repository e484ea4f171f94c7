const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
const cleanups = new Set<() => void>();

/** What has to be done at once if this process is told to end; taken back once disposed. */
export function onInterrupt(cleanup: () => void): Disposable {
  if (cleanups.size === 0) for (const signal of signals) process.on(signal, end);
  cleanups.add(cleanup);
  return {
    [Symbol.dispose]: () => {
      cleanups.delete(cleanup);
      if (cleanups.size === 0) for (const signal of signals) process.off(signal, end);
    },
  };
}

function end(): void {
  // What was opened last rests on what was opened before.
  for (const cleanup of [...cleanups].toReversed()) cleanup();
  process.exit(130);
}
