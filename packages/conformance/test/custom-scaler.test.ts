import { execFile } from "node:child_process";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

const root = join(import.meta.dirname, "../../..");
const example = join(root, "examples/custom-scaler");

// What the guide for plugin authors shows is this code.
describe("the example of a scaler of one's own", () => {
  it("passes the kit under node:test, and is loaded by its path", { timeout: 60_000 }, async () => {
    const { exitCode, output } = await runNode(["--test", "--test-reporter=tap", "test/*.test.ts"]);
    expect(output).toMatch(/ok \d+ - targets\/forget-the-dead/);
    expect(output).toMatch(/ok \d+ - is loaded by a path, as dormouse.yaml has it/);
    expect(output).toContain("# fail 0\n");
    expect(exitCode).toBe(0);
  });

  it("has a configuration that the dormouse command accepts", { timeout: 60_000 }, async () => {
    const command = join(root, "packages/cli/src/bin.ts");
    const { exitCode, output } = await runNode([command, "check", "-c", "dormouse.yaml"]);
    expect(output).toContain("1 resource");
    expect(exitCode).toBe(0);
  });
});

/** Runs Node on the sources, in the example's folder. */
function runNode(args: readonly string[]): Promise<{ exitCode: number | null; output: string }> {
  const { promise, resolve } = Promise.withResolvers<{ exitCode: number | null; output: string }>();
  const child = execFile(
    process.execPath,
    ["--conditions=@dormouse/source", ...args],
    // A runner that sees itself inside another one's worker reports to that one instead of printing.
    { cwd: example, env: { PATH: process.env["PATH"] }, maxBuffer: 16 * 1024 * 1024 },
    (_, stdout, stderr) => resolve({ exitCode: child.exitCode, output: stdout + stderr }),
  );
  return promise;
}
