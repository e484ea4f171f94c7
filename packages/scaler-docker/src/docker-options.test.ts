import { expect, it } from "vitest";
import { dockerOptions } from "./docker-options.ts";

const tls = { ca: "ca.pem", cert: "cert.pem", key: "key.pem" };
const hostKey = `SHA256:${"A".repeat(43)}`;

it("needs nothing, and looks for the engine of this machine", () => {
  expect(dockerOptions.parse(undefined)).toMatchObject({
    endpoint: "unix:///var/run/docker.sock",
    reach: "network",
    sleepBy: "stop",
    longestStop: 10_000,
  });
});

it.each([
  [{ endpoint: "unix:///run/docker.sock" }],
  [{ endpoint: "tcp://10.0.0.5:2376", tls }],
  [{ endpoint: "tcp://127.0.0.1:2375" }],
  [{ endpoint: "ssh://deploy@10.0.0.5", ssh: { hostKey, privateKey: "id" } }],
  [{ endpoint: "ssh://deploy@10.0.0.5:2222", ssh: { hostKey, agent: "/run/agent" } }],
])("takes %j", (options) => {
  expect(dockerOptions.safeParse(options).success).toBe(true);
});

it.each([
  [{ endpont: "unix:///x" }, "", /endpont/],
  [{ endpoint: "/var/run/docker.sock" }, "endpoint", /is no endpoint; write unix:/],
  [{ endpoint: "http://10.0.0.5:2376" }, "endpoint", /is no endpoint/],
  [{ endpoint: "tcp://10.0.0.5", tls }, "endpoint", /is no endpoint/],
  [{ endpoint: "tcp://10.0.0.5:2375" }, "tls", /is needed: whoever reaches/],
  [{ endpoint: "unix:///x.sock", tls }, "tls", /goes with an endpoint tcp/],
  [{ endpoint: "ssh://deploy@10.0.0.5" }, "ssh", /is needed to log in/],
  [{ endpoint: "ssh://10.0.0.5", ssh: { hostKey, agent: "x" } }, "endpoint", /is no endpoint/],
  [{ endpoint: "ssh://a@b", ssh: { hostKey } }, "ssh", /one of privateKey and agent/],
  [{ endpoint: "ssh://a@b", ssh: { hostKey, agent: "x", privateKey: "y" } }, "ssh", /one of privateKey and agent/],
  [{ endpoint: "ssh://a@b", ssh: { hostKey: "MD5:aa", agent: "x" } }, "ssh.hostKey", /fingerprint/],
  [{ longestStop: "1h" }, "longestStop", /longer than 10m/],
  [{ mostReplicas: 0 }, "mostReplicas", /./],
])("refuses %j", (options, place, message) => {
  const { error } = dockerOptions.safeParse(options);
  const issues = error?.issues.map((issue) => ({ place: issue.path.join("."), message: issue.message }));
  expect(issues).toContainEqual({ place, message: expect.stringMatching(message) as string });
});
