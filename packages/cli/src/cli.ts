import { CommanderError } from "commander";
import { formatProblem } from "./config/problem.ts";
import { RefusedConfig } from "./config/refused-config.ts";
import { createProgram } from "./create-program.ts";
import { type ExitCode, exitCode } from "./exit-code.ts";
import { type Terminal, write } from "./terminal.ts";
import { UsageError } from "./usage-error.ts";

/**
 * Runs one command and resolves with its exit code. Never rejects: what went wrong stands on stderr, one line for each thing.
 * @param args what follows `dormouse` on the command line
 */
export async function runCli(args: readonly string[], terminal: Terminal): Promise<ExitCode> {
  let result: ExitCode = exitCode.done;
  const program = createProgram(terminal, (code) => (result = code));
  try {
    await program.parseAsync([...args], { from: "user" });
    return result;
  } catch (error) {
    return explain(error, terminal);
  }
}

async function explain(error: unknown, { stderr }: Terminal): Promise<ExitCode> {
  // Commander has written its own message by now; help and version come this way too.
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCode.done : exitCode.usage;
  if (error instanceof RefusedConfig) {
    for (const problem of error.problems) await write(stderr, `error: ${formatProblem(problem)}`);
    return exitCode.usage;
  }
  await write(stderr, `error: ${error instanceof Error ? error.message : String(error)}`);
  return error instanceof UsageError ? exitCode.usage : exitCode.failed;
}
