/** Variable in the environment of every child, with the id of its instance. What a child starts inherits it. */
export const markVariable = "DORMOUSE_INSTANCE";

/** One running process; zombies are none. */
export interface ProcessEntry {
  readonly pid: number;
  /** Process group. */
  readonly group: number;
  /** When it started, in the platform's own form: with the pid it names one process for ever. */
  readonly started: string;
  /** Value of `DORMOUSE_INSTANCE` in its environment, where it has one and we may look. */
  readonly mark: string | undefined;
}

/** What the operating system tells of processes. */
export interface ProcessTable {
  /** Within which pids have one meaning: one boot of one machine and, on Linux, one pid namespace. */
  scope(): Promise<string>;
  /** When a process started; undefined where it does not run. */
  startOf(pid: number): Promise<string | undefined>;
  /** Every running process. */
  list(): Promise<readonly ProcessEntry[]>;
}
