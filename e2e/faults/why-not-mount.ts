import { execFileSync } from "node:child_process";

/** Why this process may not mount anything; undefined: it may. Tried in a namespace of its own, so that nothing stays. */
export function whyNotMount(): string | undefined {
  try {
    execFileSync("unshare", ["--mount", "mount", "-t", "tmpfs", "none", "/mnt"], { stdio: "ignore" });
    return undefined;
  } catch {
    return "it needs the right to mount: run it as root, in a container with --cap-add SYS_ADMIN";
  }
}
