import { contractVersion, defineScaler, type ScalerPlugin } from "@dormouse/core";
import { type AciOptions, aciOptions } from "./aci-options.ts";
import { AciScaler } from "./aci-scaler.ts";

/** Resource scaler for container groups of Azure Container Instances, loaded by `use: aci`. */
export const scaler: ScalerPlugin<AciOptions> = defineScaler({
  contract: contractVersion,
  name: "aci",
  options: aciOptions,
  create: (options, context) => AciScaler.open(options, context),
});
