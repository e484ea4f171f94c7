import { readFileSync } from "node:fs";
import { join } from "node:path";
import { defineConfig } from "tsup";

interface PackageManifest {
  readonly bin?: Readonly<Record<string, string>>;
  readonly exports?: Readonly<Record<string, string | Readonly<Record<string, string>>>>;
}

/**
 * The entry points of the package in the working directory: what its `exports` and `bin` lead to, as source files. An
 * export without `default` is for this workspace alone and not built.
 */
function entryPoints(manifest: PackageManifest): string[] {
  const exported = Object.values(manifest.exports ?? {})
    .map((target) => (typeof target === "string" || !("default" in target) ? undefined : target["@dormouse/source"]))
    .filter((file) => file !== undefined);
  const commands = Object.values(manifest.bin ?? {}).map((file) =>
    file.replace(/^(\.\/)?dist\/(.*)\.js$/, "./src/$2.ts"),
  );
  return [...exported, ...commands];
}

const manifest = JSON.parse(readFileSync(join(process.cwd(), "package.json"), "utf8")) as PackageManifest;

export default defineConfig({
  entry: entryPoints(manifest),
  format: "esm",
  target: "node22",
  platform: "node",
  dts: Object.keys(manifest.exports ?? {}).length > 1,
  clean: true,
  sourcemap: true,
  splitting: true,
});
