import { formatProblem, type Problem } from "./problem.ts";

/** A configuration cannot be used, with every reason found. Nothing of it has been applied. */
export class RefusedConfig extends Error {
  override readonly name = "RefusedConfig";
  readonly problems: readonly Problem[];

  /** @param problems at least one */
  constructor(problems: readonly Problem[], cause?: unknown) {
    super(problems.map(formatProblem).join("\n"), cause === undefined ? undefined : { cause });
    this.problems = problems;
  }
}
