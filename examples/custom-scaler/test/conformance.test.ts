import { copyFile, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { type TestPlatform, testScaler } from "@dormouse/conformance";
import { freePort } from "@dormouse/core/testing";
import { scaler as plugin } from "../src/index.ts";

testScaler({ describe, it, plugin, open });

async function open(): Promise<TestPlatform> {
  const folder = await mkdtemp(join(tmpdir(), "dormouse-worker-"));
  const module = join(folder, "service.mjs");
  await copyFile(join(import.meta.dirname, "switched-service.mjs"), module);
  const [one, two] = [await freePort(), await freePort()];
  return {
    options: {
      resources: [
        { name: "one", module, port: one },
        { name: "two", module, port: two },
      ],
    },
    ref: { namespace: "default", name: "one" },
    other: { namespace: "default", name: "two" },
    close: () => rm(folder, { recursive: true, force: true }),
    async breakStart() {
      await writeFile(join(folder, "broken"), "");
      return () => rm(join(folder, "broken"), { force: true });
    },
    async endInstance({ host, port }) {
      await fetch(`http://${host}:${port}/end`).catch(() => {});
    },
  };
}
