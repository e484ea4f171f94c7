import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, it } from "node:test";
import { defaultPolicy, loadScaler, openScaler, silentLogger, systemClock } from "@dormouse/core";

const folder = join(import.meta.dirname, "..");
const context = { id: "threads", logger: silentLogger, clock: systemClock, defaults: defaultPolicy };

void describe("the plugin", () => {
  void it("is loaded by a path, as dormouse.yaml has it", async () => {
    const { name, contract } = await load();
    assert.deepEqual({ name, contract }, { name: "worker", contract: 1 });
  });

  void it("names the place of a wrong option, and of a wrong policy", async () => {
    const resource = { name: "hello", module: "hello.mjs", port: 3100 };
    await assert.rejects(openWith({ ...resource, portt: 1 }), /threads\.resources\[0\].*portt/);
    await assert.rejects(
      openWith({ ...resource, policy: { idleAfter: "soon" } }),
      /threads\.resources\[0\]\.policy\.idleAfter/,
    );
  });
});

function load(): ReturnType<typeof loadScaler> {
  return loadScaler("./src/index.ts", { configFolder: folder, hostUrl: import.meta.url });
}

async function openWith(resource: object): Promise<void> {
  const scaler = await openScaler(await load(), { resources: [resource] }, context);
  await scaler[Symbol.asyncDispose]();
}
