import { execFile } from "node:child_process";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { rules } from "../src/rules.ts";

const routing = rules.filter(({ requires }) => requires?.includes("routing") === true).length;

describe("under node:test", () => {
  it("passes a scaler that keeps every rule, and reports what it left out", async () => {
    const { exitCode, output } = await runUnderNodeTest();
    expect(output).toContain(`# pass ${rules.length - routing + 1}\n`);
    expect(output).toContain(`# skipped ${routing}\n`);
    expect(output).toContain("# fail 0\n");
    expect(output).toMatch(/ok \d+ - routing\/of-nothing: .* # SKIP left out: the scaler does not declare routing\n/);
    expect(output).toContain("scorecard of memory: contract 1, kit ");
    expect(output).toMatch(/^ {2}all +\d+ +0 +\d+$/m);
    expect(exitCode).toBe(0);
  });

  it("fails a scaler that breaks a rule, and says which", async () => {
    const { exitCode, output } = await runUnderNodeTest("list/no-resource-twice");
    expect(output).toContain("# fail 1\n");
    expect(output).toMatch(/not ok \d+ - list\/no-resource-twice: No resource is listed twice\./);
    expect(output).toContain("expected: each resource once");
    expect(output).toMatch(/guard\/serves-behind-it: .* # SKIP not judged: it builds on list\/no-resource-twice/);
    expect(exitCode).toBe(1);
  });
});

/** @param breaks id of the rule that the scaler breaks */
function runUnderNodeTest(breaks = ""): Promise<{ exitCode: number | null; output: string }> {
  const file = join(import.meta.dirname, "fixtures", "run-under-node-test.ts");
  const { promise, resolve } = Promise.withResolvers<{ exitCode: number | null; output: string }>();
  const child = execFile(
    process.execPath,
    ["--conditions=@dormouse/source", "--test-reporter=tap", file],
    // A runner that sees itself inside another one's worker reports to that one instead of printing.
    { env: { PATH: process.env["PATH"], BREAKS: breaks }, maxBuffer: 16 * 1024 * 1024 },
    (_, stdout, stderr) => resolve({ exitCode: child.exitCode, output: stdout + stderr }),
  );
  return promise;
}
