import { readdirSync, readFileSync, symlinkSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runInNode } from "./run-in-node.ts";
import { TemporaryFolder } from "./temporary-folder.ts";

/*
 * A plugin may bring its own copy of core: another version, or one that the package manager did not share. Here it is a
 * real second copy, transpiled from these sources into the plugin's own node_modules, since Node strips no types there.
 */

const source = fileURLToPath(new URL("../src/", import.meta.url));
const folder = new TemporaryFolder();

beforeAll(() => {
  const copy = "node_modules/acme/node_modules/@dormouse/core";
  folder.write({
    [`${copy}/package.json`]: JSON.stringify({
      name: "@dormouse/core",
      version: "1.2.3",
      type: "module",
      exports: "./index.js",
    }),
  });
  for (const file of readdirSync(source, { recursive: true, encoding: "utf8" })) {
    if (!file.endsWith(".ts") || file.endsWith(".test.ts")) continue;
    const text = stripTypeScriptTypes(readFileSync(join(source, file), "utf8"));
    folder.write({
      [join(copy, file.replace(/\.ts$/, ".js"))]: text.replaceAll(/(from ")(\.[^"]*)\.ts(")/g, "$1$2.js$3"),
    });
  }
  symlinkSync(fileURLToPath(new URL("../node_modules", import.meta.url)), join(folder.path, copy, "node_modules"));
  folder.write({
    "node_modules/acme/package.json": JSON.stringify({ name: "acme", type: "module", exports: "./index.js" }),
    "node_modules/acme/index.js": `
      import { ConfigError, defineScaler, ScalerError, parsePolicy, systemClock } from "@dormouse/core";
      import { z } from "@dormouse/core/node_modules/zod/index.js";
      export { ConfigError, ScalerError };
      export const scaler = defineScaler({
        contract: 1,
        name: "acme",
        options: z.strictObject({ image: z.string(), policy: z.unknown().optional() }),
        async create(options, context) {
          const policy = parsePolicy(options.policy, context.defaults, "policy");
          const resource = { ref: { namespace: "default", name: "web" }, desired: 0, ready: 0, wakeReplicas: 1, version: "v1",
            ports: [], policy, createdAt: systemClock.now(), updatedAt: systemClock.now() };
          return {
            capabilities: { replicas: "one", watch: false, routing: false, compareAndSet: true, settleWithinMs: 0 },
            listResources: async () => [resource],
            getResource: async () => resource,
            setScale: () => Promise.reject(new ScalerError("SCALER_QUOTA", "none left", { retryAfterMs: 7 })),
            resolveTargets: async () => [],
            [Symbol.asyncDispose]: async () => {},
          };
        },
      });`.replace(
      "@dormouse/core/node_modules/zod/index.js",
      fileURLToPath(new URL("../node_modules/zod/index.js", import.meta.url)),
    ),
  });
});

afterAll(() => folder[Symbol.dispose]());

const open = (options: string): string => `
  const origins = { configFolder: import.meta.dirname, hostUrl: import.meta.url };
  const plugin = await core.loadScaler("acme", origins);
  const context = { id: "acme", logger: core.silentLogger, clock: core.systemClock, defaults: core.defaultPolicy };
  const opening = core.openScaler(plugin, ${options}, context, { place: "scalers[0].options" });`;

describe("a plugin with a copy of core of its own", () => {
  it("really has another copy", async () => {
    const body = `const { ScalerError, ConfigError } = await import("acme");
      print([ScalerError === core.ScalerError, ConfigError === core.ConfigError, new ScalerError("SCALER_QUOTA", "x") instanceof core.ScalerError]);`;
    expect(await runInNode(folder, body)).toEqual([false, false, false]);
  });

  it("is loaded, opened and used", async () => {
    const body = `${open(`{ image: "x", policy: { idleAfter: "10s" } }`)}
      const scaler = await opening;
      const [resource] = await scaler.listResources();
      await scaler[Symbol.asyncDispose]();
      print([scaler.plugin, resource.policy.idleAfter, resource.policy.holdTimeout]);`;
    expect(await runInNode(folder, body)).toEqual(["acme", 10_000, 60_000]);
  });

  it("has its errors understood", async () => {
    const body = `${open(`{ image: "x" }`)}
      const error = await (await opening).setScale({ namespace: "default", name: "web" }, 1).catch((error) => error);
      print([core.isScalerError(error), error instanceof core.ScalerError, error.code, error.retryAfterMs]);`;
    expect(await runInNode(folder, body)).toEqual([true, false, "SCALER_QUOTA", 7]);
  });

  it("has what it says of its options understood, with places below them", async () => {
    const body = `${open(`{ image: "x", policy: { idelAfter: "10s" } }`)}
      const error = await opening.catch((error) => error);
      print([core.isConfigError(error), error.message]);`;
    expect(await runInNode(folder, body)).toEqual([
      true,
      'scalers[0].options.policy.idelAfter: is no known key; did you mean "idleAfter"?',
    ]);
  });

  it("has its options explained by the host, which asks the plugin's own copy of the schema library", async () => {
    const body = `${open(`{ imgae: "x", image: "y" }`)}
      print((await opening.catch((error) => error)).message);`;
    expect(await runInNode(folder, body)).toBe('scalers[0].options.imgae: is no known key; did you mean "image"?');
  });
});
