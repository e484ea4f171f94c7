/** One place that breaks a rule of the architecture. */
export interface Problem {
  /** Path from the workspace root, with `:line` where there is one. */
  readonly place: string;
  readonly message: string;
}
