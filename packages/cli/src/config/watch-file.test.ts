import { mkdir, mkdtemp, rename, rm, symlink, unlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FakeClock } from "@dormouse/core/testing";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { watchFile } from "./watch-file.ts";

let folder: string;
let file: string;
let clock: FakeClock;
let seen: string[];
let stop: AbortController;
let watching: Promise<void>;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "dormouse-watch-"));
  file = join(folder, "d.yaml");
  await writeFile(file, "old");
  clock = new FakeClock();
  seen = [];
  stop = new AbortController();
});

afterEach(async () => {
  stop.abort();
  await watching;
  await rm(folder, { recursive: true });
});

function begin(): void {
  watching = watchFile(file, { clock, text: "old", onChange: async (text) => void seen.push(text) }, stop.signal);
}

/** What has been told once so many contents have been. File calls take real time, so the clock moves until the watch has got there. */
async function told(count: number): Promise<readonly string[]> {
  const deadline = performance.now() + 8_000;
  while (seen.length < count && performance.now() < deadline) {
    await clock.advance(250);
    await new Promise((resolve) => setImmediate(resolve));
  }
  return seen;
}

/** Long enough for several looks. */
async function pass(): Promise<void> {
  for (let step = 0; step < 40; step += 1) {
    await clock.advance(250);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

describe("watchFile", () => {
  it("tells a content that is written in place", async () => {
    begin();
    await writeFile(file, "new");
    expect(await told(1)).toEqual(["new"]);
  });

  it("tells one that is renamed into place, as editors do, and the next one too", async () => {
    begin();
    await writeFile(`${file}.tmp`, "one");
    await rename(`${file}.tmp`, file);
    expect(await told(1)).toEqual(["one"]);
    await writeFile(`${file}.tmp`, "two");
    await rename(`${file}.tmp`, file);
    expect(await told(2)).toEqual(["one", "two"]);
  });

  it("follows folders that are swapped behind a link, as Kubernetes does", async () => {
    await rm(file);
    await mkdir(join(folder, "v1"));
    await writeFile(join(folder, "v1", "d.yaml"), "old");
    await symlink("v1", join(folder, "data"));
    await symlink(join("data", "d.yaml"), file);
    begin();
    await pass();
    await mkdir(join(folder, "v2"));
    await writeFile(join(folder, "v2", "d.yaml"), "new");
    await symlink("v2", join(folder, "data.tmp"));
    await rename(join(folder, "data.tmp"), join(folder, "data"));
    expect(await told(1)).toEqual(["new"]);
  });

  it("tells a change that came before the watch began", async () => {
    await writeFile(file, "new");
    begin();
    expect(await told(1)).toEqual(["new"]);
  });

  it("takes a file that is gone for a while for no change", async () => {
    begin();
    await unlink(file);
    await pass();
    await writeFile(file, "new");
    expect(await told(1)).toEqual(["new"]);
  });

  it("says nothing where the content stays", async () => {
    begin();
    await writeFile(file, "old");
    await pass();
    expect(seen).toEqual([]);
  });

  it("waits until a content that is still being written stays the same", async () => {
    const sleep = vi.spyOn(clock, "sleep");
    begin();
    await writeFile(file, "ne");
    await vi.waitFor(
      async () => {
        await clock.advance(100);
        expect(sleep).toHaveBeenLastCalledWith(200, stop.signal);
      },
      { timeout: 8_000, interval: 5 },
    );
    await writeFile(file, "new");
    expect(await told(1)).toEqual(["new"]);
  });

  it("ends with its signal and leaves no timer", async () => {
    begin();
    await pass();
    stop.abort();
    await watching;
    expect(clock.pendingTimers).toBe(0);
  });
});
