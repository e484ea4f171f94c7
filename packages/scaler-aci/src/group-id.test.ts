import { isRefPart } from "@dormouse/core";
import { describe, expect, it } from "vitest";
import { parseGroupId, RefNames, scopesOf, toArmPath } from "./group-id.ts";

const first = "00000000-0000-0000-0000-00000000000a";
const second = "00000000-0000-0000-0000-00000000000b";
const names = new RefNames([{ id: first.toUpperCase() }, { id: second, name: "test", resourceGroups: ["Shop (old)"] }]);

describe("an id of the resource manager", () => {
  it("is read in any case", () => {
    const id = `/subscriptions/${first.toUpperCase()}/RESOURCEGROUPS/Shop/providers/microsoft.containerinstance/ContainerGroups/Web`;
    expect(parseGroupId(id)).toEqual({ subscription: first, resourceGroup: "shop", name: "web" });
  });

  it.each([
    [undefined],
    [7],
    [""],
    ["/subscriptions/x"],
    ["/subscriptions/x/resourceGroups/y/providers/Microsoft.Web/sites/z"],
  ])("%j is none of a container group", (id) => expect(parseGroupId(id)).toBeUndefined());
});

describe("a ref", () => {
  it.each([
    [{ subscription: first, resourceGroup: "shop", name: "web" }, "shop", "web"],
    [{ subscription: second, resourceGroup: "shop (old)", name: "web" }, "test::shop:20:28old:29", "web"],
    [{ subscription: first, resourceGroup: "größe_1.x-y", name: "web" }, "gr:c3:b6:c3:9fe_1.x-y", "web"],
  ])("of %j leads there and back", (group, namespace, name) => {
    const ref = names.toRef(group);
    expect(ref).toEqual({ namespace, name });
    expect(isRefPart(namespace)).toBe(true);
    expect(names.toGroupId({ namespace, name })).toEqual(group);
  });

  it("of a resource group that the options do not name is none", () => {
    expect(names.toRef({ subscription: second, resourceGroup: "other", name: "web" })).toBeUndefined();
    expect(names.toGroupId({ namespace: "test::other", name: "web" })).toBeUndefined();
  });

  it.each([
    ["Shop", "web"],
    ["shop", "Web"],
    ["none::shop", "web"],
    ["gr:zz", "web"],
    ["sh:6fp", "web"],
  ])("%s/%s is written as no group is, and leads nowhere", (namespace, name) => {
    expect(names.toGroupId({ namespace, name })).toBeUndefined();
  });

  it("that would be too long is none", () => {
    expect(names.toRef({ subscription: first, resourceGroup: "ß".repeat(90), name: "web" })).toBeUndefined();
  });
});

it("names every scope once, in lower case", () => {
  expect(scopesOf([{ id: first.toUpperCase() }, { id: second, resourceGroups: ["A", "a", "b"] }])).toEqual([
    { subscription: first },
    { subscription: second, resourceGroup: "a" },
    { subscription: second, resourceGroup: "b" },
  ]);
});

it("writes a path in which no name can leave its place", () => {
  const path = toArmPath({ subscription: first, resourceGroup: "a (b)", name: "../x?y" });
  expect(
    new URL(path, "https://arm").pathname.endsWith(
      "/resourceGroups/a%20(b)/providers/Microsoft.ContainerInstance/containerGroups/..%2Fx%3Fy",
    ),
  ).toBe(true);
});
