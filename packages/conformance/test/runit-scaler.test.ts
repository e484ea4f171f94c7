import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { describe, expect, it } from "vitest";

const example = join(import.meta.dirname, "../../../examples/runit-scaler");

const hasRunit = (process.env["PATH"] ?? "").split(delimiter).some((folder) => existsSync(join(folder, "runsvdir")));

// What the guide for plugin authors shows is this code.
describe("the scaler of the guide", () => {
  it("passes the kit against a real runit, and its other tests", { timeout: 300_000 }, async (context) => {
    if (!hasRunit) context.skip("runsvdir is missing: apt-get install runit");
    const { exitCode, output } = await runTests();
    expect(output).toMatch(/ok \d+ - scale\/failure-is-told/);
    expect(output).toMatch(/ok \d+ - a port that services do not have is SCALER_BAD_ARGUMENT/);
    expect(output).toContain("# fail 0\n");
    expect(exitCode).toBe(0);
  });
});

/** Runs the example's tests by node:test, on the sources. */
function runTests(): Promise<{ exitCode: number | null; output: string }> {
  const { promise, resolve } = Promise.withResolvers<{ exitCode: number | null; output: string }>();
  const child = execFile(
    process.execPath,
    ["--conditions=@dormouse/source", "--test", "--test-reporter=tap", "test/*.test.ts"],
    // A runner that sees itself inside another one's worker reports to that one instead of printing.
    { cwd: example, env: { PATH: process.env["PATH"] }, maxBuffer: 16 * 1024 * 1024 },
    (_, stdout, stderr) => resolve({ exitCode: child.exitCode, output: stdout + stderr }),
  );
  return promise;
}
