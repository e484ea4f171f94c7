import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, it } from "node:test";
import { defaultPolicy, loadScaler, openScaler, silentLogger, systemClock } from "@dormouse/core";

const context = { id: "example", logger: silentLogger, clock: systemClock, defaults: defaultPolicy };

describe("the plugin", () => {
  it("is loaded by a host, as dormouse.yaml has it", async () => {
    const { name, contract } = await load();
    assert.deepEqual({ name, contract }, { name: "example", contract: 1 });
  });

  it("names the place of a wrong option", async () => {
    const url = "http://127.0.0.1:3900";
    await assert.rejects(async () => openScaler(await load(), { url, tokn: "secret" }, context), /example\.tokn|tokn/);
    await assert.rejects(async () => openScaler(await load(), { url: "nowhere" }, context), /example\.url/);
  });
});

function load(): ReturnType<typeof loadScaler> {
  return loadScaler("./src/index.ts", { configFolder: join(import.meta.dirname, ".."), hostUrl: import.meta.url });
}
