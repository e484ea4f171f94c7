import { ScalerError } from "@dormouse/core";
import type { ServerVersion } from "./cluster.ts";
import type { KubeClient } from "./kube-client.ts";

const oldest = { major: 1, minor: 19 };

/** Asks for the server's version. @throws ScalerError `SCALER_UNSUPPORTED` for one that is too old, or no version */
export async function readServerVersion(client: KubeClient): Promise<ServerVersion> {
  const answer = await client.request<{ major?: unknown; minor?: unknown; gitVersion?: unknown } | undefined>(
    "GET",
    "/version",
  );
  // Some providers write "29+".
  const major = Number.parseInt(String(answer?.major), 10);
  const minor = Number.parseInt(String(answer?.minor), 10);
  const text = typeof answer?.gitVersion === "string" ? answer.gitVersion : `${String(major)}.${String(minor)}`;
  if (Number.isNaN(major) || Number.isNaN(minor))
    throw new ScalerError("SCALER_UNSUPPORTED", `the server does not tell its version; is it a Kubernetes API server?`);
  if (major < oldest.major || (major === oldest.major && minor < oldest.minor))
    throw new ScalerError("SCALER_UNSUPPORTED", `Kubernetes ${text} is too old: Dormouse needs 1.19 or newer`);
  return { major, minor, text };
}
