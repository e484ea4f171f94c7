#!/usr/bin/env node
import { enableCompileCache } from "node:module";
import { systemClock } from "@dormouse/core";
import { runCli } from "./cli.ts";

enableCompileCache();
const { stdout, stderr, env: environment, argv } = process;
process.exitCode = await runCli(argv.slice(2), { stdout, stderr, environment, clock: systemClock });
