import { describe, expect, it } from "vitest";
import { toFollowed } from "./followed-workloads.ts";

interface Requests {
  readonly cpu?: string;
  readonly memory?: string;
}

const container = (requests?: Requests, more: object = {}): object => ({ resources: { requests }, ...more });

function requestsOf(containers: readonly object[], initContainers: readonly object[] = []) {
  const selector = { matchLabels: { app: "web" } };
  const spec = { selector, template: { spec: { containers, initContainers } } };
  return toFollowed("Deployment", { metadata: { namespace: "shop", name: "web" }, spec, status: { replicas: 3 } });
}

describe("what is kept of a workload", () => {
  it("is its name, its pods' selector, how many there are, and the requests of all that runs in one", () => {
    const init = [container({ cpu: "4" }), container({ cpu: "50m", memory: "1Mi" }, { restartPolicy: "Always" })];
    const main = [container({ cpu: "500m", memory: "2Mi" }), container({ cpu: "1", memory: "1Mi" })];
    expect(requestsOf(main, init)).toEqual({
      kind: "Deployment",
      namespace: "shop",
      name: "web",
      selector: { matchLabels: { app: "web" } },
      pods: 3,
      requests: { cpu: 1.55, memory: 4 * 2 ** 20 },
    });
  });

  it.each([
    ["requests none", [container({ cpu: "1" }), container({})]],
    ["requests nothing at all", [container()]],
    ["requests zero", [container({ cpu: "1", memory: "0" })]],
    ["requests what is no quantity", [container({ cpu: "1", memory: "much" })]],
    ["is not there", []],
  ])("has no request of memory where a container %s", (_, containers) => {
    expect(requestsOf(containers).requests.memory).toBeUndefined();
  });

  it("is nothing that could be taken for a number where the object has neither spec nor status", () => {
    expect(toFollowed("StatefulSet", { metadata: { name: "db" } })).toMatchObject({
      pods: 0,
      selector: {},
      requests: { cpu: undefined, memory: undefined },
    });
  });
});
