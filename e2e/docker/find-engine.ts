import { spawnSync } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";

/** Where a Docker Engine for tests comes from. */
export type FoundEngine =
  /** One that runs already and belongs to somebody else. */
  | { readonly kind: "engine"; readonly socket: string }
  /** Programs to start one from. */
  | { readonly kind: "programs" }
  /** Nothing here; `why` says what is missing. */
  | { readonly kind: "none"; readonly why: string };

type Environment = Readonly<Record<string, string | undefined>>;

/** What enables the tests that need an engine, as one line. */
export const howToEnable =
  "on Linux start the Docker Engine, or set DOCKER_HOST=unix://PATH of one on this machine; or, as root on Debian, apt-get install docker.io busybox-static python3";

/** What an engine is started from, and what the image of the tests is made with. */
const programs = ["dockerd", "docker", "containerd", "runc", "busybox", "python3"];

/** Everything about engines that is kept between runs. */
export function dockerHome(environment: Environment = process.env): string {
  return environment["DOCKER_TEST_HOME"] ?? join(homedir(), ".cache/dormouse/docker");
}

/**
 * The first of: the engine of `DOCKER_HOST`, the one of this machine, one that can be started. Tests share files with it
 * and dial containers by their own addresses, so that one elsewhere is of no use.
 */
export function findEngine(environment: Environment = process.env): FoundEngine {
  if (process.platform !== "linux") return { kind: "none", why: "no Linux, on which containers could be dialled" };
  const host = environment["DOCKER_HOST"] ?? "";
  const socket = host === "" ? "/var/run/docker.sock" : host.replace(/^unix:\/\//, "");
  if (socket.startsWith("/") && isProgram("busybox", environment) && answers(socket)) return { kind: "engine", socket };
  if (host !== "") return { kind: "none", why: `no Docker Engine of this machine that answers at DOCKER_HOST=${host}` };
  const missing = programs.filter((name) => !isProgram(name, environment));
  if (missing.length > 0) return { kind: "none", why: `no Docker Engine, nor ${missing.join(", ")} to start one` };
  if (process.getuid?.() !== 0) return { kind: "none", why: "no Docker Engine, and only root can start one" };
  return { kind: "programs" };
}

function answers(socket: string): boolean {
  const { status } = spawnSync("docker", ["-H", `unix://${socket}`, "version"], { stdio: "ignore", timeout: 5_000 });
  return status === 0;
}

function isProgram(name: string, environment: Environment): boolean {
  return (environment["PATH"] ?? "").split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, name), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
