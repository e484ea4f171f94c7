import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { atMost, figures, heading, mustHold, notMeasured } from "../bench/report/bench-row.ts";
import { benchTable, conclusion } from "../bench/report/bench-table.ts";
import { family, familyVariable } from "./harness/processes.ts";

const root = fileURLToPath(new URL("..", import.meta.url));

const budgets = [
  "CPU, dormouse : http-proxy-3",
  "CPU, dormouse : http-proxy-3, keep-alive",
  "CPU, dormouse : Go ReverseProxy (goal)",
  "CPU, dormouse : nginx (goal)",
  "latency added to a warm request, p50",
  "added once the service listens, p95",
  "added once it has a first connection, p95",
  "answered by the service",
  "memory of one, dormouse : bare",
  "its requests refused meanwhile",
  "it is slower by, p50",
  "dormouse up, from spawn to listening",
  "CPU of one tick, p50",
  "metric queries of one tick",
];

const proxies = [
  "direct",
  "dormouse",
  "http-proxy-3",
  "http-proxy-3, keep-alive",
  "Go ReverseProxy",
  "nginx",
  "HAProxy",
];

async function runBench(...args: readonly string[]) {
  const node = ["--conditions=@dormouse/source", join(root, "bench/bench.ts"), ...args];
  const mark = `bench-${String(process.pid)}-${String(performance.now())}`;
  const folder = mkdtempSync(join(tmpdir(), "dormouse-e2e-"));
  const env = { ...process.env, TMPDIR: folder, [familyVariable]: mark };
  const child = spawn(process.execPath, node, { cwd: root, stdio: ["ignore", "pipe", "pipe"], env });
  let [output, complaints] = ["", ""];
  child.stdout.on("data", (text: Buffer) => (output += text.toString()));
  child.stderr.on("data", (text: Buffer) => (complaints += text.toString()));
  const [code] = (await once(child, "close")) as [number | null];
  // Node's own compile cache may stay.
  const folders = readdirSync(folder).filter((name) => name !== "node-compile-cache");
  const left = [...family(mark).map(({ command }) => command), ...folders];
  rmSync(folder, { recursive: true });
  return { code, output, complaints, left };
}

/** The cells of each row. */
function rowsOf(table: string): readonly string[][] {
  const lines = table.split("\n").filter((line) => line.startsWith("│"));
  return lines.map((line) =>
    line
      .split("│")
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

describe("the bench", () => {
  it(
    "measures everything, says of each budget whether it was kept, and leaves nothing behind",
    { timeout: 300_000 },
    async () => {
      const { code, output, complaints, left } = await runBench("--quick", "--source");
      expect(code, complaints).toBe(0);
      const rows = rowsOf(output);
      const judged = rows.filter(([, , , verdict = ""]) => ["within", "MISSED", "not measured"].includes(verdict));
      expect(judged.map(([what]) => what)).toEqual(budgets);
      for (const [what, measured, budget] of judged) {
        expect(measured, what).not.toMatch(/NaN|undefined|Infinity/);
        expect(budget, what).not.toBe("");
      }
      const seen = rows.filter(([what = ""]) => proxies.includes(what));
      expect(new Set(seen.map(([what]) => what))).toEqual(new Set(proxies));
      for (const [what, measured] of seen)
        expect(measured, what).toMatch(/^(CPU \d+ us, )?p50 .* ms; \d+\/s$|^not installed: apt-get install /);
      expect(output).toMatch(/^\d+ budgets measured; /m);
      expect(left).toEqual([]);
    },
  );

  it("refuses what it does not know, and says what there is", async () => {
    const { code, complaints } = await runBench("--source", "--only", "everything");
    expect(code).toBe(2);
    expect(complaints).toContain("nothing is called everything: proxies, wakes, bursts, start, tick");
  });

  it("names what was missed and what could not be measured", () => {
    const rows = [
      heading("Section"),
      figures("known", "1 ms"),
      atMost("kept", 1, 2, String),
      atMost("too much", 3, 2, String),
      atMost("no number", Number.NaN, 2, String),
      mustHold("broken", false, "no", "yes"),
      notMeasured("elsewhere", "2", "not installed"),
    ];
    expect(conclusion(rows)).toBe("4 budgets measured; MISSED: too much; no number; broken; not measured: elsewhere");
    expect(rowsOf(benchTable(rows)).filter(([what]) => what === "too much")).toEqual([
      ["too much", "3", "<= 2", "MISSED"],
    ]);
  });
});
