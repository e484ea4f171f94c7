import { describe, expect, it } from "vitest";
import { decideRoute, type RouteObservation } from "./decide-route.ts";

function route(different: Partial<RouteObservation>): string {
  return decideRoute({
    enabled: true,
    desired: 1,
    ready: 1,
    routing: "direct",
    isOwnVersion: false,
    unchangedForMs: 60_000,
    sleepTimeoutMs: 60_000,
    hasDlx: true,
    ...different,
  }).kind;
}

describe("decideRoute", () => {
  it("diverts what is asleep and not known to be diverted", () => {
    expect(route({ desired: 0, ready: 0 })).toBe("divert");
    expect(route({ desired: 0, route: "resource" })).toBe("divert");
    expect(route({ desired: 0, route: "dlx" })).toBe("leave");
  });

  it("diverts to nobody: not while no DLX answers", () => {
    expect(route({ desired: 0, hasDlx: false })).toBe("leave");
  });

  it("restores what is awake, in place and untouched for sleepTimeout", () => {
    expect(route({})).toBe("restore");
    expect(route({ ready: 0 })).toBe("leave");
    expect(route({ unchangedForMs: 59_999 })).toBe("leave");
    expect(route({ route: "dlx" })).toBe("restore");
    expect(route({ route: "resource" })).toBe("leave");
  });

  it("restores at once after a sleep of this process's own", () => {
    expect(route({ unchangedForMs: 0, isOwnVersion: true, route: "dlx" })).toBe("restore");
  });

  it("diverts what is awake and whose traffic stays with the DLX", () => {
    expect(route({ routing: "always" })).toBe("divert");
    expect(route({ routing: "always", route: "dlx" })).toBe("leave");
  });

  it("leaves what does not opt in, but gives back what it had diverted", () => {
    expect(route({ enabled: false, desired: 0 })).toBe("leave");
    expect(route({ enabled: false })).toBe("leave");
    expect(route({ enabled: false, route: "dlx" })).toBe("restore");
  });
});
