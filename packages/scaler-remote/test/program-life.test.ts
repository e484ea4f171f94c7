import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { eventually, fixture, openRemote } from "./open-remote.ts";

const web = { namespace: "default", name: "web" };
const program = [process.execPath, fixture("scripted.ts")];

async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "dormouse-remote-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** The pids of a stubborn program and its child, as it writes them down; killed with the test at the latest. */
async function pidsIn(file: string): Promise<readonly number[]> {
  const pids = await eventually(async () => JSON.parse(await readFile(file, "utf8")) as readonly number[]);
  onTestFinished(() => pids.forEach((pid) => isRunning(pid) && process.kill(pid, "SIGKILL")));
  return pids;
}

/** Not where it is a zombie, which whoever adopts orphans may leave for long (proc_pid_stat(5)). */
function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return process.platform !== "linux" || !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
}

const allEnded = (pids: readonly number[]) => eventually(() => expect(pids.filter(isRunning)).toEqual([]));

describe("a program's environment", () => {
  it("is what env says and what inherit names, and nothing else of the host", async () => {
    vi.stubEnv("DORMOUSE_TEST_SECRET", "not for you");
    vi.stubEnv("DORMOUSE_TEST_SHARED", "for you");
    onTestFinished(() => void vi.unstubAllEnvs());
    const exec = { command: program, env: { GREETING: "hi", COUNT: 3 }, inherit: ["DORMOUSE_TEST_SHARED", "NOT_SET"] };
    const scaler = await openRemote({ exec, options: { does: "environment" } });
    const error: unknown = await scaler.getResource(web).catch((reason: unknown) => reason);
    const text = error instanceof Error ? error.message : "";
    const seen = JSON.parse(text.slice(text.indexOf("{"))) as Record<string, string>;
    // The shell that starts it may add its own working directory and name.
    for (const own of ["PWD", "OLDPWD", "SHLVL", "_"]) delete seen[own];
    expect(seen).toEqual({ GREETING: "hi", COUNT: "3", DORMOUSE_TEST_SHARED: "for you" });
  });
});

describe("the end of a program", () => {
  it("comes by SIGKILL for it and what it started, where it heeds neither the end of stdin nor SIGTERM", async () => {
    const file = join(await temporaryFolder(), "pids");
    const scaler = await openRemote({
      exec: { command: program, stopGrace: "50ms" },
      options: { does: "stubborn", file },
    });
    const pids = await pidsIn(file);
    expect(pids.map(isRunning)).toEqual([true, true]);
    await scaler[Symbol.asyncDispose]();
    await allEnded(pids);
  });

  it("comes by itself once its stdin ends", async () => {
    const file = join(await temporaryFolder(), "file");
    const scaler = await openRemote({ exec: { command: program, stopGrace: "1h" }, options: { file } });
    await expect(scaler[Symbol.asyncDispose]()).resolves.toBeUndefined();
  });

  it("takes what it left running in its group along", async () => {
    const file = join(await temporaryFolder(), "pids");
    await openRemote({ exec: { command: program }, options: { does: "stubborn", file } });
    const pids = await pidsIn(file);
    process.kill(pids[0] ?? 0, "SIGKILL");
    // The next program has written its own pids by the time that the first one's child is gone.
    await allEnded(pids);
    await eventually(async () => expect(await readFile(file, "utf8")).not.toBe(JSON.stringify(pids)));
    await pidsIn(file);
  });

  it("comes for it and what it started after its host has been killed", async () => {
    const file = join(await temporaryFolder(), "pids");
    const options = { exec: { command: program }, options: { does: "stubborn", file } };
    const host = spawn(
      process.execPath,
      ["--conditions=@dormouse/source", fixture("host.ts"), JSON.stringify(options)],
      { stdio: ["ignore", "pipe", "inherit"] },
    );
    onTestFinished(() => void host.kill("SIGKILL"));
    await once(host.stdout, "data");
    const pids = await pidsIn(file);
    expect(pids.map(isRunning)).toEqual([true, true]);
    host.kill("SIGKILL");
    await allEnded(pids);
  });
});
