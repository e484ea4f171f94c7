import type { ServerResponse } from "node:http";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentLogger, systemClock } from "@dormouse/core";
import { FakeClock, freePort } from "@dormouse/core/testing";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { answer, FakeApiServer, fail } from "../../test/fake-api-server.ts";
import { collect } from "../../test/collect.ts";
import { RecordingLogger } from "../../test/recording-logger.ts";
import { KubeError } from "../kube-error.ts";
import { loadKubeConfig } from "./load-kube-config.ts";
import { openCluster } from "./open-cluster.ts";

let server: FakeApiServer;
let folder: string;

beforeEach(async () => {
  server = await FakeApiServer.open();
  folder = await mkdtemp(join(tmpdir(), "dormouse-kubeconfig-"));
});

afterEach(async () => {
  vi.unstubAllEnvs();
  await server[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

const deployments = "/apis/apps/v1/namespaces/shop/deployments/web";

describe("opening a cluster", () => {
  it("reads version, namespace and what is served", async () => {
    server.on("/version", answer({ major: "1", minor: "28+", gitVersion: "v1.28.3-gke.1" }));
    const cluster = await server.openCluster({ context: { namespace: "shop" } });
    expect(cluster.version).toEqual({ major: 1, minor: 28, text: "v1.28.3-gke.1" });
    expect(cluster.namespace).toBe("shop");
    expect(cluster.serves("v1", "pods")).toBe(true);
    expect(cluster.serves("apps/v1", "deployments")).toBe(true);
    expect(cluster.serves("apps/v1")).toBe(true);
    expect(cluster.serves("apps/v1", "rabbits")).toBe(false);
    expect(cluster.serves("gateway.networking.k8s.io/v1")).toBe(false);
  });

  it("takes the one answer of a server that tells all at once", async () => {
    const versions = [{ version: "v1", resources: [{ resource: "deployments" }] }];
    server.on("/apis", answer({ kind: "APIGroupDiscoveryList", items: [{ metadata: { name: "apps" }, versions }] }));
    const cluster = await server.openCluster();
    expect(cluster.serves("apps/v1", "deployments")).toBe(true);
    expect(cluster.namespace).toBe("default");
    expect(server.requestsTo("/apis/apps/v1")).toEqual([]);
  });

  it("opens where an added API is down, and says so", async () => {
    const logger = new RecordingLogger();
    const groupVersion = "custom.metrics.k8s.io/v1beta1";
    server.on("/apis", answer({ groups: [{ versions: [{ groupVersion }] }] }));
    server.on(`/apis/${groupVersion}`, fail(503, { message: "service unavailable" }));
    const cluster = await server.openCluster({ logger });
    expect(cluster.serves(groupVersion)).toBe(true);
    expect(logger.messages("warn")).toEqual(["this part of the Kubernetes API does not answer"]);
  });

  it("does not open where the server's own part does not answer", async () => {
    server.on("/apis/apps/v1", fail(503, { message: "starting" }));
    await expect(server.openCluster()).rejects.toMatchObject({ code: "SCALER_UNAVAILABLE" });
  });

  it.each([
    [{ major: "1", minor: "18+", gitVersion: "v1.18.9" }, "Kubernetes v1.18.9 is too old"],
    [{ major: "0", minor: "99" }, "Kubernetes 0.99 is too old"],
    [{ hello: "world" }, "does not tell its version"],
  ])("refuses a server that says %j of itself", async (version, message) => {
    server.on("/version", answer(version));
    await expect(server.openCluster()).rejects.toMatchObject({
      code: "SCALER_UNSUPPORTED",
      message: expect.stringContaining(message) as string,
    });
  });

  it("shows its token, and no password in an address", async () => {
    await server.openCluster();
    expect(server.requests[0]?.headers["authorization"]).toBe("Bearer secret");
    await server.openCluster({ user: { token: undefined, username: "joe", password: "pass" } });
    const basic = `Basic ${Buffer.from("joe:pass").toString("base64")}`;
    expect(server.requests.at(-1)?.headers["authorization"]).toBe(basic);
  });

  it("reaches a server behind a path", async () => {
    server.on("/k8s/clusters/c-1/version", answer({ major: "1", minor: "18", gitVersion: "v1.18.0" }));
    const cluster = { server: `http://127.0.0.1:${String(server.port)}/k8s/clusters/c-1/` };
    await expect(server.openCluster({ cluster })).rejects.toThrow("v1.18.0");
  });

  it("says what is wrong with a kubeconfig", async () => {
    const open = (kubeconfig: string, context?: string) =>
      openCluster({ kubeconfig, clock: systemClock, logger: silentLogger, ...(context !== undefined && { context }) });
    const bad = (message: string) => ({
      code: "SCALER_BAD_OPTIONS",
      message: expect.stringContaining(message) as string,
    });
    await expect(open(join(folder, "none"))).rejects.toMatchObject(bad("no such file"));
    await writeFile(join(folder, "garbage"), "a: [");
    await expect(open(join(folder, "garbage"))).rejects.toMatchObject(bad("cannot be read as a kubeconfig"));
    const file = await server.writeKubeconfig();
    await expect(open(file, "other")).rejects.toMatchObject(bad('has no context "other"; it has x'));
    const dangling = await server.writeKubeconfig({ context: { cluster: "gone" } });
    await expect(open(dangling)).rejects.toMatchObject(bad("leads to no cluster"));
    const socks = await server.writeKubeconfig({ cluster: { "proxy-url": "socks5://127.0.0.1:1" } });
    await expect(open(socks)).rejects.toMatchObject({ code: "SCALER_UNSUPPORTED" });
  });

  it("says so where there are no credentials at all", async () => {
    vi.stubEnv("KUBECONFIG", "");
    vi.stubEnv("HOME", folder);
    await expect(loadKubeConfig({ pathPrefix: folder })).rejects.toMatchObject({
      code: "SCALER_BAD_OPTIONS",
      message: expect.stringContaining("no kubeconfig and no service account") as string,
    });
  });

  it("takes the pod's service account where there is one and nothing else is asked for", async () => {
    const account = join(folder, "var/run/secrets/kubernetes.io/serviceaccount");
    await mkdir(account, { recursive: true });
    await writeFile(join(account, "token"), "t");
    await writeFile(join(account, "ca.crt"), "c");
    await writeFile(join(account, "namespace"), "back\n");
    vi.stubEnv("KUBERNETES_SERVICE_HOST", undefined);
    await expect(loadKubeConfig({ pathPrefix: folder })).rejects.toThrow("KUBERNETES_SERVICE_HOST");
    vi.stubEnv("KUBERNETES_SERVICE_HOST", "10.0.0.1");
    vi.stubEnv("KUBERNETES_SERVICE_PORT", "443");
    const config = await loadKubeConfig({ pathPrefix: folder });
    expect(config.getCurrentCluster()?.server).toBe("https://10.0.0.1:443");
    const chosen = await loadKubeConfig({ pathPrefix: folder, kubeconfig: await server.writeKubeconfig() });
    expect(chosen.getCurrentCluster()?.server).toBe(`http://127.0.0.1:${String(server.port)}`);
  });
});

describe("a request", () => {
  it("sends JSON of the kind that it is told, and gives what comes back", async () => {
    const cluster = await server.openCluster();
    server.on(deployments, answer({ ok: true }));
    const options = {
      body: { a: "ä" },
      contentType: "application/merge-patch+json",
      query: { dryRun: "All", x: undefined },
    };
    expect(await cluster.request("PATCH", deployments, options)).toEqual({ ok: true });
    const seen = server.requestsTo(deployments)[0];
    expect(seen).toMatchObject({ method: "PATCH", body: { a: "ä" } });
    expect(seen?.headers["content-type"]).toBe("application/merge-patch+json");
    expect(seen?.query.toString()).toBe("dryRun=All");
  });

  it("answers an empty body with undefined", async () => {
    const cluster = await server.openCluster();
    server.on(deployments, (_, response) => void response.writeHead(204).end());
    expect(await cluster.request("DELETE", deployments)).toBeUndefined();
  });

  it("ends at its deadline, whatever hangs", async () => {
    const clock = new FakeClock();
    const cluster = await server.openCluster({ clock });
    for (const hang of [false, true]) {
      server.on(deployments, (_, response) => {
        if (hang) response.writeHead(200).write('{"half":');
      });
      const call = cluster.request("GET", deployments, { deadlineMs: 5_000 });
      const checked = expect(call).rejects.toMatchObject({ code: "SCALER_TIMEOUT", mayHaveHappened: false });
      await new Promise((resolve) => setTimeout(resolve, 50));
      await clock.advance(5_000);
      await checked;
    }
    expect(clock.pendingTimers).toBe(0);
  });

  it("ends with its signal or the cluster", async () => {
    const cluster = await server.openCluster();
    server.on(deployments, () => {});
    const abort = new AbortController();
    const given = cluster.request("PUT", deployments, { body: {}, signal: abort.signal });
    const closed = cluster.request("GET", deployments);
    const checked = [
      expect(given).rejects.toMatchObject({ code: "SCALER_ABORTED", mayHaveHappened: true }),
      expect(closed).rejects.toMatchObject({ code: "SCALER_DISPOSED" }),
    ];
    await vi.waitFor(() => expect(server.requestsTo(deployments)).toHaveLength(2), { timeout: 8_000 });
    abort.abort();
    await checked[0];
    await cluster[Symbol.asyncDispose]();
    await Promise.all(checked);
    await expect(cluster.request("GET", deployments)).rejects.toMatchObject({ code: "SCALER_DISPOSED" });
    await expect(cluster.request("GET", deployments, { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: "SCALER_DISPOSED",
    });
  });

  it.each([
    ["PATCH", true],
    ["GET", false],
  ] as const)("%s on a connection that breaks before the answer: may have happened is %s", async (method, may) => {
    const cluster = await server.openCluster();
    server.on(deployments, (_, response) => response.destroy());
    const failed = await cluster.request(method, deployments).catch((error: unknown) => error);
    expect(failed).toBeInstanceOf(KubeError);
    expect(failed).toMatchObject({ code: "SCALER_UNAVAILABLE", retryable: true, mayHaveHappened: may });
    expect((failed as Error).message.includes("unknown")).toBe(may);
  });

  it.each([403, 500])("takes a refusal for passing while the server says %d about being ready", async (status) => {
    const cluster = await server.openCluster();
    server.on("/readyz", fail(status, { message: "not ready" }));
    server.on(deployments, fail(403, { reason: "Forbidden", message: "no roles yet" }));
    await expect(cluster.request("PATCH", deployments, { body: {} })).rejects.toMatchObject({
      code: "SCALER_UNAVAILABLE",
      retryable: true,
      mayHaveHappened: false,
      message: expect.stringContaining("no roles yet") as string,
    });
  });

  it("believes a refusal of a server that is ready, or says nothing about it", async () => {
    const cluster = await server.openCluster();
    server.on(deployments, fail(403, { reason: "Forbidden", message: "no such rule" }));
    await expect(cluster.request("GET", deployments)).rejects.toMatchObject({ code: "SCALER_FORBIDDEN" });
    server.on("/readyz", answer({}));
    await expect(cluster.request("GET", deployments)).rejects.toMatchObject({ code: "SCALER_FORBIDDEN" });
  });

  it("knows that nothing happened where nobody listens", async () => {
    const cluster = await server.openCluster();
    const file = await server.writeKubeconfig({
      cluster: { server: `http://127.0.0.1:${String(await freePort())}` },
    });
    await expect(openCluster({ kubeconfig: file, clock: systemClock, logger: silentLogger })).rejects.toMatchObject({
      code: "SCALER_UNAVAILABLE",
      retryable: true,
      mayHaveHappened: false,
      message: expect.stringContaining("ECONNREFUSED") as string,
    });
    await cluster[Symbol.asyncDispose]();
  });

  it.each([
    ["no JSON", (_: unknown, response: ServerResponse) => void response.end("<html>")],
    [
      "a redirect",
      (_: unknown, response: ServerResponse) => void response.writeHead(302, { location: "http://elsewhere/" }).end(),
    ],
  ])("refuses %s", async (_, handler) => {
    const cluster = await server.openCluster();
    server.on(deployments, handler);
    await expect(cluster.request("GET", deployments)).rejects.toMatchObject({ code: "SCALER_UNAVAILABLE" });
  });

  it("takes a second connection, and a third, but not more than its share", async () => {
    const cluster = await server.openCluster();
    let running = 0;
    let most = 0;
    server.on(deployments, (_, response) => {
      most = Math.max(most, (running += 1));
      setTimeout(() => ((running -= 1), response.end("{}")), 20);
    });
    await Promise.all(Array.from({ length: 60 }, () => cluster.request("GET", deployments)));
    expect(most).toBeGreaterThan(8);
    expect(most).toBeLessThanOrEqual(16);
  });
});

describe("a stream", () => {
  it("gives line after line, however they are cut into pieces", async () => {
    const cluster = await server.openCluster();
    server.on(deployments, (_, response) => {
      const bytes = Buffer.from('{"text":"ä"}\n{"b":2}\n\n{"c":3}\n');
      response.write(bytes.subarray(0, 10));
      setTimeout(
        () => (response.write(bytes.subarray(10, 20)), setTimeout(() => response.end(bytes.subarray(20)), 10)),
        10,
      );
    });
    expect(await collect(cluster.stream(deployments))).toEqual([{ text: "ä" }, { b: 2 }, { c: 3 }]);
  });

  it("rejects like a request where the server refuses it", async () => {
    const cluster = await server.openCluster();
    server.on(deployments, fail(403, { message: "no" }));
    const refused = collect(cluster.stream(deployments, { query: { watch: true } }));
    await expect(refused).rejects.toMatchObject({
      code: "SCALER_FORBIDDEN",
      message: expect.stringContaining('verbs: ["watch"]') as string,
    });
  });

  it("is closed when its reader leaves", async () => {
    const cluster = await server.openCluster();
    let closed = false;
    server.on(deployments, (_, response) => {
      response.write('{"a":1}\n');
      response.on("close", () => (closed = true));
    });
    for await (const line of cluster.stream(deployments)) {
      expect(line).toEqual({ a: 1 });
      break;
    }
    await vi.waitFor(() => expect(closed).toBe(true), { timeout: 8_000 });
  });
});
