import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { freePort } from "../harness/free-port.ts";
import type { Image } from "./build-image.ts";
import { findServer, kubernetesHome } from "./find-server.ts";
import { onInterrupt } from "./on-interrupt.ts";
import { runScript, runScriptNow, type ScriptVariables } from "./run-script.ts";

const run = promisify(execFile);

/** Processes of a cluster of ours that tests may stop; a node takes all that runs on it along. */
type ClusterProcess = "etcd" | "kube-apiserver" | "kube-controller-manager" | "kube-scheduler" | `node${number}`;

/** A cluster with nodes on which containers run. */
export interface TestCluster extends AsyncDisposable {
  /** File with which its administrator gets in. */
  readonly kubeconfig: string;
  /** It is the one of `KUBECONFIG`: it has been there before, and its Services may not be reachable from this machine. */
  readonly isForeign: boolean;
  /** Logs of everything; undefined for a foreign one. */
  readonly folder: string | undefined;
  /** Brings an image onto every node. An image of the same name is replaced; containers that run keep theirs. */
  loadImage(image: Image): Promise<void>;
  /** Ends a process at once (`KILL`) or as it wishes (`TERM`); `start` runs it again, but for nodes. Not for foreign ones. */
  stop(name: ClusterProcess, signal?: "KILL" | "TERM"): Promise<void>;
  start(name: Exclude<ClusterProcess, `node${number}`>): Promise<void>;
}

/**
 * The cluster of `KUBECONFIG` if that is set, else one of our own on this machine, of the programs that `findServer` gives, which takes about ten seconds and is
 * gone with the disposal, when this process is interrupted, and when it dies.
 *
 * @param nodes how many nodes one of our own has
 * @throws Error that says what this machine lacks, where it has none and can have none
 */
export async function openCluster(nodes = 1): Promise<TestCluster> {
  const found = findServer();
  if (found.kind === "cluster") return foreignCluster(found.kubeconfig);
  return ownCluster(nodes, found.kind === "programs" ? { K8S_BIN: found.folder } : {});
}

async function ownCluster(nodes: number, programs: ScriptVariables): Promise<TestCluster> {
  const parent = join(kubernetesHome(), "run");
  mkdirSync(parent, { recursive: true });
  const folder = mkdtempSync(join(parent, "cluster-"));
  const variables = { RUN_DIR: folder, GRACE_SECONDS: "3" };
  const interrupt = onInterrupt(() => {
    runScriptNow("cluster-down.sh", variables);
    rmSync(folder, { recursive: true, force: true });
  });
  const close = async (): Promise<void> => {
    interrupt[Symbol.dispose]();
    await runScript("cluster-down.sh", variables);
    rmSync(folder, { recursive: true, force: true });
  };
  const ports = {
    ETCD_PORT: String(await freePort()),
    ETCD_PEER_PORT: String(await freePort()),
    CONTROLLERS_PORT: String(await freePort()),
    SCHEDULER_PORT: String(await freePort()),
  };
  try {
    const owner = { OWNER_PID: String(process.pid) };
    await runScript("cluster-up.sh", { ...variables, ...ports, ...programs, ...owner }, [String(nodes)]);
  } catch (error) {
    interrupt[Symbol.dispose]();
    // The script has cleaned up what it had begun, and nothing of a cluster that was up before.
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
  return {
    kubeconfig: join(folder, "admin.kubeconfig"),
    isForeign: false,
    folder,
    loadImage: async ({ archive }) => void (await runScript("load-image.sh", variables, [archive])),
    stop: async (name, signal = "KILL") => void (await runScript("process.sh", variables, ["stop", name, signal])),
    start: async (name) => void (await runScript("process.sh", variables, ["start", name])),
    [Symbol.asyncDispose]: close,
  };
}

function foreignCluster(kubeconfig: string): TestCluster {
  const refuse = async (): Promise<never> => {
    throw new Error("the cluster of KUBECONFIG is not ours: its processes are left alone");
  };
  return {
    kubeconfig,
    isForeign: true,
    folder: undefined,
    loadImage: async ({ name, archive }) => {
      const [program, ...parameters] = (process.env["LOAD_IMAGE"] ?? "").split(" ").filter((word) => word !== "");
      if (program === undefined) {
        throw new Error(`say how ${name} gets onto the nodes, for example LOAD_IMAGE="kind load image-archive"`);
      }
      await run(program, [...parameters, archive]);
    },
    stop: refuse,
    start: refuse,
    [Symbol.asyncDispose]: async () => {},
  };
}
