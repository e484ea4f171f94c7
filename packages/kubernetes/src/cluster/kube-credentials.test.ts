import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readCredentials } from "./kube-credentials.ts";
import { loadKubeConfig } from "./load-kube-config.ts";

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "dormouse-credentials-"));
});

afterEach(() => rm(folder, { recursive: true, force: true }));

async function load(user: object, cluster: object = {}) {
  const kubeconfig = join(folder, "kubeconfig");
  const config = {
    clusters: [{ name: "c", cluster: { server: "https://127.0.0.1:1", ...cluster } }],
    users: [{ name: "u", user }],
    contexts: [{ name: "x", context: { cluster: "c", user: "u" } }],
    "current-context": "x",
  };
  await writeFile(kubeconfig, JSON.stringify(config));
  return loadKubeConfig({ kubeconfig });
}

const base64 = (text: string): string => Buffer.from(text).toString("base64");

describe("the credentials of a kubeconfig", () => {
  it("are a client certificate with its key, and the authority and name to expect", async () => {
    const config = await load(
      { "client-certificate-data": base64("cert"), "client-key-data": base64("key") },
      { "certificate-authority-data": base64("ca"), "tls-server-name": "kubernetes.default" },
    );
    const { tls, headers } = await readCredentials(config);
    expect(tls).toEqual({
      ca: Buffer.from("ca"),
      cert: Buffer.from("cert"),
      key: Buffer.from("key"),
      servername: "kubernetes.default",
    });
    expect(headers).toEqual({});
  });

  it("are read again from files, so that connections are made anew once a certificate is another one", async () => {
    await writeFile(join(folder, "cert"), "old");
    const config = await load({ "client-certificate": "cert", "client-key-data": base64("key") });
    const before = await readCredentials(config);
    expect((await readCredentials(config)).tlsKey).toBe(before.tlsKey);
    await writeFile(join(folder, "cert"), "new");
    const after = await readCredentials(config);
    expect(after.tls.cert).toEqual(Buffer.from("new"));
    expect(after.tlsKey).not.toBe(before.tlsKey);
  });

  it("come from a program where the kubeconfig names one", async () => {
    const credential = {
      apiVersion: "client.authentication.k8s.io/v1",
      kind: "ExecCredential",
      status: { token: "fresh" },
    };
    const script = `process.stdout.write(${JSON.stringify(JSON.stringify(credential))})`;
    const exec = { apiVersion: credential.apiVersion, command: process.execPath, args: ["-e", script] };
    const { headers } = await readCredentials(await load({ exec }));
    expect(headers).toEqual({ authorization: "Bearer fresh" });
  });

  it("say whose part to take", async () => {
    const { headers } = await readCredentials(await load({ token: "t", as: "somebody" }));
    expect(headers).toEqual({ authorization: "Bearer t", "impersonate-user": "somebody" });
  });
});
