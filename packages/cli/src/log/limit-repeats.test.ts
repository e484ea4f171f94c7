import type { Logger } from "@dormouse/core";
import { FakeClock } from "@dormouse/core/testing";
import { beforeEach, describe, expect, it } from "vitest";
import { limitRepeats } from "./limit-repeats.ts";

let lines: { level: string; fields: object; message: string }[];
let clock: FakeClock;
let logger: Logger;

function recording(bound: object): Logger {
  const at = (level: string) => (fields: object, message: string) =>
    void lines.push({ level, fields: { ...bound, ...fields }, message });
  return {
    debug: at("debug"),
    info: at("info"),
    warn: at("warn"),
    error: at("error"),
    child: (fields) => recording({ ...bound, ...fields }),
  };
}

beforeEach(() => {
  lines = [];
  clock = new FakeClock();
  logger = limitRepeats(recording({}), clock);
});

describe("a warning that repeats", () => {
  it("is written five times a minute; the first one after that says how many were left out", async () => {
    for (let count = 0; count < 25; count += 1) logger.warn({ count }, "again");
    expect(lines).toHaveLength(5);
    await clock.advance(60_000);
    logger.warn({ count: 25 }, "again");
    expect(lines.at(-1)?.fields).toEqual({ count: 25, suppressed: 20 });
    logger.warn({ count: 26 }, "again");
    expect(lines.at(-1)?.fields).toEqual({ count: 26 });
  });

  it("is told from others by level, message, code, scaler and resource, also where a child says these", () => {
    const other = logger.child({ scaler: "one" });
    for (let count = 0; count < 9; count += 1) {
      logger.warn({}, "again");
      logger.error({}, "again");
      logger.warn({ resource: "a" }, "again");
      other.warn({}, "again");
    }
    expect(lines).toHaveLength(20);
    expect(lines.filter(({ fields }) => "scaler" in fields)).toHaveLength(5);
  });

  it("of ever new kinds does not grow the memory without end, and is written", () => {
    for (let kind = 0; kind < 3_000; kind += 1) logger.warn({ resource: `r${kind}` }, "again");
    expect(lines).toHaveLength(3_000);
  });
});

it("lets other levels pass", () => {
  for (let count = 0; count < 50; count += 1) {
    logger.info({}, "again");
    logger.debug({}, "again");
  }
  expect(lines).toHaveLength(100);
});
