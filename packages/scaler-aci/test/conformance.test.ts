import { type TestPlatform, testScaler, type Undo } from "@dormouse/conformance";
import { afterAll, it } from "vitest";
import { scaler as plugin } from "../src/index.ts";
import type { FakeGroup } from "./fake/fake-group.ts";
import { freePort } from "@dormouse/core/testing";
import { closeAuthority, openAzure } from "./fake/open-azure.ts";
import { describeWithOpenssl } from "./fake/openssl.ts";

// A fake resource manager and a fake login over TLS; its groups are real servers on loopback addresses.
testScaler({ describe: describeWithOpenssl, it, plugin, open });

afterAll(closeAuthority);

async function open(): Promise<TestPlatform> {
  const azure = await openAzure();
  const web = azure.arm.add("Shop", "web", { port: await freePort() });
  const other = azure.arm.add("Shop", "other", { port: await freePort() });
  const groups: Readonly<Record<string, FakeGroup>> = { web, other };
  const named = (name: string): FakeGroup => groups[name] ?? web;
  return {
    options: azure.options,
    ref: { namespace: "shop", name: "web" },
    other: { namespace: "shop", name: "other" },
    close: async () => azure[Symbol.asyncDispose](),
    async changeElsewhere({ name }) {
      const group = named(name);
      group.spec = { ...group.spec, image: `${group.spec.image}.1` };
    },
    async breakStart({ name }) {
      named(name).plan = {
        kind: "fail",
        code: "ContainerGroupQuotaReached",
        message:
          "Resource type 'Microsoft.ContainerInstance/containerGroups' container group quota 'StandardCores' exceeded.",
      };
      return async () => void (named(name).plan = { kind: "run" });
    },
    async holdStart({ name }) {
      named(name).plan = { kind: "hold" };
      return () => named(name).release();
    },
    async remove({ name }) {
      azure.arm.remove(named(name));
      return async () => azure.arm.putBack(named(name));
    },
    endInstance: async () => web.crash(137),
    stallPlatform: async (): Promise<Undo> => {
      const end = azure.server.stall();
      return async () => end();
    },
    cutPlatform: () => azure.server.cut(),
  };
}
