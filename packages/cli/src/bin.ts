#!/usr/bin/env node
import { enableCompileCache } from "node:module";

// Before anything else is loaded: from the second start on nothing is compiled again.
enableCompileCache();
const [{ systemClock }, { runCli }] = await Promise.all([import("@dormouse/core"), import("./cli.ts")]);
const { stdout, stderr, env: environment, argv } = process;
process.exitCode = await runCli(argv.slice(2), { stdout, stderr, environment, clock: systemClock });
