import { assert, integer, property, string, uuid } from "fast-check";
import { describe, expect, it } from "vitest";
import { metadata } from "../test/objects.ts";
import { epochOf, formatVersion, nextEpoch, parseVersion, versionOf } from "./version.ts";

const whole = integer({ min: 0, max: 2 ** 31 - 1 });

describe("a version", () => {
  it("is read back as it was written", () => {
    assert(
      property(uuid(), whole, whole, (uid, generation, epoch) => {
        expect(parseVersion(formatVersion({ uid, generation, epoch }))).toEqual({ uid, generation, epoch });
      }),
    );
  });

  it("is uid, generation and the annotation's number", () => {
    const annotations = { "dormouse.dev/epoch": "1700000000000" };
    expect(versionOf(metadata("web", { generation: 4, annotations }))).toEqual({
      uid: "uid-web",
      generation: 4,
      epoch: 1_700_000_000_000,
    });
    expect(versionOf(metadata("web"))).toEqual({ uid: "uid-web", generation: 0, epoch: 0 });
  });

  it.each(["", "x", "uid.1", "uid.1.2.3", "uid.-1.2", "uid.1.2e3", ".1.2", "uid.1.1234567890123456"])(
    "of somebody else is none: %j",
    (text) => expect(parseVersion(text)).toBeUndefined(),
  );
});

describe("an epoch", () => {
  it("of the next write is above the last one and not behind the time", () => {
    assert(
      property(whole, whole, (last, now) => {
        const next = nextEpoch(last, now);
        expect(next).toBeGreaterThan(last);
        expect(next).toBeGreaterThanOrEqual(now);
        expect(Number.isSafeInteger(next)).toBe(true);
      }),
    );
  });

  it("that nobody of us wrote counts as none", () => {
    assert(
      property(string(), (text) => {
        const epoch = epochOf({ "dormouse.dev/epoch": text });
        expect(/^\d{1,15}$/.test(text) ? Number(text) : 0).toBe(epoch);
      }),
    );
    expect(epochOf(undefined)).toBe(0);
  });
});
