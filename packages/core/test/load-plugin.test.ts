import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { definePort, loadPort, loadScaler, type PluginOrigins, ScalerError } from "../src/index.ts";
import { TemporaryFolder } from "./temporary-folder.ts";

let folder: TemporaryFolder;
let origins: PluginOrigins;

beforeEach(() => {
  folder = new TemporaryFolder();
  folder.write({ "config/dormouse.yaml": "", "host/bin.js": "", "plugins/.keep": "" });
  origins = {
    configFolder: join(folder.path, "config"),
    pluginDir: "../plugins",
    hostUrl: pathToFileURL(join(folder.path, "host/bin.js")).href,
  };
});

afterEach(() => folder[Symbol.dispose]());

const schema = `{ "~standard": { version: 1, vendor: "test", validate: (value) => ({ value }) } }`;
const scalerOf = (name: string, contract = 1): string =>
  `export const scaler = { contract: ${contract}, kind: "scaler", name: "${name}", options: ${schema}, create: async () => ({}) };`;

/** An import-only package: `require` would not find it. */
function packageAt(
  path: string,
  text: string,
  manifest: object = { exports: { import: "./index.js" } },
): Record<string, string> {
  return {
    [`${path}/package.json`]: JSON.stringify({ name: "x", version: "1.0.0", type: "module", ...manifest }),
    [`${path}/index.js`]: text,
  };
}

async function failureOf(use: string, from = origins): Promise<ScalerError> {
  return loadScaler(use, from).then(
    () => Promise.reject(new Error("it was loaded")),
    (error: unknown) => (error instanceof ScalerError ? error : Promise.reject(error)),
  );
}

describe("loadScaler finds", () => {
  it("a path, relative to the configuration file", async () => {
    folder.write({ "config/mine.mjs": scalerOf("mine"), "beside/other.mjs": scalerOf("other") });
    expect((await loadScaler("./mine.mjs", origins)).name).toBe("mine");
    expect((await loadScaler("../beside/other.mjs", origins)).name).toBe("other");
    expect((await loadScaler(join(folder.path, "beside/other.mjs"), origins)).name).toBe("other");
    expect((await loadScaler(pathToFileURL(join(folder.path, "config/mine.mjs")).href, origins)).name).toBe("mine");
  });

  it("a plugin in TypeScript", async () => {
    folder.write({
      "config/mine.ts": `const contract: number = 1;\n${scalerOf("typed").replace("contract: 1", "contract")}`,
    });
    expect((await loadScaler("./mine.ts", origins)).name).toBe("typed");
  });

  it("a package beside the configuration, then in pluginDir, then beside the host", async () => {
    folder.write(packageAt("host/node_modules/@acme/scaler", scalerOf("host")));
    expect((await loadScaler("@acme/scaler", origins)).name).toBe("host");
    folder.write(packageAt("plugins/node_modules/@acme/scaler", scalerOf("plugin-dir")));
    expect((await loadScaler("@acme/scaler", origins)).name).toBe("plugin-dir");
    folder.write(packageAt("node_modules/@acme/scaler", scalerOf("above-config")));
    expect((await loadScaler("@acme/scaler", origins)).name).toBe("above-config");
  });

  it("a file within a package", async () => {
    folder.write(packageAt("config/node_modules/acme", scalerOf("main"), { exports: { "./second": "./second.js" } }));
    folder.write({ "config/node_modules/acme/second.js": scalerOf("second") });
    expect((await loadScaler("acme/second", origins)).name).toBe("second");
  });

  it("a short name as ours first, wherever it is, and as the package of that name after it", async () => {
    folder.write(packageAt("config/node_modules/nomad", scalerOf("theirs")));
    expect((await loadScaler("nomad", origins)).name).toBe("theirs");
    folder.write(packageAt("host/node_modules/@dormouse/scaler-nomad", scalerOf("ours")));
    expect((await loadScaler("nomad", origins)).name).toBe("ours");
  });

  it("the embedded process scaler from the command line's own dependencies", async () => {
    const hostUrl = new URL("../../cli/src/bin.ts", import.meta.url).href;
    expect(await loadScaler("process", { configFolder: origins.configFolder, hostUrl })).toMatchObject({
      name: "process",
      contract: 1,
    });
  });
});

