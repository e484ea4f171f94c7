import { type TestPlatform, testScaler } from "@dormouse/conformance";
import { describe, expect, it } from "vitest";
import { scaler as plugin } from "../src/index.ts";

/** What the suite against Azure itself needs; docs/azure.md says what the group has to be like. */
const names = ["DORMOUSE_ACI_SUBSCRIPTION", "DORMOUSE_ACI_RESOURCE_GROUP", "DORMOUSE_ACI_GROUP"] as const;
const [subscription, resourceGroup, group] = names.map((name) => process.env[name]);

const isGiven = subscription !== undefined && resourceGroup !== undefined && group !== undefined;

describe.runIf(isGiven)("on Azure itself", () => {
  testScaler({
    describe,
    it,
    plugin,
    within: 600_000,
    open: async () => openLive(subscription ?? "", resourceGroup ?? "", group ?? ""),
  });
});

it("is run against Azure itself where a group and credentials are given", ({ skip }) => {
  skip(!isGiven, `left out without ${names.join(", ")} and credentials of Azure (docs/azure.md)`);
  expect([subscription, resourceGroup, group]).not.toContain("");
});

/** The group is given out again and again: nothing is made on Azure, and nothing removed. */
async function openLive(id: string, inGroup: string, name: string): Promise<TestPlatform> {
  return {
    options: { subscriptions: [{ id, resourceGroups: [inGroup] }] },
    ref: { namespace: inGroup.toLowerCase(), name: name.toLowerCase() },
    close: async () => {},
  };
}
