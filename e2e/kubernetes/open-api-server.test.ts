import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, it, onTestFinished, vi } from "vitest";
import { family, familyVariable } from "../harness/processes.ts";
import { until } from "../harness/until.ts";
import { findServer } from "./find-server.ts";
import { openApiServer } from "./open-api-server.ts";
import { openTestApi } from "./test-api.ts";

// Each starts servers of its own, beside all that runs already.
vi.setConfig({ testTimeout: 120_000 });

// A foreign cluster is not ours to stop, and there need not be programs here.
const found = findServer();
const programs = found.kind === "programs" ? found.folder : undefined;

it.runIf(programs !== undefined)("keeps what was stored while its API server is killed and started again", async () => {
  const server = await openApiServer({ programs: programs!, hasControllers: false });
  onTestFinished(async () => server[Symbol.asyncDispose](), 30_000);
  const api = openTestApi(server.kubeconfig);
  onTestFinished(async () => api[Symbol.asyncDispose]());
  await api.post("/api/v1/namespaces", { metadata: { name: "kept" } });
  await server.stop("kube-apiserver");
  await expect(api.get("/api/v1/namespaces/kept")).rejects.toThrow("fetch failed");
  await server.start("kube-apiserver");
  const kept = await until("an answer", () => api.get("/api/v1/namespaces/kept").catch(() => undefined), 30_000);
  expect(kept.metadata.name).toBe("kept");
});

it.runIf(programs !== undefined)("leaves nothing behind when its owner is killed", async () => {
  const mark = `api-server-${String(process.pid)}`;
  const module = JSON.stringify(fileURLToPath(new URL("open-api-server.ts", import.meta.url)));
  const options = JSON.stringify({ programs, hasControllers: false });
  const code = `
    const { openApiServer } = await import(${module});
    console.log((await openApiServer(${options})).folder);
    setInterval(() => {}, 1_000);`;
  const owner = spawn(process.execPath, ["--input-type=module", "--eval", code], {
    env: { ...process.env, [familyVariable]: mark },
    stdio: ["ignore", "pipe", "inherit"],
  });
  onTestFinished(() => void owner.kill("SIGKILL"));
  const folder = await new Promise<string>((resolve) =>
    owner.stdout.once("data", (text: Buffer) => resolve(String(text).trim())),
  );
  expect(family(mark).map(({ command }) => command)).toContainEqual(expect.stringContaining("kube-apiserver"));
  owner.kill("SIGKILL");
  await until("the end of everything that it started", () => family(mark).length === 0, 30_000);
  await until("the end of its folder", () => !existsSync(folder));
});
