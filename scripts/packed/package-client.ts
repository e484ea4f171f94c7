import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Archives } from "./pack-all.ts";
import { run } from "./run-command.ts";

/** The clients of npm's registry that people use. */
export const clientNames = ["npm", "pnpm", "yarn"] as const;

export type ClientName = (typeof clientNames)[number];

/** How a project installs archives of packages that depend on each other, and are in no registry yet. */
export interface PackageClient {
  /** Writes into the project that each of our packages means its archive, whoever asks for it. */
  prepare(project: string, archives: Archives): Promise<void>;
  install(project: string): Promise<void>;
}

/** Each client; pnpm and yarn come from the registry themselves. */
export const clients: Readonly<Record<ClientName, PackageClient>> = {
  npm: {
    prepare: async (project, overrides) => extendManifest(project, { overrides }),
    install: async (project) => void (await run(project, "npm", "install", "--no-audit", "--no-fund")),
  },
  pnpm: {
    async prepare(project, archives) {
      const lines = Object.entries(archives).map(([name, archive]) => `  "${name}": "${archive}"`);
      await writeFile(
        join(project, "pnpm-workspace.yaml"),
        `overrides:\n${lines.join("\n")}\nstrictDepBuilds: false\n`,
      );
    },
    install: async (project) => void (await run(project, "npx", "--yes", "pnpm@12", "install", "--no-frozen-lockfile")),
  },
  yarn: {
    async prepare(project, resolutions) {
      await extendManifest(project, { resolutions });
      const registry = (await run(project, "npm", "config", "get", "registry")).trim();
      const settings = ["nodeLinker: node-modules", "enableTelemetry: false", `npmRegistryServer: "${registry}"`];
      await writeFile(join(project, ".yarnrc.yml"), `${settings.join("\n")}\n`);
      // A lockfile of its own makes it a project, whatever lies above.
      await writeFile(join(project, "yarn.lock"), "");
    },
    install: async (project) =>
      void (await run(project, "npx", "--yes", "@yarnpkg/cli-dist@4", "install", "--no-immutable")),
  },
};

/** Adds members to a project's package.json. */
export async function extendManifest(project: string, members: object): Promise<void> {
  const file = join(project, "package.json");
  const manifest = JSON.parse(await readFile(file, "utf8")) as object;
  await writeFile(file, `${JSON.stringify({ ...manifest, ...members }, undefined, 2)}\n`);
}
