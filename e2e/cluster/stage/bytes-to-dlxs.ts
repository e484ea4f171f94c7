import type { ClusterStage } from "./cluster-stage.ts";
import { nodePath } from "../../kubernetes/build-image.ts";
import { releaseNamespace } from "./release.ts";

const script = 'console.log(require("node:fs").readFileSync("/proc/net/dev", "utf8"))';

/** Bytes that have come to all DLX pods so far, by their network devices. */
export async function bytesToDlxs({ hosts, tools }: ClusterStage): Promise<number> {
  let bytes = 0;
  for (const { name } of await hosts.pods("dlx")) {
    const command = ["exec", name, "--", nodePath, "--eval", script];
    const text = await tools.kubectl(["--namespace", releaseNamespace, ...command]);
    bytes += Number(/eth0:\s*(\d+)/.exec(text)?.[1]);
  }
  return bytes;
}
