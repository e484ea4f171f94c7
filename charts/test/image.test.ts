import { globSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

const root = fileURLToPath(new URL("../../", import.meta.url));

interface Manifest {
  readonly name: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}

function readManifest(path: string): Manifest {
  return JSON.parse(readFileSync(`${root}${path}`, "utf8")) as Manifest;
}

it("the image holds the command and every first-party plugin", () => {
  const plugins = globSync("packages/{scaler-*,kubernetes,http-json}/package.json", { cwd: root });
  const expected = ["@dormouse/cli", "@dormouse/core", ...plugins.map((path) => readManifest(path).name)];
  expect(Object.keys(readManifest("image/package.json").dependencies ?? {}).toSorted()).toEqual(expected.toSorted());
});

it("the image runs on the Node that the tests run on", () => {
  const dockerfile = readFileSync(`${root}Dockerfile`, "utf8");
  const [, version] = /^ARG NODE_VERSION=(\S+)$/m.exec(dockerfile) ?? [];
  expect(version).toBe(readManifest("package.json").devDependencies?.["node"]);
});
