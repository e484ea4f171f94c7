import { readFileSync } from "node:fs";
import { beforeAll, expect, it } from "vitest";
import { fillIn, numbersFile } from "../scripts/numbers-table.ts";
import { fleetSize, measureRequests, type RequestCount } from "./numbers/measure-requests.ts";

/** What Azure documents: a bucket of 250 reads that fills by 25 a second, 200 writes by 10 a second. */
const reads = { burst: 250, perSecond: 25 };
const writes = { burst: 200, perSecond: 10 };

/** What Azure allowed in an hour before it had buckets, and some clouds still do. */
const olderReadsPerHour = 12_000;

let counts: readonly RequestCount[];

beforeAll(async () => {
  counts = await measureRequests();
}, 120_000);

function countOf(words: string): RequestCount {
  const found = counts.find(({ what }) => what.includes(words));
  if (found === undefined) throw new Error(`nothing was counted for "${words}"`);
  return found;
}

it("is never refused by Azure's own limits", () => {
  expect(counts.map(({ what, refused }) => [what, refused])).toEqual(counts.map(({ what }) => [what, 0]));
});

it("stays within what Azure's buckets give in the time", () => {
  for (const count of counts) {
    const seconds = count.tookMs / 1_000;
    expect(count.reads, count.what).toBeLessThanOrEqual(reads.burst + reads.perSecond * seconds);
    expect(count.writes, count.what).toBeLessThanOrEqual(writes.burst + writes.perSecond * seconds);
  }
});

it("leaves most of the older hourly limit to others while everything sleeps", () => {
  expect(countOf("asleep").reads).toBeLessThanOrEqual(olderReadsPerHour / 8);
  expect(countOf("asleep").writes).toBe(0);
});

it("writes nothing while everything is awake, and reads at most a third of what the bucket gives", () => {
  expect(countOf("awake").reads).toBeLessThanOrEqual((reads.perSecond * 3_600) / 3);
  expect(countOf("awake").writes).toBe(0);
});

it("wakes with one write, and about a read for each second of the start", () => {
  const { reads: asked, writes: written, tookMs } = countOf("a wake");
  expect(written).toBe(1);
  expect(asked).toBeLessThanOrEqual(tookMs / 1_000 + 5);
});

it("wakes the whole fleet at once with one write each", () => {
  expect(countOf("wakes at once").writes).toBe(fleetSize);
});

it("sleeps with one write", () => {
  expect(countOf("a sleep").writes).toBe(1);
});

it("has these numbers in docs/azure.md; else run `npx pnpm@12 --filter @dormouse/scaler-aci numbers`", () => {
  const current = readFileSync(numbersFile, "utf8");
  expect(fillIn(current, counts)).toBe(current);
});
