import { describe, expect, it } from "vitest";
import { Networks } from "./networks.ts";

describe("Networks", () => {
  it.each([
    ["10.1.2.3", true],
    ["10.0.0.0", true],
    ["11.0.0.0", false],
    ["::ffff:10.1.2.3", true],
    ["192.0.2.7", true],
    ["192.0.2.8", false],
    ["fd12::1", true],
    ["fe80::1", false],
    ["::1", false],
    ["", false],
    ["unknown", false],
    ["10.1", false],
    ["010.1.2.3", false],
  ])("knows whether %j is one of them: %s", (address, expected) => {
    expect(new Networks(["10.0.0.0/8", "192.0.2.7", "fd00::/8"]).has(address)).toBe(expected);
  });

  it("reads a network of mapped addresses as one of IPv4", () => {
    const networks = new Networks(["::ffff:192.0.2.0/120"]);
    expect(networks.has("192.0.2.9")).toBe(true);
    expect(networks.has("192.0.3.9")).toBe(false);
  });

  it("holds nothing where it is given nothing, or nonsense", () => {
    expect(new Networks([]).has("127.0.0.1")).toBe(false);
    expect(new Networks(["all", "10.0.0.0/40", "10.0.0.0/x", "::/129"]).has("10.0.0.1")).toBe(false);
  });

  it("holds everything of a family at prefix 0", () => {
    expect(new Networks(["0.0.0.0/0"]).has("203.0.113.1")).toBe(true);
    expect(new Networks(["0.0.0.0/0"]).has("2001:db8::1")).toBe(false);
    expect(new Networks(["::/0"]).has("2001:db8::1")).toBe(true);
  });
});
