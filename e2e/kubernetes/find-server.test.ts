import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { findServer } from "./find-server.ts";

let home: string;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "dormouse-find-server-"));
});

afterEach(() => {
  rmSync(home, { recursive: true });
});

function addProgram(folder: string, name: string): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, name), "");
  chmodSync(join(folder, name), 0o755);
}

it("takes the cluster of KUBECONFIG before anything else", () => {
  const kubeconfig = join(home, "config");
  writeFileSync(kubeconfig, "");
  const environment = { KUBECONFIG: `${home}/missing:${kubeconfig}`, KUBEBUILDER_ASSETS: home, K8S_HOME: home };
  expect(findServer(environment)).toEqual({ kind: "cluster", kubeconfig });
});

it("takes KUBEBUILDER_ASSETS before what was built here", () => {
  const assets = join(home, "assets");
  for (const folder of [assets, join(home, "bin")]) {
    addProgram(folder, "kube-apiserver");
    addProgram(folder, "etcd");
  }
  const built = { K8S_HOME: home };
  expect(findServer({ ...built, KUBEBUILDER_ASSETS: assets })).toMatchObject({ folder: assets, hasControllers: false });
  addProgram(join(home, "bin"), "kube-controller-manager");
  expect(findServer(built)).toMatchObject({ folder: join(home, "bin"), hasControllers: true });
});

it("finds etcd on PATH", () => {
  addProgram(join(home, "bin"), "kube-apiserver");
  addProgram(join(home, "elsewhere"), "etcd");
  expect(findServer({ K8S_HOME: home, PATH: "" })).toMatchObject({ kind: "none", why: /etcd/ });
  expect(findServer({ K8S_HOME: home, PATH: `/missing:${home}/elsewhere` })).toMatchObject({ kind: "programs" });
});

it("says what is missing where there is nothing", () => {
  expect(findServer({ K8S_HOME: home })).toEqual({ kind: "none", why: `no kube-apiserver in ${home}/bin` });
});

it.each([
  ["KUBECONFIG", "there is no such file"],
  ["KUBEBUILDER_ASSETS", "no kube-apiserver in"],
])("refuses %s that leads nowhere", (name, why) => {
  expect(() => findServer({ K8S_HOME: home, [name]: join(home, "nowhere") })).toThrow(why);
});
