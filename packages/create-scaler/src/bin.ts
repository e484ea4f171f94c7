#!/usr/bin/env node
import { runCreateScaler } from "./run-create-scaler.ts";

const { stdin, stdout, stderr } = process;
for (const stream of [stdout, stderr]) stream.on("error", () => {});
process.exitCode = await runCreateScaler(process.argv.slice(2), { stdin, stdout, stderr });
