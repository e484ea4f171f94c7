/** One thing that is wrong with a configuration, and where somebody can mend it. */
export interface Problem {
  /** Where it was written: `dormouse.yaml:12:9`, `DORMOUSE_DLX_LISTEN`, `--set dlx.listen`, or just the file. */
  readonly origin: string;
  /** Key path, such as `scalers[0].options.resources[2].policy.idleAfter`; empty: the whole file. */
  readonly place: string;
  readonly problem: string;
  readonly mend?: string;
}

/** A problem as one line: origin, place, problem, mend. */
export function formatProblem({ origin, place, problem, mend }: Problem): string {
  const where = [origin, place].filter((part) => part !== "").join(": ");
  const what = mend === undefined ? problem : `${problem}; ${mend}`;
  return where === "" ? what : `${where}: ${what}`;
}
