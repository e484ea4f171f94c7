import { expect, it } from "vitest";
import { inspectedContainer } from "../test/inspected-container.ts";
import { addressOf } from "./addresses.ts";

const reach = { by: "network", network: undefined, hostAddress: "127.0.0.1" } as const;
const Networks = {
  front: { IPAddress: "10.0.2.2" },
  back: { IPAddress: "10.0.1.2" },
  down: { IPAddress: "" },
  six: { GlobalIPv6Address: "fd00::7" },
};

it("dials the first network by name that has an address, or the one that was chosen", () => {
  const container = inspectedContainer({ NetworkSettings: { Networks } });
  expect(addressOf(container, 80, reach)).toEqual({ host: "10.0.1.2", port: 80 });
  expect(addressOf(container, 80, { ...reach, network: "front" })).toEqual({ host: "10.0.2.2", port: 80 });
  expect(addressOf(container, 80, { ...reach, network: "six" })).toEqual({ host: "fd00::7", port: 80 });
  expect(addressOf(container, 80, { ...reach, network: "down" })).toEqual({
    missing: "it has no address on the network down",
  });
});

it("dials published ports where they are bound", () => {
  const at = (HostIp: string): ReturnType<typeof addressOf> => {
    const Ports = { "80/tcp": [{ HostIp, HostPort: "4100" }], "81/tcp": null };
    const container = inspectedContainer({ NetworkSettings: { Ports } });
    return addressOf(container, 80, { ...reach, by: "published", hostAddress: "engine" });
  };
  expect(at("0.0.0.0")).toEqual({ host: "engine", port: 4_100 });
  expect(at("::")).toEqual({ host: "engine", port: 4_100 });
  expect(at("127.0.0.1")).toEqual({ host: "127.0.0.1", port: 4_100 });
  const hidden = inspectedContainer({ NetworkSettings: { Ports: { "80/tcp": null } } });
  expect(addressOf(hidden, 80, { ...reach, by: "published" })).toHaveProperty("missing");
});

it("dials the machine itself where a container has its network", () => {
  const container = inspectedContainer({ HostConfig: { NetworkMode: "host" } });
  expect(addressOf(container, 80, { ...reach, hostAddress: "engine" })).toEqual({ host: "engine", port: 80 });
});
