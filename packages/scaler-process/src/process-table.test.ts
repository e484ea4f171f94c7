import { spawn } from "node:child_process";
import { once } from "node:events";
import { describe, expect, it, onTestFinished } from "vitest";
import { parseStat } from "./linux-process-table.ts";
import { openProcessTable } from "./open-process-table.ts";
import { markVariable } from "./process-table.ts";
import { parseProcesses, psProcessTable } from "./ps-process-table.ts";

const numbers = Array.from({ length: 40 }, (_, index) => String(100 + index));

describe("/proc/PID/stat", () => {
  it("gives group and start whatever the program calls itself", () => {
    const rest = `S 1 42 ${numbers.join(" ")}`;
    expect(parseStat(`7 (node) ${rest}`)).toEqual({ group: 42, started: "116" });
    expect(parseStat(`7 (a) Z 9 9 (b c) ${rest}`)).toEqual({ group: 42, started: "116" });
  });

  it("is of no running process where it is a zombie or cut", () => {
    expect(parseStat(`7 (node) Z 1 42 ${numbers.join(" ")}`)).toBeUndefined();
    expect(parseStat("7 (node) S 1 42")).toBeUndefined();
  });
});

describe("the output of ps", () => {
  it("gives pid, group, start and mark, and leaves zombies out", () => {
    const output = [
      "    1     1 Ss   Sun Nov 23 10:53:00 2026 /sbin/init",
      `  812   812 S+   Mon Nov  2 09:05:01 2026 node server.js HOME=/root ${markVariable}=abc.1 LANG=C`,
      "  813   812 Z    Mon Nov  2 09:05:01 2026 (sh)",
      " 9999   812 R    Mon Nov  2 09:05:02 2026",
      "",
    ];
    expect(parseProcesses(output.join("\n"))).toEqual([
      { pid: 1, group: 1, started: "Sun Nov 23 10:53:00 2026", mark: undefined },
      { pid: 812, group: 812, started: "Mon Nov 2 09:05:01 2026", mark: "abc.1" },
      { pid: 9_999, group: 812, started: "Mon Nov 2 09:05:02 2026", mark: undefined },
    ]);
  });
});

describe.each([
  ["the machine's own table", openProcessTable(process.platform)],
  ["ps", psProcessTable(process.platform)],
])("%s", (_, table) => {
  it("knows a child by pid, group, start and mark until its end", async () => {
    const env = { ...process.env, [markVariable]: "here.1" };
    const program = "console.log('up'); setInterval(() => {}, 60_000)";
    const child = spawn(process.execPath, ["-e", program], {
      detached: true,
      stdio: ["ignore", "pipe", "ignore"],
      env,
    });
    onTestFinished(() => void child.kill("SIGKILL"));
    // A process has its environment only once its program is loaded.
    await once(child.stdout, "data");
    const pid = child.pid ?? 0;
    const started = await table.startOf(pid);
    expect(started).toBeDefined();
    expect(await table.list()).toContainEqual({ pid, group: pid, started, mark: "here.1" });
    child.kill("SIGKILL");
    await once(child, "exit");
    expect(await table.startOf(pid)).toBeUndefined();
  });

  it("has the same scope on each call", async () => {
    expect(await table.scope()).toBe(await table.scope());
    expect(await table.scope()).not.toBe("");
  });
});
