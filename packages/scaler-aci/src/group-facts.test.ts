import { describe, expect, it } from "vitest";
import { readGroupFacts } from "./group-facts.ts";

const running = {
  provisioningState: "Succeeded",
  instanceView: { state: "Running", events: [] },
  ipAddress: { ip: "20.1.2.3", type: "Public", ports: [{ port: 80 }, { port: 53, protocol: "UDP" }, { port: 443 }] },
  containers: [
    {
      name: "app",
      ports: [{ port: 80 }],
      instanceView: { restartCount: 2, currentState: { state: "Running", startTime: new Date(1_700_000_000_000) } },
    },
    { name: "side", ports: [{ port: 443 }], instanceView: { currentState: { state: "Terminated", exitCode: 1 } } },
  ],
};

describe("facts of a group", () => {
  it("have the TCP ports of its address, by number", () => {
    expect(readGroupFacts(running)?.ports).toEqual([
      { name: "80", number: 80, protocol: "http" },
      { name: "443", number: 443, protocol: "http" },
    ]);
  });

  it("tell each container's run, by start time and restarts", () => {
    const facts = readGroupFacts(running);
    expect([facts?.runOf(80), facts?.runOf(443)]).toEqual(["2023-11-14T22:13:20.000Z.2", undefined]);
    expect([facts?.runsAt(80), facts?.runsAt(443)]).toEqual([true, false]);
  });

  it.each([
    ["Running", "Succeeded", "up", true],
    ["Running", "Updating", "up", false],
    ["Pending", "Creating", "up", false],
    ["Stopped", "Pending", "up", false],
    ["Stopped", "Succeeded", "stopped", false],
    ["Succeeded", "Succeeded", "ended", false],
    ["Failed", "Failed", "ended", false],
    ["SomethingNew", "Succeeded", "up", false],
    [undefined, "Succeeded", "unknown", false],
    ["Running", undefined, "unknown", false],
    [undefined, undefined, "unknown", false],
  ])("with state %s and provisioning %s are %s", (state, provisioningState, presence, isSettled) => {
    const facts = readGroupFacts({ ...running, instanceView: { state }, provisioningState });
    expect(facts).toMatchObject({ presence, isSettled });
  });

  it.each([[undefined], [null], ["text"], [7], [[]]])("%j is no group", (answer) => {
    expect(readGroupFacts(answer)).toBeUndefined();
  });

  it("take members of another form for not known, and the others as they are", () => {
    const facts = readGroupFacts({
      ...running,
      tags: { a: 7, b: "text" },
      containers: ["odd", 3, { name: 4, ports: "none", instanceView: "soon" }],
      ipAddress: { ...running.ipAddress, ports: [{ port: "80" }, { port: 8_080 }, null] },
    });
    expect(facts).toMatchObject({ presence: "up", tags: { a: "", b: "text" }, address: "20.1.2.3" });
    expect(facts?.ports.map(({ number }) => number)).toEqual([8_080]);
    expect(facts?.runsAt(8_080)).toBeUndefined();
  });

  it.each([
    ["an http probe", { httpGet: { path: "/ready", port: 81, scheme: "http" } }, { path: "/ready", port: 81 }],
    ["a path without a slash", { httpGet: { path: "ready", port: 81 } }, { path: "/ready", port: 81 }],
    ["https, which the DLX does not probe", { httpGet: { path: "/ready", port: 81, scheme: "HTTPS" } }, undefined],
    ["a command", { exec: { command: ["true"] } }, undefined],
  ])("have the readiness probe: %s", (_what, readinessProbe, expected) => {
    const [app, side] = running.containers;
    expect(readGroupFacts({ ...running, containers: [{ ...app, readinessProbe }, side] })?.probeOf(80)).toEqual(
      expected,
    );
  });
});

describe("the specification", () => {
  const written = (changes: object): string | undefined => readGroupFacts({ ...running, ...changes })?.specification;

  it.each([
    ["another state", { instanceView: { state: "Stopped" } }],
    ["an operation", { provisioningState: "Updating" }],
    ["another address", { ipAddress: { ...running.ipAddress, ip: "20.9.9.9" } }],
    ["a restart", { containers: running.containers.map((container) => ({ ...container, instanceView: undefined })) }],
    ["a member that nobody knows", { somethingNew: true }],
  ])("stands still through %s", (_what, changes) => expect(written(changes)).toBe(written({})));

  it.each([
    ["tags", { tags: { "dormouse-idle-after": "1m" } }],
    ["an image", { containers: [{ ...running.containers[0], image: "app:2" }, running.containers[1]] }],
    ["a port", { ipAddress: { ...running.ipAddress, ports: [{ port: 80 }] } }],
    ["the restart policy", { restartPolicy: "Never" }],
  ])("moves with %s", (_what, changes) => expect(written(changes)).not.toBe(written({})));

  it("does not depend on the order of members", () => {
    expect(written({ tags: { a: "1", b: "2" } })).toBe(written({ tags: { b: "2", a: "1" } }));
  });
});

describe("a failure", () => {
  it.each([
    ["CrashLoopBackOff: back-off", "SCALER_CRASH_LOOP"],
    ["ErrImagePull: not found", "SCALER_IMAGE_PULL"],
    ["ImagePullBackOff", "SCALER_IMAGE_PULL"],
    ["ContainerCreating", undefined],
    [undefined, undefined],
  ])("of a container that waits for %s is %s", (detailStatus, code) => {
    const instanceView = { currentState: { state: "Waiting", detailStatus }, previousState: { exitCode: 9 } };
    const containers = [{ name: "app", ports: [{ port: 80 }], instanceView }];
    expect(readGroupFacts({ ...running, containers })?.failure?.code).toBe(code);
  });

  it("of provisioning is told by the last warning", () => {
    const events = [
      { type: "Warning", message: 'Failed to pull image "app:9": not found' },
      { type: "Normal", message: "Pulling" },
    ];
    const facts = readGroupFacts({
      ...running,
      provisioningState: "Failed",
      instanceView: { state: "Pending", events },
    });
    expect(facts?.failure).toEqual({ code: "SCALER_IMAGE_PULL", message: 'Failed to pull image "app:9": not found' });
  });
});
