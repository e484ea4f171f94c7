import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isConfigError } from "@dormouse/core";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { parseConfigText } from "./load-config.ts";
import { isSecretKey, resolveSecrets } from "./secrets.ts";

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "dormouse-secrets-"));
});

afterEach(() => rm(folder, { recursive: true }));

function configOf(yaml: string) {
  return parseConfigText(yaml, { file: "d.yaml" }).config;
}

function issuesOf(yaml: string, environment = {}): readonly string[] {
  try {
    resolveSecrets(configOf(yaml), { environment, folder });
  } catch (error) {
    if (isConfigError(error)) return error.issues.map(({ place, problem }) => `${place}: ${problem}`);
    throw error;
  }
  return [];
}

describe("secrets", () => {
  it("come from the environment and from files, without the file's last newline", async () => {
    await writeFile(join(folder, "key"), "from file\n");
    const config = configOf(
      "admin: { token: { env: T } }\nscalers: [{ use: x, options: { auth: { apiKey: { file: key } }, list: [{ DB_PASSWORD: { env: P } }] } }]\n",
    );
    const secrets = resolveSecrets(config, { environment: { T: "t0ken", P: "pass" }, folder });
    expect(secrets.adminToken).toBe("t0ken");
    expect(secrets.optionsAt("scalers[0].options", config.scalers[0]?.options)).toEqual({
      auth: { apiKey: "from file" },
      list: [{ DB_PASSWORD: "pass" }],
    });
    expect([...secrets.values].sort()).toEqual(["from file", "pass", "t0ken"]);
  });

  it("are told from other mappings by their key, so that a process's environment stays one", () => {
    const options = { resources: [{ name: "a", env: { env: "x" } }], file: { env: "y" } };
    const config = configOf(`scalers: [{ use: x, options: ${JSON.stringify(options)} }]\n`);
    expect(resolveSecrets(config, { environment: {}, folder }).optionsAt("scalers[0].options", undefined)).toEqual(
      options,
    );
  });

  it("that are written out are known too, so that they can be kept out of logs", () => {
    const config = configOf("scalers: [{ use: x, options: { password: written } }]\n");
    expect([...resolveSecrets(config, { environment: {}, folder }).values]).toEqual(["written"]);
  });

  it("of TLS and of the cluster's plugins are resolved too; a certificate is no secret, its key is", async () => {
    await writeFile(join(folder, "tls.crt"), "certificate\n");
    const config = configOf(
      "scalers: [{ use: x }]\nadmin: { tls: { cert: { file: tls.crt }, key: { env: KEY } } }\n" +
        "cluster: { peers: { use: y, options: { token: { env: PEERS } } }, leader: { use: z, options: { password: { env: LEAD } } } }\n",
    );
    const secrets = resolveSecrets(config, { environment: { KEY: "key", PEERS: "one", LEAD: "two" }, folder });
    expect(secrets.adminTls).toEqual({ cert: "certificate", key: "key" });
    expect(secrets.optionsAt("cluster.peers.options", undefined)).toEqual({ token: "one" });
    expect(secrets.optionsAt("cluster.leader.options", undefined)).toEqual({ password: "two" });
    expect([...secrets.values].toSorted()).toEqual(["key", "one", "two"]);
    expect(issuesOf("scalers: [{ use: x }]\nadmin: { tls: { cert: { env: C }, key: { file: none } } }\n")).toEqual([
      "admin.tls.cert: the variable C is not set",
      "admin.tls.key: the file none cannot be read (ENOENT)",
    ]);
  });

  it("of metrics sources and route sources are resolved as well", () => {
    const config = configOf(
      "scalers: [{ use: x }]\nautoscaler: { metrics: [{ use: p, options: { bearerToken: { env: B } } }] }\ndlx: { routes: [{ use: r, options: { token: { env: B } } }] }\n",
    );
    const secrets = resolveSecrets(config, { environment: { B: "bear" }, folder });
    expect(secrets.optionsAt("autoscaler.metrics[0].options", undefined)).toEqual({ bearerToken: "bear" });
    expect(secrets.optionsAt("dlx.routes[0].options", undefined)).toEqual({ token: "bear" });
  });

  it("that cannot be had are all named, with their places", async () => {
    await writeFile(join(folder, "empty"), "\n");
    const yaml =
      "admin: { token: { env: MISSING } }\nscalers: [{ use: x, options: { secret: { file: gone }, token: { file: empty } } }]\n";
    expect(issuesOf(yaml)).toEqual([
      "admin.token: the variable MISSING is not set",
      "scalers[0].options.secret: the file gone cannot be read (ENOENT)",
      "scalers[0].options.token: the file empty is empty",
    ]);
  });
});

describe("isSecretKey", () => {
  it.each([
    "token",
    "bearerToken",
    "password",
    "DB_PASSWORD",
    "apiKey",
    "X-Api-Key",
    "clientSecret",
    "authorization",
    "Cookie",
  ])("knows %s", (key) => {
    expect(isSecretKey(key)).toBe(true);
  });

  it.each(["env", "file", "tokens", "key", "name", "secretName", "passwordFile"])("leaves %s alone", (key) => {
    expect(isSecretKey(key)).toBe(false);
  });
});
