import { describe, expect, it } from "vitest";
import { aciOptions } from "./aci-options.ts";

const one = "00000000-0000-0000-0000-000000000001";
const two = "00000000-0000-0000-0000-000000000002";

/** Places and texts of what is wrong with the options. */
function issues(options: unknown): string[] {
  const result = aciOptions.safeParse(options);
  return (result.error?.issues ?? []).map(({ path, message }) => `${path.join(".")} ${message}`);
}

describe("options", () => {
  it("need a subscription and nothing else", () => {
    const options = aciOptions.parse({ subscriptions: [{ id: one }] });
    expect(options).toMatchObject({
      cloud: "public",
      identity: { kind: "default" },
      poll: { list: 300_000, asleep: 600_000, awake: 60_000, waking: 2_000 },
      transitioning: { first: 2_000, longest: 6_000 },
      settleWithin: 30_000,
    });
  });

  it("stay below what Azure takes from one identity, so that others can ask too", () => {
    const { requests } = aciOptions.parse({ subscriptions: [{ id: one }] });
    expect(requests.reads.burst).toBeLessThan(250);
    expect(requests.reads.perSecond).toBeLessThan(25);
    expect(requests.writes.burst).toBeLessThan(200);
    expect(requests.writes.perSecond).toBeLessThan(10);
  });

  it.each([
    [{}, "subscriptions "],
    [{ subscriptions: [] }, "subscriptions "],
    [{ subscriptions: [{ id: "mine" }] }, "subscriptions.0.id is no id"],
    [{ subscriptions: [{ id: one }], pool: {} }, " Unrecognized key"],
    [{ subscriptions: [{ id: one, resourceGroups: ["a/b"] }] }, "subscriptions.0.resourceGroups.0 is no name"],
    [{ subscriptions: [{ id: one, resourceGroups: ["a."] }] }, "subscriptions.0.resourceGroups.0 is no name"],
    [{ subscriptions: [{ id: one }], armEndpoint: "http://arm" }, "armEndpoint must be https://"],
    [{ subscriptions: [{ id: one }], armEndpoint: "https://arm/path" }, "armEndpoint must be https://"],
    [{ subscriptions: [{ id: one }], authorityHost: "login" }, "authorityHost must be https://"],
    [{ subscriptions: [{ id: one }], identity: { kind: "client-secret", tenantId: "t" } }, "identity.clientId "],
    [{ subscriptions: [{ id: one }], identity: { kind: "password" } }, "identity"],
    [{ subscriptions: [{ id: one }], poll: { list: "0" } }, "poll.list "],
    [{ subscriptions: [{ id: one }, { id: one, name: "b" }] }, "subscriptions.1.id is the id of subscriptions[0]"],
    [{ subscriptions: [{ id: one }, { id: two }] }, "subscriptions.1.name is missing"],
    [
      {
        subscriptions: [
          { id: one, name: "a" },
          { id: two, name: "a" },
        ],
      },
      "subscriptions.1.name is the name of",
    ],
  ])("%j are refused with their place", (options, expected) => {
    expect(issues(options).some((issue) => issue.startsWith(expected))).toBe(true);
  });

  it("take an endpoint with or without a slash at its end as the same", () => {
    const options = aciOptions.parse({ subscriptions: [{ id: one }], armEndpoint: "https://ARM.example:8443/" });
    expect(options.armEndpoint).toBe("https://arm.example:8443");
  });
});
