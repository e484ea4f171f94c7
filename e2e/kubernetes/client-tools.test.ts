import { afterAll, beforeAll, expect, inject, it } from "vitest";
import { openClientTools } from "./client-tools.ts";
import type { ClientTools } from "./client-tools.ts";
import { testNamespace } from "./test-namespace.ts";

const { kubeconfig } = inject("kubernetes");
let tools: ClientTools;

beforeAll(async () => {
  tools = await openClientTools(kubeconfig);
}, 180_000);

afterAll(() => tools[Symbol.dispose]());

const configMap = (namespace: string, data: string): string => `
apiVersion: v1
kind: ConfigMap
metadata: { name: one, namespace: ${namespace} }
data: { key: ${data} }
`;

it("has kubectl apply to the server, for show and in earnest", async () => {
  const { api, name } = await testNamespace();
  const path = `/api/v1/namespaces/${name}/configmaps/one`;
  const input = configMap(name, "value");
  const shown = await tools.kubectl(["apply", "--dry-run=server", "--filename=-"], { input });
  expect(shown).toContain("configmap/one created (server dry run)");
  await expect(api.get(path)).rejects.toMatchObject({ status: 404 });
  await tools.kubectl(["apply", "--filename=-"], { input });
  await expect(api.get(path)).resolves.toMatchObject({ data: { key: "value" } });
});

it("tells what the server refuses", async () => {
  const { name } = await testNamespace();
  const input = configMap(name, "[1]");
  await expect(tools.kubectl(["apply", "--dry-run=server", "--filename=-"], { input })).rejects.toThrow("ConfigMap");
  const result = await tools.try("kubectl", ["get", "configmap", "missing", "--namespace", name]);
  expect(result).toMatchObject({ code: 1, stderr: expect.stringContaining("NotFound") as string });
});

it("has helm speak to the server", async () => {
  const { name } = await testNamespace();
  await expect(tools.helm(["version", "--short"])).resolves.toMatch(/^v[34]\./);
  await expect(tools.helm(["list", "--namespace", name, "--output", "json"])).resolves.toMatch(/^\[\]/);
});
