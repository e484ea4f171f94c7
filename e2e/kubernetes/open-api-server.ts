import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { freePort } from "../harness/free-port.ts";
import { kubernetesHome } from "./find-server.ts";
import { onInterrupt } from "./on-interrupt.ts";
import { runScript, runScriptNow } from "./run-script.ts";

/** Settings of an API server for tests. */
export interface ApiServerOptions {
  /** Folder of kube-apiserver, and of the other programs where they are there. */
  readonly programs?: string;
  /** Whether the controllers run too: without them Deployments make no Pods, and namespaces never go away. */
  readonly hasControllers?: boolean;
  /** Further lines of the token file: `token,user,uid,"group"`. */
  readonly tokens?: string;
  /** Further flags of kube-apiserver, parted by spaces. */
  readonly apiFlags?: string;
}

/** Processes that tests may stop. */
type ServerProcess = "etcd" | "kube-apiserver" | "kube-controller-manager";

/** An API server with storage and controllers of its own, on ports that were free. */
export interface ApiServer extends AsyncDisposable {
  /** File with which its administrator gets in. */
  readonly kubeconfig: string;
  /** Logs, keys and data; gone once it is disposed. */
  readonly folder: string;
  /** Ends a process at once (`KILL`, unless given) or as it wishes (`TERM`). */
  stop(name: ServerProcess, signal?: "KILL" | "TERM"): Promise<void>;
  /** Runs it again. It takes a second or two until it answers. */
  start(name: ServerProcess): Promise<void>;
}

// The nodes that tests speak of do not exist, and these two would throw away the Pods there.
const controllerFlags = "--controllers=*,bootstrapsigner,tokencleaner,-nodelifecycle,-podgc";

/** Ports are free when they are chosen, and may be taken before they are used. */
const attempts = 3;

/**
 * Starts etcd, kube-apiserver and kube-controller-manager, which takes about six seconds. They end with the disposal,
 * when this process is interrupted, and when it dies.
 *
 * @throws Error with the end of the log, where one of them does not start
 */
export async function openApiServer(options: ApiServerOptions = {}): Promise<ApiServer> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await tryToOpen(options);
    } catch (error) {
      if (attempt === attempts || !/address already in use/.test(String(error))) throw error;
    }
  }
}

async function tryToOpen(options: ApiServerOptions): Promise<ApiServer> {
  const { programs = join(kubernetesHome(), "bin"), hasControllers = true, tokens = "", apiFlags = "" } = options;
  const parent = join(kubernetesHome(), "run");
  mkdirSync(parent, { recursive: true });
  const folder = mkdtempSync(join(parent, "api-"));
  const down = { RUN_DIR: folder, GRACE_SECONDS: "3" };
  const interrupt = onInterrupt(() => {
    runScriptNow("api-down.sh", down);
    rmSync(folder, { recursive: true, force: true });
  });
  const close = async (): Promise<void> => {
    interrupt[Symbol.dispose]();
    await runScript("api-down.sh", down);
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await runScript("api-up.sh", {
      ...down,
      K8S_BIN: programs,
      API_PORT: String(await freePort()),
      ETCD_PORT: String(await freePort()),
      ETCD_PEER_PORT: String(await freePort()),
      CONTROLLERS_PORT: String(await freePort()),
      CONTROLLERS: hasControllers ? "1" : "0",
      CONTROLLERS_EXTRA: controllerFlags,
      API_EXTRA: apiFlags,
      TOKENS: tokens,
      OWNER_PID: String(process.pid),
    });
  } catch (error) {
    await close();
    throw error;
  }
  return {
    kubeconfig: join(folder, "admin.kubeconfig"),
    folder,
    stop: async (name, signal = "KILL") => void (await runScript("process.sh", down, ["stop", name, signal])),
    start: async (name) => void (await runScript("process.sh", down, ["start", name])),
    [Symbol.asyncDispose]: close,
  };
}
