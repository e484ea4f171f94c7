#!/usr/bin/env node
import { enableCompileCache } from "node:module";

// Before anything else is loaded: from the second start on nothing is compiled again.
enableCompileCache();
const [{ systemClock }, { runCli }, { flush }] = await Promise.all([
  import("@dormouse/core"),
  import("./cli.ts"),
  import("./terminal.ts"),
]);
const { stdout, stderr, env: environment, argv } = process;
// `dormouse ls | head -1`: whoever reads has what they wanted. A host goes on without readers.
for (const stream of [stdout, stderr]) stream.on("error", () => {});
const code = await runCli(argv.slice(2), { stdout, stderr, environment, clock: systemClock });
await Promise.all([flush(stdout), flush(stderr)]);
// Whatever a plugin or a collector that does not answer has left open keeps nobody waiting.
process.exit(code);
