import { createServer, type Server, type Socket } from "node:net";
import { networkInterfaces } from "node:os";
import { slicesPath, type TestNamespace } from "@dormouse/test-kubernetes";

/** What takes a DLX's place where no request is sent: it accepts connections at every port of its range. */
export interface StandInDlx extends AsyncDisposable {
  /** As the scaler's option `dlx`. */
  readonly options: {
    readonly service: string;
    readonly namespace: string;
    readonly ports: { readonly from: number; readonly to: number };
  };
  readonly address: string;
  /** Path of the namespace's EndpointSlices, in the version that the server has. */
  readonly slicesPath: string;
  /** Which addresses the Service has as ready endpoints. */
  setReady(addresses: readonly string[]): Promise<void>;
  /** Whether it accepts connections; it does from the start. */
  setListening(isListening: boolean): Promise<void>;
}

/** An address of this machine that an endpoint may have: not a loopback one. */
function ownAddress(): string {
  const found = Object.values(networkInterfaces())
    .flat()
    .find((each) => each?.family === "IPv4" && !each.internal);
  if (found === undefined) throw new Error("this machine has no IPv4 address besides loopback");
  return found.address;
}

/** A Service without selector, with a slice of its own, and listeners behind it. */
export async function openStandInDlx(namespace: TestNamespace, count = 4): Promise<StandInDlx> {
  let servers = await listenInARow(count);
  const first = portOf(servers[0]);
  const { api, name } = namespace;
  const address = ownAddress();
  await api.post(`/api/v1/namespaces/${name}/services`, {
    metadata: { name: "dormouse-dlx" },
    spec: { ports: [{ name: "http", port: 80 }] },
  });
  const path = await slicesPath(api, name);
  const endpoints = (addresses: readonly string[]) =>
    addresses.map((each) => ({
      addresses: [each],
      conditions: { ready: true },
      targetRef: { kind: "Pod", name: "dlx-0", namespace: name },
    }));
  await api.post(path, {
    metadata: { name: "dormouse-dlx-1", labels: { "kubernetes.io/service-name": "dormouse-dlx" } },
    addressType: "IPv4",
    ports: [{ name: "http", port: 8080, protocol: "TCP" }],
    endpoints: endpoints([address]),
  });
  return {
    options: { service: "dormouse-dlx", namespace: name, ports: { from: first, to: first + count - 1 } },
    address,
    slicesPath: path,
    setReady: async (addresses) => {
      await api.patch(`${path}/dormouse-dlx-1`, { endpoints: endpoints(addresses) });
    },
    setListening: async (isListening) => {
      await closeAll(servers);
      servers = isListening ? await listenFrom(first, count) : [];
      if (isListening && servers.length < count) throw new Error("somebody else took the ports meanwhile");
    },
    [Symbol.asyncDispose]: () => closeAll(servers),
  };
}

/** As many ports as asked for, one after the other. */
async function listenInARow(count: number): Promise<readonly Server[]> {
  for (;;) {
    // Below the ports that Linux gives to outgoing connections.
    const servers = await listenFrom(12_000 + Math.floor(Math.random() * 18_000), count);
    if (servers.length === count) return servers;
    await closeAll(servers);
  }
}

async function listenFrom(first: number, count: number): Promise<readonly Server[]> {
  const tried = await Promise.all(Array.from({ length: count }, (_, index) => listenAt(first + index)));
  return tried.filter((server) => server !== undefined);
}

async function closeAll(servers: readonly Server[]): Promise<void> {
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
}

function listenAt(port: number): Promise<Server | undefined> {
  const server = createServer((socket: Socket) => {
    socket.on("error", () => {});
    socket.end();
  });
  return new Promise((resolve) => {
    server.once("error", () => resolve(undefined));
    server.listen(port, "0.0.0.0", () => resolve(server));
  });
}

function portOf(server: Server | undefined): number {
  const address = server?.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}
