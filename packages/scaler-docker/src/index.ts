import { contractVersion, defineScaler } from "@dormouse/core";
import { dockerOptions } from "./docker-options.ts";
import { DockerScaler } from "./docker-scaler.ts";

/** Resource scaler for containers and Compose services of a Docker Engine, loaded by `use: docker`. */
export const scaler = defineScaler({
  contract: contractVersion,
  name: "docker",
  options: dockerOptions,
  create: (options, context) => DockerScaler.open(options, context),
});
