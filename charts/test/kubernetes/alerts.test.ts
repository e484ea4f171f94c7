import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { openClientTools } from "@dormouse/test-kubernetes";
import { afterAll, beforeAll, describe, expect, it, type TestContext } from "vitest";
import { stringify } from "yaml";
import { chartFolder, renderChart } from "./chart-objects.ts";

const run = promisify(execFile);
const series = {
  dlx: 'namespace="default",job="one-dormouse-dlx-admin"',
  autoscaler: 'namespace="default",job="one-dormouse-autoscaler"',
};

/** What Prometheus saw, one sample a minute, in promtool's notation. */
type Samples = Readonly<Record<string, string>>;

/** All as it should be, for an hour. */
const well: Samples = {
  [`up{${series.dlx},pod="d1"}`]: "1x60",
  [`up{${series.dlx},pod="d2"}`]: "1x60",
  [`dormouse_autoscaler_heartbeat_total{${series.autoscaler},pod="a1"}`]: "0+12x60",
  [`dormouse_wakes_total{${series.dlx},pod="d1",resource="k8s/a/web",outcome="woken"}`]: "0+1x60",
  [`dormouse_sleeps_total{${series.autoscaler},pod="a1",resource="k8s/a/web",outcome="kept"}`]: "0+1x60",
  [`dormouse_dlx_requests_total{${series.dlx},pod="d1",resource="k8s/a/web",code="200"}`]: "0+60x60",
  [`dormouse_scaler_listed{${series.dlx},pod="d1",scaler="k8s"}`]: "1x60",
  [`dormouse_config_refused{${series.dlx},pod="d1"}`]: "0x60",
};

let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "dormouse-alerts-"));
  const tools = await openClientTools();
  const objects = await renderChart(tools, ["--values", `${chartFolder}ci/monitoring-values.yaml`]);
  const rule = objects.find(({ kind }) => kind === "PrometheusRule");
  writeFileSync(join(folder, "rules.yaml"), stringify(rule?.spec));
  tools[Symbol.dispose]();
}, 180_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function needsPromtool(context: TestContext): Promise<void> {
  const isThere = await run("promtool", ["--version"]).then(
    () => true,
    () => false,
  );
  if (!isThere) context.skip("promtool is missing: apt-get install prometheus");
}

/** Which alerts burn at a minute of the hour, by promtool's own account of what it got. */
async function alertsAt(minute: number, samples: Samples): Promise<string[]> {
  const inputs = Object.entries({ ...well, ...samples }).filter(([, values]) => values !== "");
  const names = [...readFileSync(join(folder, "rules.yaml"), "utf8").matchAll(/alert: (\w+)/g)].map(([, name]) => name);
  const test = {
    rule_files: ["rules.yaml"],
    evaluation_interval: "1m",
    tests: [
      {
        interval: "1m",
        input_series: inputs.map(([name, values]) => ({ series: name, values })),
        // None is expected, so promtool lists each that burns.
        alert_rule_test: names.map((alertname) => ({ eval_time: `${String(minute)}m`, alertname, exp_alerts: [] })),
      },
    ],
  };
  writeFileSync(join(folder, "test.yaml"), stringify(test));
  const { stdout, stderr } = await run("promtool", ["test", "rules", join(folder, "test.yaml")]).catch(
    (error: unknown) => error as { readonly stdout: string; readonly stderr: string },
  );
  const text = `${stdout}${stderr}`;
  if (!/SUCCESS|alertname:/.test(text)) throw new Error(text);
  return [...text.matchAll(/alertname: ?(\w+)/g)].map(([, name = ""]) => name);
}

describe("the alerts", () => {
  it("are silent while all is well", async (context) => {
    await needsPromtool(context);
    await expect(alertsAt(50, {})).resolves.toEqual([]);
  });

  it.for<readonly [alert: string, cause: string, samples: Samples]>([
    ["DormouseDlxMissing", "a DLX does not answer", { [`up{${series.dlx},pod="d2"}`]: "1x30 0x30" }],
    [
      "DormouseNoLeader",
      "no autoscaler ticks",
      { [`dormouse_autoscaler_heartbeat_total{${series.autoscaler},pod="a1"}`]: "0+12x30 360x30" },
    ],
    [
      "DormouseNoLeader",
      "there is no autoscaler",
      { [`dormouse_autoscaler_heartbeat_total{${series.autoscaler},pod="a1"}`]: "" },
    ],
    [
      "DormouseWakesFail",
      "a wake has failed for the first time",
      {
        [`dormouse_wakes_total{${series.dlx},pod="d1",resource="k8s/a/web",outcome="SCALER_START_FAILED"}`]:
          "_x45 1x15",
      },
    ],
    [
      "DormouseWakesFail",
      "a wake has failed again",
      {
        [`dormouse_wakes_total{${series.dlx},pod="d1",resource="k8s/a/web",outcome="SCALER_START_FAILED"}`]:
          "1x45 2x15",
      },
    ],
    [
      "DormouseSleepsFail",
      "sleeps fail again and again",
      { [`dormouse_sleeps_total{${series.autoscaler},pod="a1",resource="k8s/a/web",outcome="failed"}`]: "0+1x60" },
    ],
    [
      "DormouseRequestsRefused",
      "callers get errors",
      { [`dormouse_dlx_requests_total{${series.dlx},pod="d1",resource="k8s/a/web",code="503"}`]: "0+1x60" },
    ],
    [
      "DormouseScalerUnlisted",
      "a host cannot list",
      { [`dormouse_scaler_listed{${series.dlx},pod="d1",scaler="k8s"}`]: "1x30 0x30" },
    ],
    [
      "DormouseConfigRefused",
      "a configuration is refused",
      { [`dormouse_config_refused{${series.dlx},pod="d1"}`]: "0x30 1x30" },
    ],
  ])("%s burns alone where %s", async ([alert, , samples], context) => {
    await needsPromtool(context);
    await expect(alertsAt(50, samples)).resolves.toEqual([alert]);
  });
});
