import { contractVersion, defineScaler } from "@dormouse/core";
import { workerOptions } from "./worker-options.ts";
import { WorkerScaler } from "./worker-scaler.ts";

/** Resource scaler for servers that run in worker threads. */
export const scaler = defineScaler({
  contract: contractVersion,
  name: "worker",
  options: workerOptions,
  create: async (options, context) => new WorkerScaler(options, context),
});
