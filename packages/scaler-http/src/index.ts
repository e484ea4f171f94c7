import { contractVersion, defineScaler } from "@dormouse/core";
import { httpOptions } from "./http-options.ts";
import { HttpScaler } from "./http-scaler.ts";

/** Resource scaler for whatever reports replicas by GET and takes them by PUT, loaded by `use: http`. */
export const scaler = defineScaler({
  contract: contractVersion,
  name: "http",
  options: httpOptions,
  create: (options, context) => HttpScaler.open(options, context),
  reconfigure: (running, options, context) => running.reconfigure(options, context),
});
