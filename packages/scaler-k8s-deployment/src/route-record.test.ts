import { assert, constantFrom, integer, property, uuid } from "fast-check";
import { describe, expect, it } from "vitest";
import { formatRoute, isNewer, readRoute, readWakeReplicas } from "./route-record.ts";

const epochs = integer({ min: 0, max: 2 ** 31 - 1 });

describe("the record of a route", () => {
  it("is read back as it was written", () => {
    assert(
      property(constantFrom("dlx" as const, "resource" as const), uuid(), epochs, (to, uid, epoch) => {
        const annotations = { "dormouse.dev/route": formatRoute({ to, uid, epoch }) };
        expect(readRoute({ annotations })).toEqual({ to, uid, epoch });
      }),
    );
  });

  it.each(["", "dlx", "dlx uid", "away uid 1", "dlx uid 1 2", "dlx u/d 1", "dlx uid -1"])(
    "that is none is none: %j",
    (text) => expect(readRoute({ annotations: { "dormouse.dev/route": text } })).toBeUndefined(),
  );

  it("is newer by its epoch alone, and only for the same workload", () => {
    assert(
      property(uuid(), epochs, epochs, (uid, one, other) => {
        const record = { to: "dlx", uid, epoch: one } as const;
        expect(isNewer(record, { uid, epoch: other })).toBe(one > other);
        expect(isNewer(record, { uid: `${uid}0`, epoch: other })).toBe(false);
      }),
    );
    expect(isNewer(undefined, { uid: "a", epoch: 0 })).toBe(false);
  });
});

describe("a remembered count", () => {
  it.each([
    ["1", 1],
    ["12", 12],
    ["999999", 999_999],
    ["0", undefined],
    ["-1", undefined],
    ["1.5", undefined],
    ["1000000", undefined],
    ["many", undefined],
  ])("%j is %s", (text, count) =>
    expect(readWakeReplicas({ annotations: { "dormouse.dev/wake-replicas": text } })).toBe(count),
  );
});
