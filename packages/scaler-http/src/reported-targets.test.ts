import { describe, expect, it } from "vitest";
import { ReportedTargets } from "./reported-targets.ts";
import type { StatusReading } from "./status-reading.ts";

function reading(...ids: readonly string[]): StatusReading {
  const instances = ids.map((id, index) => ({ id, address: { host: "10.0.0.1", port: 8000 + index } }));
  return {
    desired: ids.length,
    ready: ids.length,
    wakeReplicas: undefined,
    version: undefined,
    failure: undefined,
    instances,
  };
}

/** Ids as the API has them. */
function idsOf(targets: ReportedTargets, desired = 9): readonly string[] {
  return targets.list(desired).map(({ id }) => id.replace(/^[^/]*\/|#.*$/g, ""));
}

describe("instances that an API reports", () => {
  it("are all listed while nothing has been stopped, and none where none is wanted", () => {
    const targets = new ReportedTargets();
    targets.saw(reading("a", "b"));
    expect(idsOf(targets)).toEqual(["a", "b"]);
    expect(idsOf(targets, 0)).toEqual([]);
  });

  it("are not listed again after a stop, while they still run beside what was started after", () => {
    const targets = new ReportedTargets();
    targets.saw(reading("a"));
    targets.lowered(0);
    expect(targets.needsReading).toBe(true);
    targets.saw(reading("a"));
    expect(targets.needsReading).toBe(false);
    targets.saw(reading("a", "b"));
    expect(idsOf(targets)).toEqual(["b"]);
    targets.saw(reading("b"));
    expect(idsOf(targets)).toEqual(["b"]);
  });

  it("are none of them listed after a smaller count until the API has chosen", () => {
    const targets = new ReportedTargets();
    targets.saw(reading("a", "b", "c"));
    targets.lowered(1);
    targets.saw(reading("a", "b", "c"));
    expect(idsOf(targets)).toEqual([]);
    targets.saw(reading("b", "c"));
    expect(idsOf(targets)).toEqual([]);
    targets.saw(reading("c"));
    expect(idsOf(targets)).toEqual(["c"]);
  });

  it("count as chosen once as few of those that were there are left, whoever was started since", () => {
    const targets = new ReportedTargets();
    targets.saw(reading("a", "b"));
    targets.lowered(1);
    targets.saw(reading("a", "b"));
    targets.saw(reading("a", "b", "c"));
    expect(idsOf(targets)).toEqual(["c"]);
    targets.saw(reading("b", "c"));
    expect(idsOf(targets)).toEqual(["b", "c"]);
  });

  it("are judged by each of several stops", () => {
    const targets = new ReportedTargets();
    targets.saw(reading("a", "b"));
    targets.lowered(1);
    targets.saw(reading("a", "b"));
    targets.saw(reading("a", "b", "c", "d"));
    targets.lowered(2);
    targets.saw(reading("a", "b", "c", "d"));
    expect(idsOf(targets)).toEqual([]);
    targets.saw(reading("b", "c", "d"));
    expect(idsOf(targets)).toEqual([]);
    targets.saw(reading("c", "d"));
    expect(idsOf(targets)).toEqual(["c", "d"]);
  });

  it("keep little of many stops that never end, and list nobody whom one of them may end", () => {
    const targets = new ReportedTargets();
    for (let stop = 0; stop < 100; stop += 1) {
      const ids = Array.from({ length: stop + 1 }, (_, index) => `i${String(index)}`);
      targets.saw(reading(...ids));
      targets.lowered(0);
      targets.saw(reading(...ids));
      expect(idsOf(targets)).toEqual([]);
    }
  });

  it("have an id of their own each time they come", () => {
    const targets = new ReportedTargets();
    targets.saw(reading("10.0.0.1:80"));
    const [first] = targets.list(1);
    targets.saw(reading("10.0.0.1:80"));
    expect(targets.list(1)[0]?.id).toBe(first?.id);
    targets.saw(reading());
    targets.saw(reading("10.0.0.1:80"));
    expect(targets.list(1)[0]?.id).not.toBe(first?.id);
  });
});
