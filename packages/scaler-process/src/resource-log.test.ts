import { FakeClock } from "@dormouse/core/testing";
import { silentLogger } from "@dormouse/core";
import { expect, it } from "vitest";
import { ResourceLog } from "./resource-log.ts";

function openLog(linesPerSecond: number, show = true) {
  const written: string[] = [];
  const dropped: number[] = [];
  const logger = {
    ...silentLogger,
    info: (_: object, message: string) => void written.push(message),
    warn: (fields: { stream?: string; dropped?: number }, message: string) =>
      void (fields.dropped === undefined ? written.push(`!${message}`) : dropped.push(fields.dropped)),
  };
  const clock = new FakeClock();
  const log = new ResourceLog(logger, clock, () => ({ show, lineBytes: 8_192, linesPerSecond }));
  return { log, clock, written, dropped };
}

it("writes stdout as info and stderr as a warning, with the label, and says what was cut", () => {
  const { log, written } = openLog(10);
  log.write("stdout", "hello", Buffer.from("up"), false);
  log.write("stderr", "hello.2", Buffer.from("oh"), true);
  expect(written).toEqual(["[hello] up", "![hello.2] oh … (line cut)"]);
  log[Symbol.dispose]();
});

it("drops what is too much in a second, and then says how much that was", async () => {
  const { log, clock, written, dropped } = openLog(3);
  for (let line = 0; line < 10; line += 1) log.write("stdout", "hello", Buffer.from(String(line)), false);
  expect(written).toHaveLength(3);
  await clock.advance(1_000);
  expect(dropped).toEqual([7]);
  log.write("stdout", "hello", Buffer.from("next"), false);
  expect(written.at(-1)).toBe("[hello] next");
  await clock.advance(1_000);
  expect(dropped).toEqual([7]);
  expect(clock.pendingTimers).toBe(0);
});

it("says at its end what was dropped, and leaves no timer", () => {
  const { log, clock, dropped } = openLog(1);
  log.write("stdout", "hello", Buffer.from("1"), false);
  log.write("stdout", "hello", Buffer.from("2"), false);
  log[Symbol.dispose]();
  expect(dropped).toEqual([1]);
  expect(clock.pendingTimers).toBe(0);
});

it("writes nothing where nothing is to be shown", () => {
  const { log, clock, written } = openLog(10, false);
  log.write("stderr", "hello", Buffer.from("1"), false);
  expect(written).toEqual([]);
  expect(clock.pendingTimers).toBe(0);
});
