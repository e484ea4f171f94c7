import { FakeClock } from "@dormouse/core/testing";
import { describe, expect, it } from "vitest";
import { StartingRoom } from "./starting-room.ts";

function open(limit = 10): { room: StartingRoom; clock: FakeClock } {
  const clock = new FakeClock();
  return { clock, room: new StartingRoom({ clock, longestMs: 1_000, limit: () => limit }) };
}

const never = new AbortController().signal;

describe("StartingRoom", () => {
  it("lets somebody out as soon as a look finds a route", async () => {
    const { room, clock } = open();
    let isThere = false;
    const waited = room.wait(() => isThere, never);
    isThere = true;
    room.look();
    expect(await waited).toBe(true);
    expect(clock.pendingTimers).toBe(0);
  });

  it("looks by itself now and then", async () => {
    const { room, clock } = open();
    let isThere = false;
    const waited = room.wait(() => isThere, never);
    await clock.advance(100);
    isThere = true;
    await clock.advance(50);
    expect(await waited).toBe(true);
  });

  it("sends away who waited too long, who left, and everybody at its end", async () => {
    const { room, clock } = open();
    const abort = new AbortController();
    const late = room.wait(() => false, never);
    const gone = room.wait(() => false, abort.signal);
    abort.abort();
    expect(await gone).toBe(false);
    expect(room.size).toBe(1);
    await clock.advance(1_000);
    expect(await late).toBe(false);
    const last = room.wait(() => false, never);
    room.close();
    expect(await last).toBe(false);
    expect(room.size).toBe(0);
    expect(clock.pendingTimers).toBe(0);
  });

  it("takes no more than its limit, and nobody who has left already", async () => {
    const { room } = open(1);
    void room.wait(() => false, never);
    expect(await room.wait(() => true, never)).toBe(false);
    expect(await open().room.wait(() => true, AbortSignal.abort())).toBe(false);
  });
});
