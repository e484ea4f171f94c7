import { EventJournal } from "@dormouse/core";
import { FakeClock } from "@dormouse/core/testing";
import { beforeEach, describe, expect, it } from "vitest";
import { EventStreams } from "./event-stream.ts";

let clock: FakeClock;
let journal: EventJournal;
let streams: EventStreams;

beforeEach(() => {
  clock = new FakeClock();
  journal = new EventJournal(clock);
  streams = new EventStreams({ clock, journal, process: "p1" });
});

function record(reason = "some"): void {
  journal.record({ kind: "wake", resource: "local/default/hello", by: "request", reason, outcome: "done" });
}

function open(lastEventId?: string): ReadableStreamDefaultReader<Uint8Array> {
  const stream = streams.open(lastEventId);
  if (stream === undefined) throw new Error("no stream");
  return stream.getReader();
}

async function next(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<string | undefined> {
  const { value } = await reader.read();
  return value === undefined ? undefined : new TextDecoder().decode(value);
}

function idsOf(text: string | undefined): string | undefined {
  return /^id: (.*)$/m.exec(text ?? "")?.[1];
}

describe("a stream of events", () => {
  it("begins with how long to wait before coming back, then tells each event with its id and kind", async () => {
    const reader = open();
    expect(await next(reader)).toBe("retry: 2000\n\n");
    record("line\nbreak");
    expect(await next(reader)).toMatch(/^id: p1:1\nevent: wake\ndata: \{.*"reason":"line\\nbreak".*\}\n\n$/);
  });

  it("tells nothing of before unless it is asked to go on from an id", async () => {
    for (let count = 0; count < 3; count += 1) record();
    const reader = open("p1:1");
    await next(reader);
    expect([idsOf(await next(reader)), idsOf(await next(reader))]).toEqual(["p1:2", "p1:3"]);
  });

  it("tells everything that is kept to whoever comes from another process's stream", async () => {
    record();
    const reader = open("p0:700");
    await next(reader);
    expect(idsOf(await next(reader))).toBe("p1:1");
  });

  it("says every 15 seconds that it is still there", async () => {
    const reader = open();
    await next(reader);
    await clock.advance(15_000);
    expect(await next(reader)).toBe(": still here\n\n");
    await clock.advance(15_000);
    expect(await next(reader)).toBe(": still here\n\n");
  });

  it("leaves nothing behind when its reader goes", async () => {
    const reader = open();
    await next(reader);
    await reader.cancel();
    expect([streams.subscribers, clock.pendingTimers]).toEqual([0, 0]);
    record();
  });

  it("ends where its reader is a thousand events behind, and memory does not grow", async () => {
    const reader = open();
    for (let count = 0; count < 1_100; count += 1) record();
    expect(streams.subscribers).toBe(0);
    await next(reader);
    expect(await next(reader)).toBeUndefined();
  });

  it("ends with the host", async () => {
    const reader = open();
    await next(reader);
    streams[Symbol.dispose]();
    expect(await next(reader)).toBeUndefined();
    expect(clock.pendingTimers).toBe(0);
  });
});

it("refuses the hundred and first reader", () => {
  for (let count = 0; count < 100; count += 1) open();
  expect(streams.open(undefined)).toBeUndefined();
});