describe("loadScaler refuses, with the mend,", () => {
  it("what is nowhere, and says where it looked", async () => {
    const error = await failureOf("nomad");
    expect(error.code).toBe("PLUGIN_NOT_FOUND");
    expect(error.message).toBe(
      `plugin "nomad" was not found: no package @dormouse/scaler-nomad or nomad from ${join(folder.path, "config")}, ${join(folder.path, "plugins")}, the dormouse installation itself; npm install @dormouse/scaler-nomad`,
    );
    expect((await failureOf("@acme/nope")).message).toMatch(/no package @acme\/nope from .*; npm install @acme\/nope$/);
  });

  it("a builtin module of Node under a short name", async () => {
    expect((await failureOf("http")).code).toBe("PLUGIN_NOT_FOUND");
  });

  it("a path that is not there, or a folder", async () => {
    expect(await failureOf("./nope.mjs")).toMatchObject({
      code: "PLUGIN_NOT_FOUND",
      message: `plugin "./nope.mjs" was not found: there is no file ${join(folder.path, "config/nope.mjs")}; paths are relative to the configuration file`,
    });
    expect(await failureOf("..")).toMatchObject({
      code: "PLUGIN_NOT_FOUND",
      message: 'plugin ".." is a folder; name the file in it that exports the plugin',
    });
  });

  it("what is no package name", async () => {
    expect((await failureOf("@")).code).toMatch(/^PLUGIN_/);
    expect((await failureOf("a b")).code).toBe("PLUGIN_NOT_FOUND");
  });

  it("a package that was not built or exports nothing", async () => {
    folder.write({
      "config/node_modules/unbuilt/package.json": JSON.stringify({ name: "unbuilt", exports: "./dist/index.js" }),
    });
    const unbuilt = await failureOf("unbuilt");
    expect(unbuilt.code).toBe("PLUGIN_INVALID");
    expect(unbuilt.message).toContain(join(folder.path, "config/node_modules/unbuilt/dist/index.js"));
    folder.write({
      "config/node_modules/closed/package.json": JSON.stringify({ name: "closed", exports: { "./x": "./x.js" } }),
    });
    expect((await failureOf("closed")).code).toBe("PLUGIN_INVALID");
  });

  it("one that throws on import, with its reason", async () => {
    folder.write({ "config/throws.mjs": `throw new Error("no license");` });
    const error = await failureOf("./throws.mjs");
    expect(error).toMatchObject({ code: "PLUGIN_INVALID", cause: { message: "no license" } });
    expect(error.message).toMatch(/^plugin "\.\/throws\.mjs" \(file:.*throws\.mjs\) failed on import: no license$/);
  });

  it("one that cannot be parsed, or imports what is missing", async () => {
    folder.write({ "config/broken.mjs": "export const = 1;", "config/needs.mjs": `import "not-installed";` });
    expect((await failureOf("./broken.mjs")).code).toBe("PLUGIN_INVALID");
    expect((await failureOf("./needs.mjs")).message).toContain("not-installed");
  });

  it("one of another contract, and names both", async () => {
    folder.write({ "config/newer.mjs": scalerOf("newer", 2), "config/older.mjs": scalerOf("older", 0) });
    expect(await failureOf("./newer.mjs")).toMatchObject({
      code: "PLUGIN_CONTRACT",
      message:
        'plugin "./newer.mjs" is made for contract 2, and this Dormouse has contract 1; install a newer Dormouse, or an older version of the plugin',
    });
    expect((await failureOf("./older.mjs")).message).toMatch(
      /contract 0, .* contract 1; install a newer version of the plugin$/,
    );
  });

  it.each([
    ["export const other = 1, another = 2;", 'it has no export "scaler"; it exports another, other'],
    ["", 'it has no export "scaler"; it exports nothing'],
    ["export default 1;", 'it has no export "scaler"; it exports default'],
    ["export const scaler = () => {};", 'its export "scaler" is no object'],
    ["export const scaler = null;", 'its export "scaler" is no object'],
    [
      "export const scaler = {};",
      'contract must be 1, not undefined; kind must be "scaler", not undefined (make it by defineScaler); name must be kebab-case, not undefined; options must be a Standard Schema; create must be a function',
    ],
    [scalerOf("Mine"), 'name must be kebab-case, not "Mine"'],
    [scalerOf("mine").replace(schema, "{}"), "options must be a Standard Schema"],
    [scalerOf("mine").replace("create:", "reconfigure: 1, create:"), "reconfigure must be a function or left out"],
    [
      scalerOf("mine").replace(`kind: "scaler"`, `kind: "metricsSource"`),
      'kind must be "scaler", not "metricsSource" (make it by defineScaler)',
    ],
  ])("one that is not of the form: %s", async (text, problem) => {
    folder.write({ "config/mine.mjs": text });
    expect(await failureOf("./mine.mjs")).toMatchObject({
      code: "PLUGIN_INVALID",
      message: `plugin "./mine.mjs" is not of the contract's form: ${problem}`,
    });
  });
});

describe("loadPort", () => {
  const portOf = (name: string, kind = "metricsSource"): string =>
    `export const ${kind} = { contract: 1, kind: "${kind}", name: "${name}", options: ${schema}, create: async () => ({}) };`;
  const own = definePort("metricsSource", {
    name: "dlx",
    options: { "~standard": { version: 1, vendor: "test", validate: (value) => ({ value }) } },
    create: () => Promise.reject(new Error("not opened here")),
  });

  it("takes what is built in before anything else", async () => {
    folder.write(packageAt("config/node_modules/@dormouse/metrics-dlx", portOf("other")));
    expect(await loadPort("metricsSource", "dlx", { ...origins, builtIn: { dlx: own } })).toBe(own);
    expect((await loadPort("metricsSource", "dlx", origins)).name).toBe("other");
  });

  it("knows no inherited name as built in", async () => {
    await expect(loadPort("metricsSource", "toString", { ...origins, builtIn: {} })).rejects.toMatchObject({
      code: "PLUGIN_NOT_FOUND",
    });
  });

  it.each([
    ["metricsSource", "@dormouse/metrics-acme"],
    ["routeSource", "@dormouse/routes-acme"],
    ["peerDiscovery", "@dormouse/peers-acme"],
    ["leaderElector", "@dormouse/leader-acme"],
    ["peerDiscovery", "@dormouse/acme"],
    ["leaderElector", "acme"],
  ] as const)("finds a %s by its short name as %s", async (kind, name) => {
    folder.write(packageAt(`config/node_modules/${name}`, portOf("found", kind)));
    expect(await loadPort(kind, "acme", origins)).toMatchObject({ kind, name: "found" });
  });

  it("says which packages it looked for", async () => {
    await expect(loadPort("metricsSource", "acme", origins)).rejects.toThrow(
      "no package @dormouse/metrics-acme or @dormouse/acme or acme from",
    );
  });

  it("refuses a plugin of another port", async () => {
    folder.write({ "config/mine.mjs": portOf("mine", "routeSource") });
    await expect(loadPort("metricsSource", "./mine.mjs", origins)).rejects.toThrow(
      'it has no export "metricsSource"; it exports routeSource',
    );
  });
});
