const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** What has to be done at once if this process is told to end; taken back once disposed. */
export function onInterrupt(cleanup: () => void): Disposable {
  const end = (): void => {
    stop();
    cleanup();
    process.exit(130);
  };
  const stop = (): void => {
    for (const signal of signals) process.off(signal, end);
  };
  for (const signal of signals) process.once(signal, end);
  return { [Symbol.dispose]: stop };
}
