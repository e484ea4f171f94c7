import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { drawDocs } from "./draw-docs.ts";
import { holdByDormouse } from "./hold-by-dormouse.ts";
import { measuredSeeds, measureSeed, type SeedRuns } from "./measure-scaleit.ts";
import { fillInPage } from "./render-numbers.ts";
import { figuresOf } from "./scaleit-run.ts";

const docs = join(import.meta.dirname, "../../docs");
const mend = "stale: npx pnpm@12 bench:scaleit && npx pnpm@12 format";

let all: readonly SeedRuns[] = [];

beforeAll(async () => {
  const runs: SeedRuns[] = [];
  for (const seed of measuredSeeds) runs.push(await measureSeed(seed));
  all = runs;
}, 240_000);

/** The formatter pads tables; that makes no difference. */
function withoutPadding(text: string): string {
  return text.replaceAll(/ +/g, " ").replaceAll(/-{3,}/g, "---");
}

describe("thirty simulated minutes of ScaleIt under dormouse autoscaler", () => {
  it.each(measuredSeeds)("have a mean CPU of 0.80 within 0.03 (seed %i)", (seed) => {
    const { meanCpu } = figuresOf(runsOf(seed).dormouse);
    expect(meanCpu).toBeGreaterThan(0.77);
    expect(meanCpu).toBeLessThan(0.83);
  });

  it.each(measuredSeeds)(
    "have at most six tenths of the changes of the plain loop, and a mean nearer to 0.80 (seed %i)",
    (seed) => {
      const { dormouse, plain } = runsOf(seed);
      const [own, other] = [figuresOf(dormouse), figuresOf(plain)];
      expect(own.changesPerMinute).toBeGreaterThan(0);
      expect(own.changesPerMinute).toBeLessThan(other.changesPerMinute * 0.6);
      expect(Math.abs(own.meanCpu - 0.8)).toBeLessThan(Math.abs(other.meanCpu - 0.8));
    },
  );

  it("are the same again", async () => {
    expect(await holdByDormouse(1)).toEqual(runsOf(1).dormouse);
  });

  it("are what the documentation shows, as a table and as a plot", async () => {
    const page = readFileSync(join(docs, "scaleit.md"), "utf8");
    expect(withoutPadding(fillInPage(page, all)), mend).toBe(withoutPadding(page));
    expect(await drawDocs(all), mend).toBe(readFileSync(join(docs, "scaleit.svg"), "utf8"));
  });
});

function runsOf(seed: number): SeedRuns {
  const found = all.find((each) => each.seed === seed);
  if (found === undefined) throw new Error(`seed ${String(seed)} was not measured`);
  return found;
}
