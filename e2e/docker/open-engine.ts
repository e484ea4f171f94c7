import { execFile, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { onInterrupt } from "../kubernetes/on-interrupt.ts";
import { dockerHome, type FoundEngine } from "./find-engine.ts";

const run = promisify(execFile);

/** A Docker Engine that tests may use, with the image `testImage` on it. */
export interface TestEngine extends AsyncDisposable {
  /** Path of its socket. */
  readonly socket: string;
  /** It was there before and goes on: there may be other people's containers. */
  readonly isForeign: boolean;
}

/** A web server on port 8080 that image.sh describes. */
export const testImage = "localhost/dormouse-test:1";

/**
 * Uses the engine that was found, or starts one, which takes a second. One that was started ends with the disposal, when
 * this process is interrupted, and when it dies.
 *
 * @throws Error with the end of its log, where it does not start
 */
export async function openEngine(found: Exclude<FoundEngine, { readonly kind: "none" }>): Promise<TestEngine> {
  if (found.kind === "engine") {
    await loadImage(found.socket);
    return { socket: found.socket, isForeign: true, [Symbol.asyncDispose]: async () => {} };
  }
  const parent = join(dockerHome(), "run");
  mkdirSync(parent, { recursive: true });
  const folder = mkdtempSync(join(parent, "engine-"));
  const down = { ...process.env, RUN_DIR: folder };
  const interrupt = onInterrupt(() => {
    spawnSync(pathOf("docker-down.sh"), { env: down, stdio: "ignore", timeout: 60_000 });
    rmSync(folder, { recursive: true, force: true });
  });
  const close = async (): Promise<void> => {
    interrupt[Symbol.dispose]();
    await run(pathOf("docker-down.sh"), { env: down });
    rmSync(folder, { recursive: true, force: true });
  };
  const socket = join(folder, "docker.sock");
  try {
    await run(pathOf("docker-up.sh"), { env: { ...down, OWNER_PID: String(process.pid) } });
    await loadImage(socket);
  } catch (error) {
    await close();
    throw error;
  }
  return { socket, isForeign: false, [Symbol.asyncDispose]: close };
}

async function loadImage(socket: string): Promise<void> {
  const folder = join(dockerHome(), "images");
  mkdirSync(folder, { recursive: true });
  const { stdout } = await run(pathOf("image.sh"), [testImage, folder]);
  await run("docker", ["-H", `unix://${socket}`, "load", "--quiet", "--input", stdout.trim()]);
}

function pathOf(name: string): string {
  return fileURLToPath(new URL(name, import.meta.url));
}
