import { contractVersion, defineScaler } from "@dormouse/core";
import { processOptions } from "./process-options.ts";
import { ProcessScaler } from "./process-scaler.ts";

/** Resource scaler for local child processes, loaded by `use: process`. */
export const scaler = defineScaler({
  contract: contractVersion,
  name: "process",
  options: processOptions,
  create: (options, context) => ProcessScaler.open(options, context),
  reconfigure: (running, options, context) => running.reconfigure(options, context),
});
