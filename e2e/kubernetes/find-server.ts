import { accessSync, constants, existsSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";

/** Where Kubernetes for tests comes from. */
export type FoundServer =
  /** A cluster that runs already and belongs to somebody else. */
  | { readonly kind: "cluster"; readonly kubeconfig: string }
  /** Programs to start one from. */
  | { readonly kind: "programs"; readonly folder: string; readonly hasControllers: boolean }
  /** Nothing here; `why` says what is missing. */
  | { readonly kind: "none"; readonly why: string };

/** Variables of the environment, as `process.env`. */
type Environment = Readonly<Record<string, string | undefined>>;

/** What enables the tests that need a server, as one line. */
export const howToEnable =
  "set KUBECONFIG to a test cluster (kind and k3s are the simple way), or KUBEBUILDER_ASSETS to a folder with etcd and kube-apiserver, or run e2e/kubernetes/build.sh as root on Debian";

/** Everything about Kubernetes that is kept between runs: programs, images, and the folders of running servers. */
export function kubernetesHome(environment: Environment = process.env): string {
  return environment["K8S_HOME"] ?? join(homedir(), ".cache/dormouse/kubernetes");
}

/**
 * The first of: the cluster of `KUBECONFIG`, the programs in `KUBEBUILDER_ASSETS`, those that `build.sh` made.
 *
 * @throws Error where a variable is set and leads nowhere: whoever set it does not want something else
 */
export function findServer(environment: Environment = process.env): FoundServer {
  const kubeconfig = environment["KUBECONFIG"];
  if (kubeconfig !== undefined && kubeconfig !== "") return { kind: "cluster", kubeconfig: firstFile(kubeconfig) };
  const assets = environment["KUBEBUILDER_ASSETS"];
  const isChosen = assets !== undefined && assets !== "";
  const found = fromFolder(isChosen ? assets : join(kubernetesHome(environment), "bin"), environment["PATH"] ?? "");
  if (isChosen && found.kind === "none") throw new Error(`KUBEBUILDER_ASSETS=${assets}: ${found.why}`);
  return found;
}

function firstFile(kubeconfig: string): string {
  const file = kubeconfig.split(delimiter).find((path) => existsSync(path));
  if (file === undefined) throw new Error(`KUBECONFIG=${kubeconfig}: there is no such file`);
  return file;
}

function fromFolder(folder: string, searchPath: string): FoundServer {
  if (!isProgram(join(folder, "kube-apiserver"))) return { kind: "none", why: `no kube-apiserver in ${folder}` };
  const hasEtcd = [folder, ...searchPath.split(delimiter)].some((place) => isProgram(join(place, "etcd")));
  if (!hasEtcd) return { kind: "none", why: `etcd is neither in ${folder} nor on PATH` };
  return { kind: "programs", folder, hasControllers: isProgram(join(folder, "kube-controller-manager")) };
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
