import { afterEach, describe, expect, it, vi } from "vitest";
import { EventJournal, type ScaleEvent } from "./event-journal.ts";
import { FakeClock } from "./testing/fake-clock.ts";

const wake = {
  kind: "wake",
  resource: "local/default/web",
  by: "request",
  reason: "a request came",
  outcome: "done",
} as const;

describe("EventJournal", () => {
  afterEach(() => void vi.restoreAllMocks());

  it("numbers events and stamps them with the wall clock", async () => {
    const clock = new FakeClock(1_000);
    const journal = new EventJournal(clock);
    journal.record(wake);
    await clock.advance(5);
    expect(journal.record(wake)).toEqual({ ...wake, id: 2, at: 1_005 });
    expect(journal.list().map((event) => event.at)).toEqual([1_000, 1_005]);
  });

  it("keeps the last 1,000, or as many as it is told", () => {
    const many = new EventJournal(new FakeClock());
    for (let index = 0; index < 1_500; index += 1) many.record(wake);
    expect(many.list()).toHaveLength(1_000);
    expect(many.list()[0]?.id).toBe(501);
    const few = new EventJournal(new FakeClock(), 2);
    for (let index = 0; index < 3; index += 1) few.record(wake);
    expect(few.list().map((event) => event.id)).toEqual([2, 3]);
  });

  it("lists what came after an event", () => {
    const journal = new EventJournal(new FakeClock());
    for (let index = 0; index < 4; index += 1) journal.record(wake);
    expect(journal.list(2).map((event) => event.id)).toEqual([3, 4]);
    expect(journal.list(99)).toEqual([]);
  });

  it("finds the last event of a resource and kind", () => {
    const journal = new EventJournal(new FakeClock());
    journal.record(wake);
    journal.record({ ...wake, reason: "another came" });
    journal.record({ ...wake, kind: "sleep" });
    journal.record({ ...wake, resource: "local/default/api" });
    expect(journal.last("local/default/web", "wake")?.reason).toBe("another came");
    expect(journal.last("local/default/none", "wake")).toBeUndefined();
  });

  it("tells its listeners until they leave", () => {
    const journal = new EventJournal(new FakeClock());
    const seen: ScaleEvent[] = [];
    const listening = journal.subscribe((event) => void seen.push(event));
    journal.record(wake);
    listening[Symbol.dispose]();
    journal.record(wake);
    expect(seen.map((event) => event.id)).toEqual([1]);
  });

  // A broken connection of somebody who watches events must not end the wake that is being recorded.
  it("goes on where a listener throws, and says so as a warning", () => {
    const warning = vi.spyOn(process, "emitWarning").mockReturnValue();
    const journal = new EventJournal(new FakeClock());
    const seen: number[] = [];
    const broken = new Error("write after end");
    journal.subscribe(() => {
      throw broken;
    });
    journal.subscribe((event) => void seen.push(event.id));
    expect(journal.record(wake).id).toBe(1);
    expect(seen).toEqual([1]);
    expect(warning).toHaveBeenCalledWith(broken);
  });
});
