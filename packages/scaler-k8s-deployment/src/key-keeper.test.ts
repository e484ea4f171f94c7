import { defaultPolicy } from "@dormouse/core";
import { FakeClock } from "@dormouse/core/testing";
import { describe, expect, it } from "vitest";
import { service, slice, workload } from "../test/objects.ts";
import { Fights } from "./fights.ts";
import { KeyKeeper } from "./key-keeper.ts";
import type { ServiceObject } from "./objects.ts";
import { factsOf } from "./workload-facts.ts";

const route = (text: string) => ({ annotations: { "dormouse.dev/route": text } });
const { signal } = new AbortController();

/** A keeper whose DLX is ready, and the writes that it makes. */
function open() {
  const clock = new FakeClock();
  const writes: boolean[] = [];
  const watched = { dlxSlices: () => [slice("dormouse-dlx", 1)], podsOf: () => [] };
  const routes = { setKey: async (_: ServiceObject, isWanted: boolean) => void writes.push(isWanted) };
  const keeper = new KeyKeeper({ watched, routes, clock, fights: new Fights(clock) });
  return { clock, writes, keep: (own: ServiceObject) => keeper.keep(factsWith(own), own, true, signal) };
}

/** Its slice has been sent to the DLXs at epoch 9. */
function factsWith(own: ServiceObject) {
  const web = workload("web", { replicas: 0 });
  const source = {
    scaledObjectOf: () => undefined,
    servicesIn: () => [own],
    workloadsIn: () => [web],
    slicesOf: () => [slice("web", 1, route("dlx uid-web 9"))],
    podsOf: () => [],
    isReleased: false,
  };
  return factsOf(web, source, defaultPolicy);
}

describe("the key of a diverted Service", () => {
  it("is left to the host that is about to write it, and put in where that host has ended in between", async () => {
    const { clock, writes, keep } = open();
    const own = service("web", {}, route("resource uid-web 8"));
    const againInMs = await keep(own);
    expect(againInMs).toBeGreaterThan(0);
    expect(writes).toEqual([]);
    await clock.advance(againInMs ?? 0);
    expect(await keep(own)).toBeUndefined();
    expect(writes).toEqual([true]);
  });

  it("waits anew for each diversion", async () => {
    const { clock, writes, keep } = open();
    await keep(service("web", {}, route("resource uid-web 8")));
    await clock.advance(1_500);
    await keep(service("web", { selector: { app: "web", "dormouse.dev/diverted": "true" } }, route("dlx uid-web 9")));
    await clock.advance(1_500);
    expect(await keep(service("web"))).toBe(2_000);
    expect(writes).toEqual([]);
  });

  it("is put back at once where the Service has it on record and somebody took it out", async () => {
    const { writes, keep } = open();
    await keep(service("web", {}, route("dlx uid-web 9")));
    expect(writes).toEqual([true]);
  });
});
