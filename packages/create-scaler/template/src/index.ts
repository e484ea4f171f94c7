import { contractVersion, defineScaler } from "@dormouse/core";
import { ExampleApi } from "./example-api.ts";
import { exampleOptions } from "./example-options.ts";
import { ExampleScaler } from "./example-scaler.ts";

/** Resource scaler for services of the Example platform. */
export const scaler = defineScaler({
  contract: contractVersion,
  name: "example",
  options: exampleOptions,
  create: async (options, context) => new ExampleScaler(new ExampleApi(options), context),
});
