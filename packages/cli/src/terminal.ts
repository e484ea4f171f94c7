import type { Clock } from "@dormouse/core";

/** What a command may touch of the world around it: its output, its environment, the time. */
export interface Terminal {
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
}

/** Whether to colour what goes to a stream: on a terminal, unless NO_COLOR (https://no-color.org) says otherwise; FORCE_COLOR says so anywhere. */
export function hasColor(stream: NodeJS.WriteStream, environment: Terminal["environment"]): boolean {
  if ((environment["NO_COLOR"] ?? "") !== "") return false;
  const forced = environment["FORCE_COLOR"];
  if (forced !== undefined) return forced !== "0" && forced !== "false";
  return stream.isTTY && environment["TERM"] !== "dumb";
}

/** Characters in a line of a terminal; elsewhere as many as it takes. */
export function widthOf(stream: NodeJS.WriteStream): number {
  return stream.isTTY ? Math.max(20, stream.columns) : Infinity;
}

/** Writes a line or several; resolves once they have left the process, or nobody reads any more. */
export function write(stream: NodeJS.WriteStream, text: string): Promise<void> {
  return new Promise((resolve) => stream.write(text.endsWith("\n") ? text : `${text}\n`, () => resolve()));
}

/** Resolves once everything written so far has left the process, or nobody reads any more. */
export function flush(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => stream.write("", () => resolve()));
}
