import { contractVersion, defineScaler } from "@dormouse/core";
import { runitOptions } from "./runit-options.ts";
import { RunitScaler } from "./runit-scaler.ts";

/** Resource scaler for services that runit supervises. */
export const scaler = defineScaler({
  contract: contractVersion,
  name: "runit",
  options: runitOptions,
  create: async (options, context) => new RunitScaler(options, context),
});
