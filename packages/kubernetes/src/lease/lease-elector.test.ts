import { type Clock, silentLogger, type Timer } from "@dormouse/core";
import { FakeClock } from "@dormouse/core/testing";
import { array, assert, asyncProperty, constantFrom, integer, nat, record } from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";
import { type CallFate, MemoryLeaseStore } from "../../test/memory-lease-store.ts";
import { leaderElectorOptionsSchema } from "./leader-elector-options.ts";
import { LeaseElector } from "./lease-elector.ts";

let clock: FakeClock;
let server: MemoryLeaseStore;

beforeEach(() => {
  clock = new FakeClock();
  server = new MemoryLeaseStore();
});

/** A process with an elector, which can be cut off, frozen and killed. */
class Candidate {
  readonly elector: LeaseElector;
  readonly #abort = new AbortController();
  readonly #process: FreezableClock;
  fate: () => CallFate = () => ({});
  ended: Promise<void>;

  constructor(identity: string, ownClock: Clock = clock) {
    this.#process = new FreezableClock(ownClock);
    this.elector = new LeaseElector({
      store: server.connect(this.#process, () => this.fate()),
      clock: this.#process,
      logger: silentLogger,
      identity,
      leaseDurationMs: 15_000,
      renewDeadlineMs: 10_000,
      retryPeriodMs: 2_000,
    });
    this.ended = this.elector.lead(this.#abort.signal);
  }

  get leads(): boolean {
    return this.elector.isLeader();
  }

  /** SIGSTOP: no callback runs, time goes on. */
  freeze(): void {
    this.#process.freeze();
  }

  thaw(): void {
    this.#process.thaw();
  }

  cutOff(): void {
    this.fate = () => ({ fails: "before" });
  }

  stop(): void {
    this.#abort.abort();
  }
}

class FreezableClock implements Clock {
  readonly #clock: Clock;
  #frozen = false;
  readonly #due: (() => void)[] = [];

  constructor(inner: Clock) {
    this.#clock = inner;
  }

  now(): number {
    return this.#clock.now();
  }

  monotonic(): number {
    return this.#clock.monotonic();
  }

  setTimer(afterMs: number, callback: () => void): Timer {
    let cancelled = false;
    const run = (): void => {
      if (cancelled) return;
      if (this.#frozen) this.#due.push(run);
      else callback();
    };
    const timer = this.#clock.setTimer(afterMs, run);
    return { cancel: () => ((cancelled = true), timer.cancel()) };
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) return reject(signal.reason as Error);
      const timer = this.setTimer(ms, resolve);
      signal?.addEventListener("abort", () => (timer.cancel(), reject(signal.reason as Error)), { once: true });
    });
  }

  freeze(): void {
    this.#frozen = true;
  }

