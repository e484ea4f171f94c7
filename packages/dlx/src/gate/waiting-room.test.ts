import { FakeClock } from "@dormouse/core/testing";
import { beforeEach, describe, expect, it, vi } from "vitest";
import type { Passage } from "./passage.ts";
import { WaitingRoom, type WaitOptions } from "./waiting-room.ts";

let clock: FakeClock;
let room: WaitingRoom;
const left = vi.fn();

beforeEach(() => {
  clock = new FakeClock();
  left.mockClear();
  room = new WaitingRoom(clock, { late: () => new Error("late"), gone: () => new Error("gone"), left });
});

function options(overrides: Partial<WaitOptions> = {}): WaitOptions {
  return {
    arrivedAt: clock.monotonic(),
    activity: true,
    deadline: clock.monotonic() + 1_000,
    signal: new AbortController().signal,
    ...overrides,
  };
}

const any = (): boolean => true;
const passage = (name: string): Passage => ({ name }) as unknown as Passage;

describe("waiting", () => {
  it("ends in order of arrival", async () => {
    const waits = [room.wait(options()), room.wait(options()), room.wait(options())];
    for (const name of ["a", "b", "c"]) room.first(any)?.admit(passage(name));
    expect(await Promise.all(waits)).toEqual([passage("a"), passage("b"), passage("c")]);
    expect(room.size).toBe(0);
    expect(clock.pendingTimers).toBe(0);
  });

  it("ends at its deadline, and frees the slot", async () => {
    const wait = room.wait(options());
    const refused = expect(wait).rejects.toThrow("late");
    await clock.advance(999);
    expect(room.size).toBe(1);
    await clock.advance(1);
    await refused;
    expect(room.size).toBe(0);
    expect(left).toHaveBeenCalledOnce();
  });

  it("ends at once when its client goes, and leaves no timer behind", async () => {
    const client = new AbortController();
    const wait = room.wait(options({ signal: client.signal }));
    client.abort();
    await expect(wait).rejects.toThrow("gone");
    expect(room.size).toBe(0);
    expect(clock.pendingTimers).toBe(0);
  });

  it("refuses everybody at once", async () => {
    const waits = Promise.allSettled([room.wait(options()), room.wait(options())]);
    room.refuseAll(() => new Error("over"));
    expect((await waits).map((one) => one.status)).toEqual(["rejected", "rejected"]);
    expect(room.first(any)).toBeUndefined();
  });

  it("for a port that cannot be had holds up nobody else, and order of arrival goes over all ports", async () => {
    const admin = room.wait(options({ port: "admin" }));
    const main = room.wait(options());
    room.first((port) => port !== "admin")?.admit(passage("main"));
    expect(await main).toEqual(passage("main"));
    void room.wait(options());
    room.first(any)?.admit(passage("admin"));
    expect(await admin).toEqual(passage("admin"));
    expect(room.size).toBe(1);
    room.first(any)?.admit(passage("last"));
  });

  it("for one port is refused without the others", async () => {
    const admin = room.wait(options({ port: "admin" }));
    const main = room.wait(options());
    room.refusePort("admin", () => new Error("nobody there"));
    await expect(admin).rejects.toThrow("nobody there");
    room.first(any)?.admit(passage("main"));
    expect(await main).toEqual(passage("main"));
  });
});
