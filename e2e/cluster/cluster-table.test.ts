import { describe, expect, it } from "vitest";
import { toClusterTable, toConclusion, toRemarks } from "./cluster-table.ts";
import type { Finding, Proof } from "./proof.ts";

const good: Finding = { rounds: 50, requests: 900, lost: 0, doubled: 0, remarks: ["p50 1.2 s"], problems: [] };
const bad: Finding = { ...good, lost: 2, problems: ["lost: 2 (a; b)"] };

function proof(name: string): Proof {
  return { name, title: `title of ${name}`, plans: [], run: async () => {} };
}

describe("the table of cluster proofs", () => {
  it("says of each claim whether it holds", () => {
    const table = toClusterTable([
      { kind: "run", proof: proof("cycles"), finding: good, tookMs: 61_000 },
      { kind: "run", proof: proof("faults"), finding: bad, tookMs: 1_000 },
      { kind: "not-run", proof: proof("kills"), whyNot: "the cluster is not ours" },
    ]);
    expect(table).toMatch(/title of cycles +50 +900 +0 +0 +61 s +yes/);
    expect(table).toMatch(/title of faults +50 +900 +2 +0 +1 s +NO/);
    expect(table).toMatch(/title of kills +not tried/);
  });

  it("tells below it what was measured, what was wrong, and what was left out", () => {
    const results = [
      { kind: "run", proof: proof("faults"), finding: bad, tookMs: 1 },
      { kind: "not-run", proof: proof("kills"), whyNot: "the cluster is not ours" },
    ] as const;
    expect(toRemarks(results)).toEqual([
      "faults: p50 1.2 s",
      "faults FAILED: lost: 2 (a; b)",
      "kills was not tried: the cluster is not ours",
    ]);
    expect(toConclusion(results)).toBe("900 requests, lost 2; 0 claims hold, 1 do not, 1 not tried");
  });
});
