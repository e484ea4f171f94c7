import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { scaleItConfig } from "../src/config/scaleit-config.ts";
import { endBins, runBin, startBin } from "./run-bin.ts";
import { untilLogged } from "./run-host.ts";

vi.setConfig({ testTimeout: 120_000 });

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "dormouse-scaleit-"));
});

afterEach(async () => {
  await endBins();
  await rm(folder, { recursive: true, force: true });
});

describe("dormouse, told of an application by variables", () => {
  it("prints the configuration that they stand for, the same as that of the written lines", async () => {
    await writeFile(join(folder, "app.env"), "APP_SERVICE_PORT=9\nSCALE_TOLERANCE=.05\n");
    await writeFile(
      join(folder, "written.yaml"),
      scaleItConfig.replaceAll(":8123", ":9").replace("tolerance: 0.1", "tolerance: 0.05"),
    );
    const environment = { APP_SERVICE_PORT: "9", SCALE_TOLERANCE: ".05" };
    const [byFile, byVariables, written] = await Promise.all([
      runBin(["check", "--print", "--env-file", "app.env"], { folder }),
      runBin(["check", "--print"], { folder, environment }),
      runBin(["check", "--print", "-c", "written.yaml"], { folder }),
    ]);
    expect(written.stdout).toContain("tolerance: 0.05");
    expect(byFile.stdout).toBe(written.stdout);
    expect(byVariables.stdout).toBe(written.stdout);
  });

  it("names the variables whose values it cannot use, and starts nothing", async () => {
    await writeFile(join(folder, "app.env"), "SCALE_METRIC=80%\nLOG_LEVEL=LOUD\n");
    expect(await runBin(["autoscaler", "--env-file", "app.env"], { folder })).toEqual({
      code: 2,
      stdout: "",
      stderr:
        'error: SCALE_METRIC: "80%" is no number; write for example 0.8\n' +
        'error: LOG_LEVEL: "LOUD" is no log level; write DEBUG, INFO, WARNING, ERROR or SILENT\n',
    });
  });

  it("names the variable of a value that its plugins refuse", async () => {
    const environment = { SCALE_METRIC: "-1" };
    const { code, stderr } = await runBin(["autoscaler"], { folder, environment });
    expect(code).toBe(2);
    expect(stderr).toMatch(/^error: SCALE_METRIC: /);
  });

  it("does not start without a file and variables, nor with a file of variables that is not there", async () => {
    const without = await runBin(["autoscaler"], { folder, environment: { LOG_LEVEL: "INFO" } });
    expect(without.code).toBe(2);
    expect(without.stderr).toContain("dormouse.yaml: does not exist");
    const { code, stderr } = await runBin(["autoscaler", "--env-file", "none.env"], { folder });
    // Node itself looks at an option of this name, wherever it stands, and may be the one that says so.
    expect([2, 9]).toContain(code);
    expect(stderr).toContain("none.env");
  });

  it("shows failed requests at 0 before any has failed", async () => {
    const status = JSON.stringify({ cpu: { highPriority: 0.8 }, replicas: 3 });
    const application = createServer((_, response) => response.end(status)).listen(0, "127.0.0.1");
    try {
      await once(application, "listening");
      const { port } = application.address() as AddressInfo;
      const environment = { APP_SERVICE_PORT: String(port), APP_SERVICE_URL: "http://127.0.0.1" };
      const bin = startBin(["autoscaler", "--admin-listen", "127.0.0.1:0", "--log-format", "json"], {
        folder,
        environment,
      });
      const { admin } = await untilLogged(bin, "ready");
      const metrics = await (await fetch(`http://${String(admin)}/metrics`)).text();
      expect(metrics).toMatch(/^requests_failures_total\{method="get",endpoint="\/app\/status"\} 0$/m);
      expect(metrics).toMatch(/^requests_failures_total\{method="put",endpoint="\/app\/replicas"\} 0$/m);
    } finally {
      application.close();
      application.closeAllConnections();
    }
  });

  it("goes by the file where there is one, and says which", async () => {
    await writeFile(join(folder, "dormouse.yaml"), scaleItConfig);
    const environment = { SCALE_METRIC: "80%", DORMOUSE_ADMIN_LISTEN: "127.0.0.1:0", DORMOUSE_LOG_FORMAT: "json" };
    const bin = startBin(["autoscaler"], { folder, environment });
    expect(await untilLogged(bin, "ready")).toMatchObject({ config: "dormouse.yaml" });
    bin.kill("SIGTERM");
    expect(await bin.ended).toBe(0);
  });

  it("starts while the application is away, and reads nothing again on SIGHUP", async () => {
    const environment = { APP_SERVICE_PORT: "9", DORMOUSE_ADMIN_LISTEN: "127.0.0.1:0", DORMOUSE_LOG_FORMAT: "json" };
    const bin = startBin(["autoscaler"], { folder, environment });
    await untilLogged(bin, "no peer discovery is configured (cluster.peers): nothing is put to sleep");
    expect(await untilLogged(bin, "ready")).toMatchObject({ config: "the environment" });
    bin.kill("SIGHUP");
    await untilLogged(bin, "the configuration comes from variables, which only a start reads");
    bin.kill("SIGTERM");
    expect(await bin.ended).toBe(0);
  });
});
