import { describe, expect, it } from "vitest";
import { ConformanceRun } from "../src/conformance-run.ts";
import type { Declared } from "../src/rule.ts";
import { rules } from "../src/rules.ts";
import type { Hook } from "../src/test-platform.ts";
import { EagerClock } from "./memory/eager-clock.ts";
import { capabilitiesWith, memoryTest, withoutHooks } from "./memory/memory-test.ts";

const hooks: readonly Hook[] = [
  "other",
  "optionsWithoutOther",
  "changeElsewhere",
  "breakStart",
  "holdStart",
  "remove",
  "endInstance",
  "stallPlatform",
  "cutPlatform",
  "routedTo",
];

describe("the rules", () => {
  it("have ids of their own, in groups that stand together", () => {
    const ids = rules.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const id of ids) expect(id).toMatch(/^[a-z]+\/[a-z]+(-[a-z]+)*$/);
    const groups = ids.map((id) => id.slice(0, id.indexOf("/")));
    const changes = groups.filter((group, index) => group !== groups[index - 1]);
    expect(new Set(changes).size).toBe(changes.length);
  });

  it("say what they prove, why, and how it is mended", () => {
    for (const { id, title, why, mend } of rules) {
      expect(title, id).toMatch(/^([A-Z]|setScale|getResource|listResources|resolveTargets|routeTraffic).*\.$/);
      expect(why, id).toMatch(/^[A-Z].*\.$/);
      expect(mend, id).toMatch(/^[a-z].*[^.]$/);
    }
  });

  it("build on rules that are judged before them", () => {
    const judged = new Set<string>();
    for (const { id, buildsOn = [] } of rules) {
      expect(
        buildsOn.filter((each) => !judged.has(each)),
        id,
      ).toEqual([]);
      judged.add(id);
    }
  });

  it.each(rules)("ask for nothing that they do not name: $id", async (rule) => {
    const verdict = await new ConformanceRun(withOnly(rule.requires ?? [], rule.needs ?? [])).judge(rule);
    expect(verdict).toEqual({ kind: "passed" });
  });

  it("are left out by the name of what the harness does not have", async () => {
    const run = new ConformanceRun(withOnly(["many", "watch", "routing", "compareAndSet", "reconfigure"], []));
    const needing = rules.filter(({ needs }) => needs !== undefined);
    const verdicts = await Promise.all(needing.map(async (rule) => run.judge(rule)));
    expect(verdicts).toEqual(
      needing.map(({ needs = [] }) => ({
        kind: "left-out",
        cause: "no-hook",
        reason: `left out: the harness does not have ${needs.join(", ")}`,
      })),
    );
  });
});

/** A faithful scaler that declares only this, in a harness that has only these hooks and `reach`. */
function withOnly(declared: readonly Declared[], needed: readonly Hook[]): ReturnType<typeof memoryTest> {
  const capabilities = capabilitiesWith({
    replicas: declared.includes("many") ? "many" : "one",
    watch: declared.includes("watch"),
    routing: declared.includes("routing"),
    compareAndSet: declared.includes("compareAndSet"),
  });
  const unneeded = hooks.filter((hook) => !needed.includes(hook));
  const test = memoryTest(new EagerClock(), capabilities);
  const { reconfigure: _, ...plugin } = test.plugin;
  return {
    ...test,
    plugin: declared.includes("reconfigure") ? test.plugin : plugin,
    open: async () => withoutHooks(await test.open(), unneeded),
  };
}
