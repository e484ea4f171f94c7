import { expect, it } from "vitest";
import { inspectedContainer } from "../test/inspected-container.ts";
import { toContainerSpec } from "./container-spec.ts";

const wishes = { name: "web-2", image: "web:1", labels: { team: "blue" }, isReplica: true };

it("takes over what it does not know", () => {
  const template = inspectedContainer({
    Config: { Novelty: [1] },
    HostConfig: { NetworkMode: "n", Gadgets: { A: 1 } },
  });
  expect(toContainerSpec(template, wishes).body).toMatchObject({
    Image: "web:1",
    Labels: { team: "blue" },
    Novelty: [1],
    HostConfig: { Gadgets: { A: 1 } },
  });
});

it("leaves out the id as host name and alias, and keeps those that somebody chose", () => {
  const Networks = { n: { Aliases: ["web", "0123456789ab"] } };
  const template = inspectedContainer({
    Config: { Hostname: "0123456789ab" },
    HostConfig: { NetworkMode: "n" },
    NetworkSettings: { Networks },
  });
  const { body } = toContainerSpec(template, { ...wishes, name: "other" });
  expect(body).not.toHaveProperty("Hostname");
  expect(body).toMatchObject({ NetworkingConfig: { EndpointsConfig: { n: { Aliases: ["other"] } } } });
  const chosen = inspectedContainer({ Config: { Hostname: "mine" }, HostConfig: { NetworkMode: "n" } });
  expect(toContainerSpec(chosen, wishes).body).toMatchObject({ Hostname: "mine" });
});

it("begins with the network of the mode and connects the others afterwards", () => {
  const Networks = { a: { Aliases: ["x"] }, main: {}, z: {} };
  const template = inspectedContainer({ HostConfig: { NetworkMode: "main" }, NetworkSettings: { Networks } });
  const { body, networks } = toContainerSpec(template, wishes);
  expect(body).toMatchObject({ NetworkingConfig: { EndpointsConfig: { main: {} } } });
  expect(networks).toEqual([
    ["a", { Aliases: ["x"] }],
    ["z", {}],
  ]);
});

it("gives a replica no fixed address or host port, and one that takes another's place all of them", () => {
  const PortBindings = { "80/tcp": [{ HostIp: "127.0.0.1", HostPort: "8080" }], "81/tcp": null };
  const IPAMConfig = { IPv4Address: "10.0.0.7" };
  const template = inspectedContainer({
    HostConfig: { NetworkMode: "n", PortBindings },
    NetworkSettings: { Networks: { n: { IPAMConfig } } },
  });
  expect(toContainerSpec(template, wishes).body).toMatchObject({
    HostConfig: { PortBindings: { "80/tcp": [{ HostIp: "127.0.0.1", HostPort: "" }], "81/tcp": null } },
    NetworkingConfig: { EndpointsConfig: { n: {} } },
  });
  expect(JSON.stringify(toContainerSpec(template, wishes).body)).not.toContain("10.0.0.7");
  expect(toContainerSpec(template, { ...wishes, isReplica: false }).body).toMatchObject({
    HostConfig: { PortBindings },
    NetworkingConfig: { EndpointsConfig: { n: { IPAMConfig } } },
  });
});

it("gives each container anonymous volumes of its own, and shares those with a name", () => {
  const Binds = [`${"a".repeat(64)}:/cache:rw`, "data:/data", "/host:/host:ro"];
  const template = inspectedContainer({
    Config: { Volumes: { "/image": {} } },
    HostConfig: { NetworkMode: "n", Binds },
  });
  expect(toContainerSpec(template, wishes).body).toMatchObject({
    Volumes: { "/image": {}, "/cache": {} },
    HostConfig: { Binds: ["data:/data", "/host:/host:ro"] },
  });
});

it.each(["host", "none", "container:0123"])("connects nothing where the network mode is %s", (NetworkMode) => {
  const template = inspectedContainer({ HostConfig: { NetworkMode }, Config: { Hostname: "mine" } });
  const { body, networks } = toContainerSpec(template, wishes);
  expect(networks).toEqual([]);
  expect(body).not.toHaveProperty("NetworkingConfig");
});

it("leaves host name and exposed ports to the container whose network is shared", () => {
  const template = inspectedContainer({
    HostConfig: { NetworkMode: "container:0123" },
    Config: { Hostname: "mine", ExposedPorts: { "80/tcp": {} } },
  });
  const { body } = toContainerSpec(template, wishes);
  expect(body).not.toHaveProperty("Hostname");
  expect(body).not.toHaveProperty("ExposedPorts");
});