  thaw(): void {
    this.#frozen = false;
    for (const run of this.#due.splice(0)) run();
  }
}

/** Moves on until it holds; answers how long it took. */
async function until(condition: () => boolean, mostMs = 120_000): Promise<number> {
  const start = clock.monotonic();
  while (!condition() && clock.monotonic() - start < mostMs) await clock.advance(100);
  expect(condition()).toBe(true);
  return clock.monotonic() - start;
}

describe("a lease elector", () => {
  it("leads at once where nobody does, renews, and counts no transition", async () => {
    const ann = new Candidate("ann");
    await clock.advance(0);
    expect(ann.leads).toBe(true);
    expect(server.lease?.spec).toMatchObject({
      holderIdentity: "ann",
      leaseDurationSeconds: 15,
      leaseTransitions: 0,
      acquireTime: "2023-11-14T22:13:20.000000Z",
    });
    await clock.advance(60_000);
    expect(ann.leads).toBe(true);
    expect(server.lease?.spec).toMatchObject({
      acquireTime: "2023-11-14T22:13:20.000000Z",
      renewTime: "2023-11-14T22:14:20.000000Z",
      leaseTransitions: 0,
    });
    expect(server.log.length).toBeLessThanOrEqual(31);
  });

  it("hands over at once where its leader stops, and leaves no holder behind", async () => {
    const ann = new Candidate("ann");
    await clock.advance(0);
    const ben = new Candidate("ben");
    await clock.advance(20_000);
    expect([ann.leads, ben.leads]).toEqual([true, false]);
    ann.stop();
    expect(await until(() => ben.leads)).toBeLessThan(5_000);
    await ann.ended;
    expect(ann.leads).toBe(false);
    expect(server.lease?.spec).toMatchObject({ holderIdentity: "ben", leaseTransitions: 1, leaseDurationSeconds: 15 });
    ben.stop();
    await clock.advance(0);
    await ben.ended;
    expect(server.lease?.spec).toMatchObject({ holderIdentity: "", leaseDurationSeconds: 1 });
  });

  it("takes over from a killed leader after the lease's time, by its own clock", async () => {
    const ann = new Candidate("ann");
    await clock.advance(0);
    const ben = new Candidate("ben");
    await clock.advance(10_000);
    ann.freeze();
    // Wall clocks mean nothing.
    clock.jumpWallClock(86_400_000);
    const took = await until(() => ben.leads);
    expect(took).toBeGreaterThanOrEqual(13_000);
    expect(took).toBeLessThan(15_000 + 2 * 4_400);
    expect(ann.leads).toBe(false);
    expect(server.lease?.spec?.leaseTransitions).toBe(1);
  });

  it("waits as long as the record says, also where its own options say less", async () => {
    const lease = { metadata: { resourceVersion: "0" }, spec: { holderIdentity: "old", leaseDurationSeconds: 60 } };
    server.lease = lease;
    const ann = new Candidate("ann");
    const took = await until(() => ann.leads);
    expect(took).toBeGreaterThanOrEqual(60_000);
    expect(server.lease.spec).toMatchObject({ holderIdentity: "ann", leaseTransitions: 1, leaseDurationSeconds: 15 });
  });

  it("counts from a change of the record, not of the object around it", async () => {
    const spec = { holderIdentity: "old", leaseDurationSeconds: 15, renewTime: "2001-01-01T00:00:00.000000Z" };
    server.lease = { metadata: { resourceVersion: "0" }, spec };
    const ann = new Candidate("ann");
    await clock.advance(10_000);
    server.lease = { metadata: { resourceVersion: "0a", labels: { team: "x" } }, spec };
    expect(await until(() => ann.leads)).toBeLessThan(10_000);
    const ben = new Candidate("ben");
    await clock.advance(10_000);
    ann.freeze();
    await clock.advance(10_000);
    server.lease = { ...server.lease, spec: { ...server.lease.spec, renewTime: "2002-01-01T00:00:00.000000Z" } };
    expect(await until(() => ben.leads)).toBeGreaterThanOrEqual(13_000);
  });

  it("leads no more once it could not renew in time, before anybody else may", async () => {
    const ann = new Candidate("ann");
    await clock.advance(0);
    const ben = new Candidate("ben");
    await clock.advance(10_000);
    ann.cutOff();
    expect(await until(() => !ann.leads)).toBeLessThanOrEqual(10_000);
    expect(ben.leads).toBe(false);
    await until(() => ben.leads);
    ann.fate = () => ({});
    await clock.advance(20_000);
    expect([ann.leads, ben.leads]).toEqual([false, true]);
  });

  it("leads again where the API was away longer than the renew deadline and nobody took over", async () => {
    const ann = new Candidate("ann");
    await clock.advance(10_000);
    ann.cutOff();
    await until(() => !ann.leads);
    await clock.advance(60_000);
    ann.fate = () => ({});
    await until(() => ann.leads);
    expect(server.lease?.spec).toMatchObject({ holderIdentity: "ann", leaseTransitions: 0 });
  });

  it("that was frozen knows at once that it leads no more, before it has read anything", async () => {
    const ann = new Candidate("ann");
    await clock.advance(0);
    const ben = new Candidate("ben");
    await clock.advance(10_000);
    ann.freeze();
    await until(() => ben.leads);
    ann.thaw();
    expect(ann.leads).toBe(false);
    await clock.advance(60_000);
    expect([ann.leads, ben.leads]).toEqual([false, true]);
    expect(server.lease?.spec?.leaseTransitions).toBe(1);
  });

  it("finds out whether a write with an unknown outcome was its own, and counts it once", async () => {
    server.lease = { metadata: { resourceVersion: "0" }, spec: { holderIdentity: "", leaseTransitions: 4 } };
    const fates: CallFate[] = [{}, { fails: "after" }];
    const ann = new Candidate("ann");
    ann.fate = () => fates.shift() ?? {};
    await clock.advance(0);
    expect(ann.leads).toBe(false);
    expect(server.holder).toBe("ann");
    await until(() => ann.leads);
    expect(server.lease.spec?.leaseTransitions).toBe(5);
  });

  it("releases a lease that it got without hearing of it", async () => {
    const ann = new Candidate("ann");
    const fates: CallFate[] = [{}, { fails: "after" }];
    ann.fate = () => fates.shift() ?? {};
    await clock.advance(0);
    expect(server.holder).toBe("ann");
    ann.stop();
    await clock.advance(0);
    await ann.ended;
    expect(server.holder).toBe("");
  });

  it("releases nothing that somebody else has taken, and ends where the API is away", async () => {
    const ann = new Candidate("ann");
    await clock.advance(0);
    server.lease = { metadata: { resourceVersion: "x" }, spec: { holderIdentity: "ben" } };
    ann.stop();
    await clock.advance(0);
    await ann.ended;
    expect(server.holder).toBe("ben");
    server.lease = undefined;
    const cat = new Candidate("cat");
    await clock.advance(0);
    cat.cutOff();
    await cat.elector[Symbol.asyncDispose]();
    expect(server.holder).toBe("cat");
    expect(cat.leads).toBe(false);
  });

  it("gives up its lead where the lease is deleted or given to somebody else by hand", async () => {
    const ann = new Candidate("ann");
    await clock.advance(5_000);
    server.lease = {
      metadata: { resourceVersion: "by-hand" },
      spec: { holderIdentity: "ben", leaseDurationSeconds: 15 },
    };
    await until(() => !ann.leads);
    await until(() => ann.leads);
    server.lease = undefined;
    await clock.advance(10_000);
    expect(ann.leads).toBe(true);
    expect(server.holder).toBe("ann");
  });

  it("leaves no timer behind", async () => {
    const ann = new Candidate("ann");
    await clock.advance(5_000);
    await ann.elector[Symbol.asyncDispose]();
    await clock.advance(4_000);
    expect(clock.pendingTimers).toBe(0);
  });

  it("never leads beside another, whatever fails, freezes or comes late", async () => {
    const step = record({
      who: nat({ max: 2 }),
      what: constantFrom("freeze", "thaw", "cut", "mend", "lose-answers", "slow", "late-writes"),
      afterMs: integer({ min: 0, max: 9_000 }),
    });
    await assert(
      asyncProperty(array(step, { minLength: 1, maxLength: 25 }), async (steps) => {
        clock = new FakeClock();
        server = new MemoryLeaseStore();
        const all = ["ann", "ben", "cat"].map((name) => new Candidate(name));
        const leaders = (): number => all.filter(({ leads }) => leads).length;
        let most = 0;
        for (const { who, what, afterMs } of steps) {
          const one = all[who];
          if (one === undefined) continue;
          if (what === "freeze") one.freeze();
          if (what === "thaw") one.thaw();
          most = Math.max(most, leaders());
          if (what === "cut") one.cutOff();
          if (what === "mend") one.fate = () => ({});
          if (what === "lose-answers") one.fate = () => ({ fails: "after" });
          if (what === "slow") one.fate = () => ({ thereMs: 1_500, backMs: 1_500 });
          if (what === "late-writes") one.fate = () => ({ thereMs: 12_000 });
          for (let passed = 0; passed < afterMs; passed += 300) {
            await clock.advance(300);
            most = Math.max(most, leaders());
          }
        }
        expect(most).toBeLessThanOrEqual(1);
        for (const each of all) {
          each.thaw();
          each.fate = () => ({});
        }
        await until(() => leaders() === 1);
        for (const each of all) each.stop();
        await clock.advance(20_000);
        expect(server.holder).toBe("");
      }),
      { numRuns: 40 },
    );
  }, 60_000);
});

describe("the options", () => {
  it("have client-go's times", () => {
    expect(leaderElectorOptionsSchema.parse({})).toMatchObject({
      leaseDuration: 15_000,
      renewDeadline: 10_000,
      retryPeriod: 2_000,
      name: "dormouse-autoscaler",
    });
  });

  it.each([
    [{ renewDeadline: "15s" }, "renewDeadline", "less than leaseDuration"],
    [{ retryPeriod: "9s" }, "retryPeriod", "less than renewDeadline"],
    [{ leaseDuration: "15500ms" }, "leaseDuration", "whole seconds"],
    [{ name: "Nope" }, "name", "no name of an object"],
    [{ namespace: "a_b" }, "namespace", "no name of a namespace"],
    [{ lease: "x" }, undefined, "lease"],
  ])("refuse %j", (options, place, message) => {
    const { error } = leaderElectorOptionsSchema.safeParse(options);
    expect(error?.issues[0]?.path[0]).toBe(place);
    expect(error?.issues[0]?.message).toContain(message);
  });
});
