import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { fillInMutants } from "./runner/mutant-table.ts";
import { mutants } from "./runner/mutants.ts";
import { shrink } from "./runner/shrink.ts";
import { drawScenario } from "./scenario/draw-scenario.ts";
import type { Scenario } from "./scenario/scenario.ts";
import { runScenario } from "./world/run-scenario.ts";

const root = join(import.meta.dirname, "../..");

function runNode(...args: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, ["--conditions=@dormouse/source", ...args], {
    encoding: "utf8",
    cwd: root,
  });
  return { status, stdout, stderr };
}

function simulate(...args: readonly string[]) {
  return runNode(join(import.meta.dirname, "run-simulation.ts"), ...args);
}

describe("a run of the simulation", () => {
  it("is the same to the last line for the same seed, and another one for another seed", async () => {
    for (let seed = 1; seed <= 12; seed += 1) {
      const first = await runScenario(drawScenario(seed), { isTold: true });
      const second = await runScenario(drawScenario(seed), { isTold: true });
      const other = await runScenario(drawScenario(seed + 1_000), { isTold: true });
      expect(second).toEqual(first);
      expect(other.timeLine).not.toBe(first.timeLine);
    }
  });

  it("leaves the machine's own chance as it was", async () => {
    const before = Math.random;
    await runScenario(drawScenario(3));
    expect(Math.random).toBe(before);
  });

  it("holds all properties over two hundred seeds", async () => {
    for (let seed = 1; seed <= 200; seed += 1) {
      const { violations } = await runScenario(drawScenario(seed));
      expect({ seed, violations }).toEqual({ seed, violations: [] });
    }
  });

  it("is shortened to what breaks it: a person's stop that nobody mends needs the person alone", async () => {
    // A policy that is not enabled is never put to sleep, which counts as a break of P4 here.
    const drawn = drawScenario(5);
    const scenario: Scenario = {
      ...drawn,
      resources: drawn.resources.map((each) => ({ ...each, policy: { ...each.policy, enabled: false } })),
      acts: [...drawn.acts, { cue: { at: 9_000 }, deed: { do: "scale-by-hand", resource: "web", to: 2 } }],
    };
    const failed = await runScenario(scenario);
    expect(failed.violations.map(({ property }) => property)).toContain("P4");
    const shrunk = await shrink(scenario, {
      ...failed,
      violations: failed.violations.filter((one) => one.property === "P4"),
    });
    expect(shrunk.scenario.acts.length).toBeLessThanOrEqual(1);
    expect(shrunk.faults).toEqual([]);
    const again = await runScenario(shrunk.scenario, { onlyFaults: new Set(shrunk.faults) });
    expect(again.violations.map(({ property }) => property)).toContain("P4");
  });
});

describe("mutants", () => {
  it.each(mutants)("$hole stands on text that is there once: $title", ({ edits }) => {
    for (const { file, find } of edits) {
      expect({ file, times: readFileSync(join(root, file), "utf8").split(find).length - 1 }).toEqual({
        file,
        times: 1,
      });
    }
  });

  it("are the table of docs/protocol.md; else run node e2e/simulation/write-docs.ts", () => {
    const page = readFileSync(join(root, "docs/protocol.md"), "utf8");
    expect(page).toBe(fillInMutants(page));
  });

  it("cover every hole of the protocol's earlier forms", () => {
    const holes = new Set(mutants.map(({ hole }) => /^H\d+/.exec(hole)?.[0]));
    for (let number = 1; number <= 13; number += 1) expect(holes).toContain(`H${String(number)}`);
  });

  it("whose text is gone say so where their file is loaded, and run nothing", () => {
    const edit = { file: "e2e/simulation/runner/shrink.ts", find: "what is not there", replace: "" };
    const script = `
      import { applyMutant } from "./e2e/simulation/runner/apply-mutant.ts";
      applyMutant({ hole: "H0", title: "stale", edits: [${JSON.stringify(edit)}] });
      await import("./e2e/simulation/runner/shrink.ts");`;
    const { status, stderr } = runNode("--input-type=module", "--eval", script);
    expect(status).toBe(1);
    expect(stderr).toContain("mutant H0: e2e/simulation/runner/shrink.ts has changed; mend the mutant");
  });

  it("that nothing finds make the hunt fail", () => {
    const { status, stdout } = simulate("--mutants", "--only", "H8", "--seeds", "1", "--threads", "1");
    expect(status).toBe(1);
    expect(stdout).toContain("NOT FOUND");
    expect(stdout.trimEnd().split("\n").at(-1)).toBe("0 passed, 1 failed");
  });
});

describe("the command", () => {
  it("says how many seeds held, what the protocol met, and how fast it was", () => {
    const { status, stdout } = simulate("--seeds", "30", "--threads", "2");
    expect(status).toBe(0);
    expect(stdout).toMatch(/^sleep: fence\s+\d+/m);
    expect(stdout).toMatch(/^wake done\s+\d+/m);
    expect(stdout).toMatch(/30 seeds, [\d,]+ steps, .* seeds and [\d,]+ steps a second/);
    expect(stdout.trimEnd().split("\n").at(-1)).toBe("30 passed, 0 failed");
  });

  it("tells a seed again, with its schedule and its time line", () => {
    const { status, stdout } = simulate("--seed", "7");
    expect(status).toBe(0);
    expect(stdout).toMatch(/^seed 7, as it was drawn:/);
    expect(stdout).toMatch(/^\s+0\.\d+ s {2}(?:dlx|host)-1\s+starts$/m);
    expect(stdout).toContain("all properties held");
    expect(simulate("--seed", "7").stdout).toBe(stdout);
  });

  it("shortens the failing seed of a mutant, and ends with 1", () => {
    const { stdout: table } = simulate("--mutants", "--only", "H13", "--seeds", "200", "--threads", "1");
    const seed = /^H13\s+(\d+)/m.exec(table)?.[1] ?? "";
    const { status, stdout } = simulate("--seed", seed, "--mutant", "H13");
    expect(status).toBe(1);
    expect(stdout).toMatch(/^seed \d+, shortened by \d+ runs:/);
    expect(stdout).toMatch(/^BROKEN P6 at [\d.]+ s: POST r\d+ was executed 2 times/m);
    const whole = simulate("--seed", seed, "--mutant", "H13", "--whole").stdout;
    expect(stdout.length).toBeLessThan(whole.length);
  });

  it.each([
    [["--seed", "abc"], "--seed must be a whole number from 0 to 4294967295"],
    [["--seed", "-1"], "--seed"],
    [["--seed", "4294967296"], "--seed must be a whole number"],
    [["--seed", "1.5"], "--seed must be a whole number"],
    [["--seeds", "0"], "--seeds must be a whole number from 1"],
    [["--threads", "many"], "--threads must be a whole number"],
    [["--only", "H1"], "add --mutants"],
    [["--mutants", "--only", "H99"], 'there is no mutant "H99"; there are H1, '],
    [["--mutant", "H1"], "--mutant goes with --seed N"],
    [["--mutants", "--seed", "1"], "exclude each other"],
    [["--sedes", "5"], "Unknown option '--sedes'"],
    [["5000"], "Unexpected argument '5000'"],
  ])("refuses %j with a line that says how to mend it", (args, message) => {
    const { status, stdout, stderr } = simulate(...args);
    expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
    expect(stderr).toContain(message);
  });
});
