import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { type Archives, onlyArchive } from "./pack-all.ts";
import { clients, extendManifest } from "./package-client.ts";
import { run } from "./run-command.ts";

/** A scaler as a stranger has it after an afternoon's first ten minutes. */
export interface CreatedScaler {
  readonly folder: string;
  /** Of its own package, as it would be published. */
  readonly archive: string;
}

/** Runs what `npm create @dormouse/scaler acme` runs, then `npm install`, `npm test` and `npm run check` there. */
export async function createScaler(folder: string, archives: Archives): Promise<CreatedScaler> {
  await mkdir(folder, { recursive: true });
  const command = archives["@dormouse/create-scaler"] ?? "";
  await run(folder, "npm", "exec", "--yes", `--package=${command}`, "--", "create-scaler", "acme");
  const scaler = join(folder, "dormouse-scaler-acme");
  await pointAtArchives(scaler, archives);
  await clients.npm.prepare(scaler, archives);
  await clients.npm.install(scaler);
  const tests = await run(scaler, "npm", "test");
  if (!/scorecard of acme: contract \d/.test(tests)) throw new Error(`npm test printed no scorecard:\n${tests}`);
  await run(scaler, "npm", "run", "check");
  const packed = join(folder, "packed");
  await mkdir(packed);
  await run(scaler, "npm", "pack", "--pack-destination", packed);
  return { folder: scaler, archive: await onlyArchive(packed) };
}

/** Its own dependencies are written as versions, which no registry has yet. */
async function pointAtArchives(scaler: string, archives: Archives): Promise<void> {
  const manifest = JSON.parse(await readFile(join(scaler, "package.json"), "utf8")) as {
    readonly devDependencies: Readonly<Record<string, string>>;
  };
  const devDependencies: Record<string, string> = {};
  for (const [name, wanted] of Object.entries(manifest.devDependencies))
    devDependencies[name] = archives[name] ?? wanted;
  await extendManifest(scaler, { devDependencies });
}
