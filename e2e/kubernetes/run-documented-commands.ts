import { spawn } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ClientTools } from "./client-tools.ts";

/** One block of commands as a page has it, with what it printed. */
export interface RunCommands {
  readonly commands: string;
  readonly output: string;
}

/** What stands between the commands of a page and a cluster without registry and name service. */
export interface CommandSurroundings {
  readonly kubeconfig: string;
  readonly tools: ClientTools;
  /** Values that every `helm install` gets besides its own. */
  readonly helmValues: string;
  /** Images of the page and of its examples, and what the cluster has in their place. */
  readonly images: Readonly<Record<string, string>>;
  /** Called with each block before it runs. */
  readonly told?: (commands: string) => void;
}

/**
 * Runs every `sh` block of a Markdown page, in order, from the root of the repository. Images are exchanged, and nothing
 * else.
 *
 * @throws Error with the block and all that it printed where one does not end with 0
 */
export async function runDocumentedCommands(
  page: string,
  surroundings: CommandSurroundings,
): Promise<readonly RunCommands[]> {
  const folder = mkdtempSync(join(tmpdir(), "dormouse-commands-"));
  const ran: RunCommands[] = [];
  try {
    writeTools(folder, surroundings);
    const path = `${folder}:${process.env["PATH"] ?? ""}`;
    const env = { PATH: path, HOME: folder, KUBECONFIG: surroundings.kubeconfig };
    for (const commands of blocksOf(readFileSync(page, "utf8"))) {
      surroundings.told?.(commands);
      ran.push({ commands, output: await run(commands, env) });
    }
    return ran;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The texts of all `sh` blocks. */
function blocksOf(markdown: string): readonly string[] {
  return [...markdown.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(([, commands = ""]) => commands);
}

/** `helm` and `kubectl` on the path, with the other images. */
function writeTools(folder: string, { tools, helmValues, images }: CommandSurroundings): void {
  const exchange = Object.entries(images).map(([from, to]) => `-e 's|${from}|${to}|g'`);
  writeTool(folder, "helm", [
    'if [[ $1 == install ]]; then set -- "$@" --values ' + JSON.stringify(helmValues) + "; fi",
    `exec ${JSON.stringify(tools.helmPath)} "$@"`,
  ]);
  writeTool(folder, "kubectl", [
    "arguments=()",
    'for argument in "$@"; do',
    "  if [[ $argument == *.yaml && -f $argument ]]; then",
    `    exchanged=${JSON.stringify(folder)}/$(basename "$argument")`,
    `    sed ${exchange.join(" ")} "$argument" >"$exchanged"`,
    "    argument=$exchanged",
    "  fi",
    "  if [[ $argument == --image=* ]]; then",
    "    arguments+=(--image-pull-policy=Never --command)",
    `    argument=$(sed ${exchange.join(" ")} <<<"$argument")`,
    "  fi",
    '  arguments+=("$argument")',
    "done",
    `exec ${JSON.stringify(tools.kubectlPath)} "\${arguments[@]}"`,
  ]);
}

function writeTool(folder: string, name: string, lines: readonly string[]): void {
  const file = join(folder, name);
  writeFileSync(file, ["#!/usr/bin/env bash", "set -euo pipefail", ...lines, ""].join("\n"));
  chmodSync(file, 0o755);
}

/** Longest time of one block; an uninstall waits for everything to wake. */
const limitMs = 600_000;

async function run(commands: string, env: Readonly<Record<string, string>>): Promise<string> {
  const child = spawn("bash", ["-euo", "pipefail", "-c", commands], {
    env,
    timeout: limitMs,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  const take = (text: string): void => void (output += text);
  child.stdout.setEncoding("utf8").on("data", take);
  child.stderr.setEncoding("utf8").on("data", take);
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  if (code !== 0) throw new Error(`ended with ${String(code)}:\n${commands}\n${output}`);
  return output;
}
