import { readdirSync, readFileSync } from "node:fs";
import type { ClusterStage } from "./cluster-stage.ts";
import type { HostPod } from "./hosts.ts";

/** Why processes in Pods cannot be killed from here. */
export function whyNoKill({ cluster }: ClusterStage): string | undefined {
  return cluster.isForeign ? "the processes of a foreign cluster are out of reach" : undefined;
}

/** Ends Dormouse in a pod by SIGKILL, from the machine's side; the kubelet starts it again. */
export function killProcess({ name, uid }: HostPod): void {
  const pids = readdirSync("/proc").filter((entry) => /^\d+$/.test(entry) && isOf(entry, uid));
  if (pids.length === 0) throw new Error(`no process of ${name} was found`);
  for (const pid of pids) process.kill(Number(pid), "SIGKILL");
}

function isOf(pid: string, uid: string): boolean {
  try {
    const isInPod = readFileSync(`/proc/${pid}/cgroup`, "utf8").includes(`pod${uid}`);
    return isInPod && readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("dormouse");
  } catch {
    return false; // it has just ended
  }
}
