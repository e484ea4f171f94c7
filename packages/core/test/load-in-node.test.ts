import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { runInNode } from "./run-in-node.ts";
import { TemporaryFolder } from "./temporary-folder.ts";

let folder: TemporaryFolder;

beforeEach(() => {
  folder = new TemporaryFolder();
});

afterEach(() => folder[Symbol.dispose]());

const scaler = `{ contract: 1, kind: "scaler", name: NAME, options: { "~standard": { version: 1, vendor: "test", validate: (value) => ({ value }) } }, create: async () => ({}) }`;
const scalerOf = (name: string): string => `export const scaler = ${scaler.replace("NAME", JSON.stringify(name))};`;

/** Loads `use` as a host in the temporary folder does, and prints the plugin's name. */
const load = (use: string): string =>
  `print((await core.loadScaler(${JSON.stringify(use)}, { configFolder: import.meta.dirname, hostUrl: import.meta.url })).name);`;

describe("a plugin loaded by Node itself", () => {
  it("may stand at a path with letters that a URL escapes", async () => {
    folder.write({ "my scaler #1 50%.mjs": scalerOf("mine") });
    expect(await runInNode(folder, load("./my scaler #1 50%.mjs"))).toBe("mine");
  });

  it("may be TypeScript beside the configuration", async () => {
    folder.write({
      "mine.ts": `const name: string = "typed";\nexport const scaler = ${scaler.replace("NAME", "name")};`,
    });
    expect(await runInNode(folder, load("./mine.ts"))).toBe("typed");
  });

  it("may be a CommonJS package", async () => {
    folder.write({
      "node_modules/old/package.json": JSON.stringify({ name: "old", main: "main.cjs" }),
      "node_modules/old/main.cjs": `exports.scaler = ${scaler.replace("NAME", '"old"')};`,
    });
    expect(await runInNode(folder, load("old"))).toBe("old");
  });

  it.each([
    ["its source condition, since core runs from its sources", [], "source"],
    ["a condition given as --conditions=", ["--conditions=special"], "special"],
    ["a condition given as -C and the next word", ["-C", "special"], "special"],
    ["a condition given as --conditions and the next word", ["--conditions", "special"], "special"],
  ])("is chosen by %s", async (_what, flags, name) => {
    folder.write({
      "node_modules/acme/package.json": JSON.stringify({
        name: "acme",
        type: "module",
        exports: { special: "./special.js", "@dormouse/source": "./source.js", default: "./built.js" },
      }),
      "node_modules/acme/special.js": scalerOf("special"),
      "node_modules/acme/source.js": scalerOf("source"),
      "node_modules/acme/built.js": scalerOf("built"),
    });
    expect(await runInNode(folder, load("acme"), flags)).toBe(name);
    // Node itself must agree, or the plugin would meet another copy of itself.
    expect(await runInNode(folder, `print((await import("acme")).scaler.name);`, flags)).toBe(name);
  });

  it("is one and the same however often it is loaded", async () => {
    folder.write({ "mine.mjs": scalerOf("mine") });
    const twice = `const origins = { configFolder: import.meta.dirname, hostUrl: import.meta.url };
      print((await core.loadScaler("./mine.mjs", origins)) === (await core.loadScaler(${JSON.stringify(join(folder.path, "mine.mjs"))}, origins)));`;
    expect(await runInNode(folder, twice)).toBe(true);
  });
});
