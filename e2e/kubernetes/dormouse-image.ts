import { execFile } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { buildImage, nodePath } from "./build-image.ts";
import type { Image } from "./build-image.ts";

const run = promisify(execFile);
const workspace = fileURLToPath(new URL("../../", import.meta.url));

/** Which Dormouse goes into the image. */
export interface DormouseImageOptions {
  /** `localhost/dormouse:test` unless given. */
  readonly name?: string;
  /** Whether the packages are built first; they are unless given. */
  readonly buildsFirst?: boolean;
}

/**
 * An image of Dormouse with all scalers, from the working tree: packages are packed as they would be published, and
 * installed by npm with what they depend on. Its containers run `dormouse`; arguments say what of it.
 *
 * @throws Error with what npm or a build said, where one fails
 */
export async function buildDormouseImage(options: DormouseImageOptions = {}): Promise<Image> {
  const { name = "localhost/dormouse:test", buildsFirst = true } = options;
  if (buildsFirst) await pnpm("run", "build");
  return buildImage({
    name,
    fill: async (root) => {
      await installPackages(join(root, "app"));
      putOnPath(root);
    },
    entrypoint: [nodePath, "/app/node_modules/@dormouse/cli/dist/bin.js"],
  });
}

/** For `kubectl exec … -- dormouse`: its first line asks for `env`, which busybox is by that name. */
function putOnPath(root: string): void {
  symlinkSync("/app/node_modules/.bin/dormouse", join(root, "usr/bin/dormouse"));
  const busybox = ["/usr/bin/busybox", "/bin/busybox"].find((path) => existsSync(path));
  if (busybox !== undefined) copyFileSync(busybox, join(root, "usr/bin/env"));
}

async function installPackages(folder: string): Promise<void> {
  const archives = mkdtempSync(join(tmpdir(), "dormouse-packages-"));
  try {
    await pnpm("--recursive", "--filter", "./packages/*", "pack", "--pack-destination", archives);
    const missing = publicPackages().filter((each) => !existsSync(join(archives, archiveOf(each))));
    if (missing.length > 0) throw new Error(`not packed: ${missing.map((each) => each.name).join(", ")}`);
    const dependencies = publicPackages().map((each) => [each.name, `file:${join(archives, archiveOf(each))}`]);
    mkdirSync(folder, { recursive: true });
    const manifest = {
      name: "dormouse-image",
      private: true,
      dependencies: Object.fromEntries(dependencies) as object,
    };
    writeFileSync(join(folder, "package.json"), JSON.stringify(manifest));
    const quiet = ["--no-audit", "--no-fund", "--ignore-scripts", "--no-package-lock", "--prefer-offline"];
    await command("npm", ["install", ...quiet], folder);
    // It names folders of this machine.
    rmSync(join(folder, "package.json"));
    rmSync(join(folder, "node_modules/.package-lock.json"), { force: true });
  } finally {
    rmSync(archives, { recursive: true, force: true });
  }
}

interface PackageManifest {
  readonly name: string;
  readonly version: string;
  readonly private?: boolean;
}

function publicPackages(): readonly PackageManifest[] {
  return readdirSync(join(workspace, "packages"))
    .map((folder) => join(workspace, "packages", folder, "package.json"))
    .filter((file) => existsSync(file))
    .map((file) => JSON.parse(readFileSync(file, "utf8")) as PackageManifest)
    .filter((manifest) => manifest.private !== true);
}

function archiveOf({ name, version }: PackageManifest): string {
  return `${name.replace("@", "").replace("/", "-")}-${version}.tgz`;
}

async function pnpm(...parameters: readonly string[]): Promise<void> {
  await command("npx", ["--yes", "pnpm@12", ...parameters], workspace);
}

async function command(program: string, parameters: readonly string[], cwd: string): Promise<void> {
  try {
    await run(program, parameters, { cwd, maxBuffer: 64 * 1_024 * 1_024 });
  } catch (error) {
    const { stdout = "", stderr = "" } = error as { stdout?: string; stderr?: string };
    const said = `${stdout}${stderr}`.slice(-8_000);
    throw new Error(`${program} ${parameters.join(" ")} failed: ${said}`, { cause: error });
  }
}
