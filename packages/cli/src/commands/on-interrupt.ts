/** Calls back when somebody wants an end; by SIGINT and SIGTERM where a command runs. */
export type UntilInterrupted = (interrupt: () => void) => Disposable;

/** Calls back once at the first SIGINT or SIGTERM; a second one ends the process. */
export const onInterrupt: UntilInterrupted = (interrupt) => {
  process.once("SIGINT", interrupt).once("SIGTERM", interrupt);
  return { [Symbol.dispose]: () => void process.off("SIGINT", interrupt).off("SIGTERM", interrupt) };
};
