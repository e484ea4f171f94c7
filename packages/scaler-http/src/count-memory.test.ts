import { FakeClock } from "@dormouse/core/testing";
import { describe, expect, it } from "vitest";
import { CountMemory } from "./count-memory.ts";

const seen = (count: number, version?: string) => ({ count, version, wakeReplicas: undefined });

describe("what is remembered of a count", () => {
  it("moves its version by writes and by counts that others have set, never by readings", () => {
    const memory = new CountMemory(new FakeClock());
    const versions = [memory.version];
    memory.saw(seen(3));
    expect(memory.version).toBe(versions[0]);
    versions.push(memory.wrote(seen(3)));
    memory.saw(seen(3));
    expect(memory.version).toBe(versions[1]);
    memory.saw(seen(4));
    versions.push(memory.version);
    memory.saw(seen(3));
    versions.push(memory.version);
    memory.mayHaveWritten();
    versions.push(memory.version);
    expect(new Set(versions).size).toBe(versions.length);
  });

  it("has versions that no other process has", () => {
    const [one, other] = [new CountMemory(new FakeClock()), new CountMemory(new FakeClock())];
    expect(one.wrote(seen(1))).not.toBe(other.wrote(seen(1)));
  });

  it("takes the API's versions where it has some", () => {
    const memory = new CountMemory(new FakeClock());
    memory.saw(seen(1, "a"));
    expect(memory.version).toBe("a");
    expect(memory.wrote(seen(1, "b"))).toBe("b");
  });

  it("doubts a reading that contradicts what was learnt since it began, and no other", () => {
    const memory = new CountMemory(new FakeClock());
    memory.saw(seen(1));
    const begun = memory.begin();
    memory.wrote(seen(0));
    expect(memory.isDoubtful(begun, 1)).toBe(true);
    expect(memory.isDoubtful(begun, 0)).toBe(false);
    expect(memory.isDoubtful(memory.begin(), 1)).toBe(false);
  });

  it("tells where others have lowered it", () => {
    const memory = new CountMemory(new FakeClock());
    expect([3, 4, 4, 2].map((count) => memory.saw(seen(count)))).toEqual([false, false, false, true]);
    memory.wrote(seen(1));
    expect(memory.saw(seen(1))).toBe(false);
  });

  it("keeps the count of before a sleep, its own or the API's", () => {
    const memory = new CountMemory(new FakeClock());
    memory.saw({ ...seen(0), wakeReplicas: 7 });
    expect(memory.wakeReplicas).toBe(7);
    memory.wrote(seen(3));
    memory.wrote(seen(0));
    expect(memory.wakeReplicas).toBe(3);
  });

  it("says when it was changed last", async () => {
    const clock = new FakeClock();
    const memory = new CountMemory(clock);
    memory.saw(seen(1));
    const opened = memory.updatedAt;
    await clock.advance(5_000);
    memory.saw(seen(1));
    expect(memory.updatedAt).toBe(opened);
    memory.saw(seen(2));
    expect(memory.updatedAt).toBe(opened + 5_000);
    clock.jumpWallClock(-60_000);
    memory.wrote(seen(2));
    expect(memory.updatedAt).toBe(opened + 5_000);
  });
});
