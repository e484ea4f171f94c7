import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runScript } from "./run-script.ts";

/** How a tool is run. */
export interface ToolOptions {
  /** What it reads from its standard input; nothing unless given. */
  readonly input?: string;
  /** Folder that it runs in; this process's own unless given. */
  readonly cwd?: string;
  /** Time after which it is killed, in milliseconds; two minutes unless given. */
  readonly limitMs?: number;
}

/** What a tool did. */
export interface ToolResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** helm and kubectl against one cluster, with settings and caches of their own. */
export interface ClientTools extends Disposable {
  /** Paths of the programs. */
  readonly helmPath: string;
  readonly kubectlPath: string;
  /** Both give what was printed. @throws Error with all of it where the program does not end with 0 */
  helm(parameters: readonly string[], options?: ToolOptions): Promise<string>;
  kubectl(parameters: readonly string[], options?: ToolOptions): Promise<string>;
  /** The same for those who want to see it fail. */
  try(tool: "helm" | "kubectl", parameters: readonly string[], options?: ToolOptions): Promise<ToolResult>;
}

/**
 * helm 4 and kubectl 1.35, fetched at the first use (36 MB) and kept.
 *
 * @param kubeconfig the cluster that they speak to; without one they only render and check
 */
export async function openClientTools(kubeconfig = "/dev/null"): Promise<ClientTools> {
  const printed = await runScript("tools.sh");
  const pathOf = (name: string): string => new RegExp(`^${name}=(.*)$`, "m").exec(printed)?.[1] ?? "";
  const paths = { helm: pathOf("HELM"), kubectl: pathOf("KUBECTL") };
  const home = mkdtempSync(join(tmpdir(), "dormouse-tools-"));
  const environment = { PATH: process.env["PATH"] ?? "", HOME: home, KUBECONFIG: kubeconfig };

  const attempt: ClientTools["try"] = async (tool, parameters, options = {}) =>
    runTool(paths[tool], parameters, environment, options);
  const run = async (
    tool: "helm" | "kubectl",
    parameters: readonly string[],
    options?: ToolOptions,
  ): Promise<string> => {
    const { code, stdout, stderr } = await attempt(tool, parameters, options);
    if (code === 0) return stdout;
    throw new Error(`${tool} ${parameters.join(" ")} ended with ${String(code)}:\n${stderr}${stdout}`);
  };
  return {
    helmPath: paths.helm,
    kubectlPath: paths.kubectl,
    helm: (parameters, options) => run("helm", parameters, options),
    kubectl: (parameters, options) => run("kubectl", parameters, options),
    try: attempt,
    [Symbol.dispose]: () => rmSync(home, { recursive: true, force: true }),
  };
}

async function runTool(
  path: string,
  parameters: readonly string[],
  env: Readonly<Record<string, string>>,
  { input = "", cwd = process.cwd(), limitMs = 120_000 }: ToolOptions,
): Promise<ToolResult> {
  const child = spawn(path, parameters, { cwd, env, timeout: limitMs, killSignal: "SIGKILL" });
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  // It may end before it has read everything.
  child.stdin.on("error", () => {});
  child.stdin.end(input);
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  return { code, stdout, stderr };
}
