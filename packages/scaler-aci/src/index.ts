import { contractVersion, defineScaler } from "@dormouse/core";
import { aciOptions } from "./aci-options.ts";
import { AciScaler } from "./aci-scaler.ts";

/** Resource scaler for container groups of Azure Container Instances, loaded by `use: aci`. */
export const scaler = defineScaler({
  contract: contractVersion,
  name: "aci",
  options: aciOptions,
  create: (options, context) => AciScaler.open(options, context),
});
