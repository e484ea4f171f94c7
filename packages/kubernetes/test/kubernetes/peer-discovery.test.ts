import { type DlxPeer, silentLogger, systemClock } from "@dormouse/core";
import { endPod, makePodReady, testNamespace } from "@dormouse/test-kubernetes";
import { expect, it, onTestFinished } from "vitest";
import { peerDiscovery } from "../../src/index.ts";
import { peerDiscoveryOptionsSchema } from "../../src/peers/peer-discovery-options.ts";

it("lists the DLX pods of its namespace from their first address until they are gone", async () => {
  const namespace = await testNamespace();
  const { api, name, kubeconfig } = namespace;
  const options = peerDiscoveryOptionsSchema.parse({ kubeconfig, namespace: name, selector: "app=dlx,tier!=canary" });
  const connect = ({ id, url }: { id: string; url: string }): DlxPeer => ({
    id: `${id} ${url}`,
    readActivity: () => Promise.reject(new Error("far")),
    fence: () => Promise.reject(new Error("far")),
  });
  const peers = await peerDiscovery.create(options, { id: "peers", logger: silentLogger, clock: systemClock, connect });
  onTestFinished(() => peers[Symbol.asyncDispose]());
  const listed = async (): Promise<string[]> => (await peers.listPeers()).map(({ id }) => id).toSorted();
  expect(await listed()).toEqual([]);
  const pods = `/api/v1/namespaces/${name}/pods`;
  const spec = { schedulerName: "test", containers: [{ name: "dlx", image: "localhost/dlx:1" }] };
  await api.post(pods, { metadata: { name: "one", labels: { app: "dlx" } }, spec });
  await api.post(pods, { metadata: { name: "two", labels: { app: "dlx" } }, spec });
  await api.post(pods, { metadata: { name: "other", labels: { app: "web" } }, spec });
  await api.post(pods, { metadata: { name: "canary", labels: { app: "dlx", tier: "canary" } }, spec });
  // Without an address none of them is in the list, for itself either.
  expect(await listed()).toEqual([]);
  await makePodReady(namespace, "one", { podIp: "192.0.2.1" });
  await makePodReady(namespace, "two", { podIp: "192.0.2.2", isReady: false });
  const both = ["one http://192.0.2.1:8081", "two http://192.0.2.2:8081"];
  expect(await listed()).toEqual(both);
  await api.delete(`${pods}/one`);
  // On its way out it still may hold a licence.
  expect(await listed()).toEqual(both);
  await endPod(namespace, "one");
  expect(await listed()).toEqual(both.slice(1));
  await api.patch(`${pods}/two/status`, { status: { phase: "Failed" } });
  expect(await listed()).toEqual([]);
});
