import { AdminClient } from "../client/admin-client.ts";
import { AdminFailure } from "../client/admin-failure.ts";
import { findAdmin } from "../client/find-admin.ts";
import { UnknownResource } from "../client/resolve-ref.ts";
import { type ExitCode, exitCode } from "../exit-code.ts";
import { type Terminal, write } from "../terminal.ts";
import type { GlobalOptions } from "./global-options.ts";

/** Runs a command that talks to a host, and says on stderr why it failed. */
export async function runWithAdmin(
  options: GlobalOptions,
  terminal: Terminal,
  work: (client: AdminClient) => Promise<ExitCode>,
): Promise<ExitCode> {
  const client = new AdminClient(await findAdmin({ ...options, environment: terminal.environment }));
  try {
    return await work(client);
  } catch (error) {
    if (!(error instanceof AdminFailure) && !(error instanceof UnknownResource)) throw error;
    await write(terminal.stderr, `error: ${error.message}`);
    return exitCode.failed;
  } finally {
    await client[Symbol.asyncDispose]();
  }
}
