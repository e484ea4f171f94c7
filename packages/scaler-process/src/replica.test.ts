import { ScalerError } from "@dormouse/core";
import { FakeClock } from "@dormouse/core/testing";
import { describe, expect, it } from "vitest";
import type { InstanceEvents } from "./child-instance.ts";
import type { Exit } from "./process-error.ts";
import { type Instance, Replica } from "./replica.ts";

/** An instance that does what the test says. */
class FakeInstance implements Instance {
  readonly id: string;
  readonly host = "localhost";
  readonly port: number;
  isReady = false;
  wasReady = false;
  isStopped = false;
  readonly ended: Promise<readonly []>;
  readonly #events: InstanceEvents;
  #end: () => void = () => {};
  #isOver = false;

  constructor(number: number, events: InstanceEvents) {
    this.id = String(number);
    this.port = number;
    this.#events = events;
    this.ended = new Promise((resolve) => (this.#end = () => resolve([])));
  }

  get isWanted(): boolean {
    return !this.isStopped && !this.#isOver;
  }

  stop(): void {
    this.isStopped = true;
  }

  becomeReady(): void {
    this.isReady = true;
    this.wasReady = true;
    this.#events.onReady();
  }

  /** Dies by itself. */
  die(lastLines: readonly string[] = [], code = 1): void {
    const exit: Exit = { code, signal: null, lastLines };
    this.#isOver = true;
    this.#events.onExit(exit);
    this.#end();
  }

  /** Ends after a stop. */
  end(): void {
    this.#isOver = true;
    this.#end();
  }
}

function openReplica(hasFixedPort = false) {
  const clock = new FakeClock();
  const instances: FakeInstance[] = [];
  const opened: (() => void)[] = [];
  const state = { isSlow: false, error: undefined as Error | undefined };
  const replica = new Replica({
    clock,
    open: async (events) => {
      if (state.isSlow) await new Promise<void>((resolve) => void opened.push(resolve));
      if (state.error !== undefined) throw state.error;
      const instance = new FakeInstance(instances.length + 1, events);
      instances.push(instance);
      return instance;
    },
    command: () => "server",
    hasFixedPort: () => hasFixedPort,
    onChange: () => {},
  });
  const last = (): FakeInstance => instances.at(-1)!;
  const settle = (): Promise<void> => clock.advance(0);
  return { clock, replica, instances, opened, state, last, settle };
}

describe("a replica", () => {
  it("starts once, however often it is asked to", async () => {
    const { replica, instances, settle } = openReplica();
    replica.start();
    replica.start();
    await settle();
    replica.start();
    await settle();
    expect(instances).toHaveLength(1);
    expect(replica.instance).toBe(instances[0]);
  });

  it("goes on with a start that was called off and wanted again", async () => {
    const { replica, instances, opened, state, settle } = openReplica();
    state.isSlow = true;
    replica.start();
    await settle();
    for (let flip = 0; flip < 100; flip += 1) {
      replica.stop();
      replica.start();
    }
    await settle();
    expect(opened).toHaveLength(1);
    opened[0]?.();
    await settle();
    expect(instances).toHaveLength(1);
    expect(instances[0]?.isStopped).toBe(false);
  });

  it("stops what a start that was called off brings", async () => {
    const { replica, instances, opened, state, settle } = openReplica();
    state.isSlow = true;
    replica.start();
    await settle();
    replica.stop();
    opened[0]?.();
    await settle();
    expect(instances[0]?.isStopped).toBe(true);
    expect(replica.instance).toBeUndefined();
    expect(replica.isOver).toBe(false);
    instances[0]?.end();
    await replica.ended();
    expect(replica.isOver).toBe(true);
  });

  it("starts anew at once where its process has ended, though how is not known yet", async () => {
    const { replica, instances, last, settle } = openReplica();
    replica.start();
    await settle();
    const first = last();
    first.isStopped = true;
    replica.start();
    await settle();
    expect(instances).toHaveLength(2);
    first.die();
    await settle();
    expect(replica.failure).toBeUndefined();
    expect(replica.instance).toBe(instances[1]);
  });

  it("counts what was ready as there until it has ended", async () => {
    const { replica, last, settle } = openReplica();
    replica.start();
    await settle();
    last().becomeReady();
    replica.stop();
    expect(replica.instance).toBeUndefined();
    expect(replica.leavingReady).toBe(1);
    last().end();
    await settle();
    expect(replica.leavingReady).toBe(0);
  });

  it("waits for its port, where that is fixed", async () => {
    const { replica, instances, settle } = openReplica(true);
    replica.start();
    await settle();
    replica.stop();
    replica.start();
    await settle();
    expect(instances).toHaveLength(1);
    instances[0]?.end();
    await settle();
    expect(instances).toHaveLength(2);
  });

  it("starts beside one that stops, but not beside two", async () => {
    const { replica, instances, settle } = openReplica();
    for (let round = 0; round < 3; round += 1) {
      replica.start();
      await settle();
      replica.stop();
      await settle();
    }
    expect(instances).toHaveLength(2);
    replica.start();
    await settle();
    expect(instances).toHaveLength(2);
    instances[0]?.end();
    await settle();
    expect(instances).toHaveLength(3);
    expect(replica.instance).toBe(instances[2]);
  });
});

describe("a start that fails", () => {
  it("is tried again after longer and longer rests, up to 30 s", async () => {
    const { clock, replica, last, instances, settle } = openReplica();
    replica.start();
    await settle();
    const rests: number[] = [];
    for (let death = 0; death < 12; death += 1) {
      const [count, at] = [instances.length, clock.monotonic()];
      last().die(["no"]);
      expect(replica.failure?.code).toBe("SCALER_START_FAILED");
      while (instances.length === count) await clock.advance(10);
      rests.push(clock.monotonic() - at);
    }
    for (const [attempt, rest] of rests.entries()) {
      const whole = Math.min(30_000, 200 * 2 ** attempt);
      expect(rest).toBeGreaterThanOrEqual(whole / 2);
      expect(rest).toBeLessThanOrEqual(whole + 10);
    }
  });

  it("is tried at once by a new wake, and its failure forgotten", async () => {
    const { clock, replica, last, instances, settle } = openReplica();
    replica.start();
    await settle();
    last().die();
    replica.start();
    expect(replica.failure).toBeUndefined();
    await settle();
    expect(instances).toHaveLength(2);
    expect(clock.pendingTimers).toBe(0);
  });

  it("keeps its failure while it is tried again, until it is ready", async () => {
    const { clock, replica, last, settle } = openReplica();
    replica.start();
    await settle();
    last().die();
    await clock.advance(200);
    expect(replica.instance).toBeDefined();
    expect(replica.failure).toBeDefined();
    last().becomeReady();
    expect(replica.failure).toBeUndefined();
  });

  it("ends with the sleep, and leaves no timer", async () => {
    const { clock, replica, last, instances, settle } = openReplica();
    replica.start();
    await settle();
    last().die();
    replica.stop();
    expect(clock.pendingTimers).toBe(0);
    expect(replica.failure).toBeUndefined();
    await clock.advance(60_000);
    expect(instances).toHaveLength(1);
    await replica.ended();
  });

  it("tells why nothing could be opened", async () => {
    const { clock, replica, state, instances, settle } = openReplica();
    state.error = new ScalerError("SCALER_START_FAILED", "no port");
    replica.start();
    await settle();
    expect(replica.failure).toEqual({ code: "SCALER_START_FAILED", message: "no port" });
    state.error = new TypeError("a bug");
    await clock.advance(200);
    expect(replica.failure).toEqual({ code: "SCALER_INTERNAL", message: "a bug" });
    state.error = undefined;
    await clock.advance(400);
    expect(instances).toHaveLength(1);
  });

  it("has other ports tried five times, at once, where the port was not its own", async () => {
    const { clock, replica, last, instances, settle } = openReplica();
    replica.start();
    await settle();
    for (let clash = 0; clash < 5; clash += 1) {
      last().die(["bind: Address already in use"]);
      expect(replica.failure).toBeUndefined();
      await settle();
    }
    expect(instances).toHaveLength(6);
    expect(clock.pendingTimers).toBe(0);
    last().die(["bind: Address already in use"]);
    expect(replica.failure?.code).toBe("SCALER_START_FAILED");
  });

  it("is a failure at once where the port is fixed and not its own", async () => {
    const { replica, last, settle } = openReplica(true);
    replica.start();
    await settle();
    last().die(["Error: listen EADDRINUSE"]);
    expect(replica.failure?.message).toContain("listen EADDRINUSE");
  });
});

describe("a process that was ready and dies", () => {
  /** Lets the next instance be ready, live for so long, and die. */
  async function liveAndDie(opened: ReturnType<typeof openReplica>, ms: number): Promise<void> {
    const { clock, last, instances } = opened;
    last().becomeReady();
    await clock.advance(ms);
    const count = instances.length;
    last().die();
    if (opened.replica.failure !== undefined) return;
    while (instances.length === count) await clock.advance(10);
  }

  it("is a crash loop at the third quick death in a row, and at the next one after a new wake", async () => {
    const opened = openReplica();
    const { replica, settle } = opened;
    replica.start();
    await settle();
    await liveAndDie(opened, 1_000);
    await liveAndDie(opened, 1_000);
    expect(replica.failure).toBeUndefined();
    await liveAndDie(opened, 1_000);
    expect(replica.failure?.code).toBe("SCALER_CRASH_LOOP");
    replica.start();
    await settle();
    await liveAndDie(opened, 1_000);
    expect(replica.failure?.code).toBe("SCALER_CRASH_LOOP");
  });

  it("is none where it ran for long in between, and rests shortly again", async () => {
    const opened = openReplica();
    const { clock, replica, instances, last, settle } = opened;
    replica.start();
    await settle();
    for (const ms of [1_000, 1_000, 10_000, 1_000, 1_000]) await liveAndDie(opened, ms);
    expect(replica.failure).toBeUndefined();
    last().becomeReady();
    await clock.advance(10_000);
    const count = instances.length;
    last().die();
    await clock.advance(200);
    expect(instances).toHaveLength(count + 1);
  });
});
