import type { HttpProbe, Target } from "@dormouse/core";
import type { RemoteResult } from "./protocol.ts";

type WireTarget = RemoteResult<"resolveTargets">["targets"][number];

/** A target as the contract has it: what is null on the wire is left out. */
export function toTarget({ id, host, port, ready, probe }: WireTarget): Target {
  return {
    id,
    host,
    port,
    ...(typeof ready === "boolean" && { ready }),
    ...(probe !== null && probe !== undefined && { probe: toProbe(probe) }),
  };
}

function toProbe({ path, port, status, headers }: NonNullable<WireTarget["probe"]>): HttpProbe {
  return {
    path,
    ...(typeof port === "number" && { port }),
    ...(typeof status === "number" && { status }),
    ...(headers !== null && headers !== undefined && { headers }),
  };
}
