import { type Clock, systemClock } from "@dormouse/core";
import { FakeClock } from "@dormouse/core/testing";
import { assert, asyncProperty, array, integer, uniqueArray } from "fast-check";
import { describe, expect, it } from "vitest";
import { FakeState } from "../test/fake-state.ts";
import { k8sDeploymentOptions } from "./k8s-deployment-options.ts";
import { PortBook, portUser, type PortUser } from "./port-book.ts";

const none: ReadonlyMap<number, PortUser> = new Map();

function open(state: FakeState, ports = { from: 20_000, to: 20_009 }, clock: Clock = new FakeClock()): PortBook {
  return new PortBook(state, k8sDeploymentOptions.parse({ dlx: { ports } }), clock);
}

const user = (name: string, port = "http"): PortUser => portUser({ namespace: "shop", name }, port);

describe("the book of ports", () => {
  it("is made with the first ports that are handed out, and gives the same ones again", async () => {
    const state = new FakeState();
    const book = open(state);
    const first = await book.portsFor([user("a"), user("a", "")], none, undefined);
    expect([...first.values()]).toEqual([20_000, 20_001]);
    expect(state.data).toEqual({ 20000: "shop/a/http", 20001: "shop/a/-" });
    expect(await open(state).portsFor([user("a", "")], none, undefined)).toEqual(new Map([[user("a", ""), 20_001]]));
    expect(state.writes).toBe(1);
  });

  it("gives no port twice, however many write at once", async () => {
    await assert(
      asyncProperty(
        uniqueArray(integer({ min: 0, max: 200 }), { minLength: 1, maxLength: 40 }),
        array(integer({ min: 0, max: 2 }), { minLength: 40, maxLength: 40 }),
        async (names, whose) => {
          const state = new FakeState();
          const books = [0, 1, 2].map(() => open(state, { from: 20_000, to: 20_099 }, systemClock));
          const given = await Promise.all(
            names.map(async (name, index) => {
              const book = books[whose[index] ?? 0];
              return (await book?.portsFor([user(`s${String(name)}`)], none, undefined))?.get(user(`s${String(name)}`));
            }),
          );
          expect(new Set(given).size).toBe(names.length);
          for (const [index, name] of names.entries())
            expect(state.data?.[String(given[index])]).toBe(user(`s${String(name)}`));
        },
      ),
      { numRuns: 30 },
    );
  });

  it("takes along with one write what was asked for during the one before", async () => {
    const state = new FakeState();
    const book = open(state, { from: 20_000, to: 20_099 });
    await Promise.all(
      Array.from({ length: 50 }, (_, index) => book.portsFor([user(`s${String(index)}`)], none, undefined)),
    );
    expect(state.writes).toBeLessThanOrEqual(2);
  });

  it("that somebody took away is written anew by what slices list, and gives nobody's port to another", async () => {
    const state = new FakeState();
    const book = open(state);
    const inUse = new Map([[20_000, user("old")]]);
    expect(await book.portsFor([user("new")], inUse, undefined)).toEqual(new Map([[user("new"), 20_001]]));
    expect(await book.portsFor([user("old")], inUse, undefined)).toEqual(new Map([[user("old"), 20_000]]));
  });

  it("gives up entries of nobody once the range is full, and says when there are none", async () => {
    const state = new FakeState({ 20000: "shop/gone/http", 20001: "shop/used/http" });
    const book = open(state, { from: 20_000, to: 20_001 });
    const inUse = new Map([[20_001, user("used")]]);
    expect(await book.portsFor([user("new")], inUse, undefined)).toEqual(new Map([[user("new"), 20_000]]));
    const all = new Map([...inUse, [20_000, user("new")] as const]);
    await expect(book.portsFor([user("more")], all, undefined)).rejects.toMatchObject({
      code: "SCALER_QUOTA",
      message: "all 2 ports of the DLXs are in use; widen the scaler's option dlx.ports",
    });
    expect(state.data).toEqual({ 20000: "shop/new/http", 20001: "shop/used/http" });
  });

  it("leaves ports outside its range and other keys alone", async () => {
    const state = new FakeState({ released: "17", 30000: "shop/a/http" });
    const given = await open(state).portsFor([user("a"), user("b")], none, undefined);
    expect(given).toEqual(
      new Map([
        [user("a"), 30_000],
        [user("b"), 20_000],
      ]),
    );
    expect(state.data?.["released"]).toBe("17");
  });

  it("stops waiting once its caller does", async () => {
    const state = new FakeState();
    const stop = new AbortController();
    state.isStalled = true;
    const asked = open(state).portsFor([user("a")], none, stop.signal);
    stop.abort(new Error("enough"));
    await expect(asked).rejects.toThrow("enough");
  });

  it("gives up where somebody else writes all the time", async () => {
    const state = new FakeState({ 20005: "shop/x/http" });
    state.isContested = true;
    const clock = new FakeClock();
    const book = new PortBook(state, k8sDeploymentOptions.parse({}), clock);
    const asked = book.portsFor([user("a")], none, undefined).catch((error: unknown) => error);
    for (let step = 0; step < 60; step += 1) await clock.advance(200);
    expect(await asked).toMatchObject({ code: "SCALER_UNAVAILABLE", retryable: true });
  });
});
