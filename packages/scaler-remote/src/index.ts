import { contractVersion, defineScaler } from "@dormouse/core";
import { remoteOptions } from "./remote-options.ts";
import { RemoteScaler } from "./remote-scaler.ts";

/** Resource scaler that hands every call to a program in another language, loaded by `use: remote`. */
export const scaler = defineScaler({
  contract: contractVersion,
  name: "remote",
  options: remoteOptions,
  create: (options, context) => RemoteScaler.open(options, context),
});
