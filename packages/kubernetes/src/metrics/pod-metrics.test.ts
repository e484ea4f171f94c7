import { describe, expect, it } from "vitest";
import { KubeError } from "../kube-error.ts";
import { listPodMetrics } from "./pod-metrics.ts";

const at = "2026-03-01T12:00:00Z";
const usage = { cpu: "250m", memory: "2Mi" };

function pod(changes: object = {}): object {
  const metadata = { name: "web-0", labels: { app: "web" } };
  return { metadata, timestamp: at, window: "15s", containers: [{ usage }], ...changes };
}

function list(answer: unknown) {
  const options = { signal: new AbortController().signal, deadlineMs: 1_000 };
  const request = async <Result>(): Promise<Result> => {
    if (answer instanceof Error) throw answer;
    return answer as Result;
  };
  return listPodMetrics({ request }, "shop", options);
}

describe("a list of the resource metrics API", () => {
  it("gives what all containers of a pod use together", async () => {
    const answer = { items: [pod({ containers: [{ usage }, { usage: { cpu: "1", memory: "1Ki" } }] })] };
    expect(await list(answer)).toEqual({
      pods: [
        {
          name: "web-0",
          labels: { app: "web" },
          usage: { cpu: 1.25, memory: 2 * 2 ** 20 + 1_024 },
          at: Date.parse(at),
          windowMs: 15_000,
        },
      ],
      problems: [],
    });
  });

  it.each([
    ["no name", { metadata: {} }, "an item that is about no pod"],
    ["no metadata", { metadata: undefined }, "an item that is about no pod"],
    ["no time", { timestamp: "soon" }, 'web-0 has the time "soon"'],
    ["no window", { window: 15 }, "web-0 has the window 15"],
    ["no containers", { containers: [] }, "web-0 has no containers"],
    ["a container without use", { containers: [{ usage }, {}] }, "web-0 has a container that uses undefined"],
    ["a container that is null", { containers: [null] }, "web-0 has a container that uses undefined"],
    ["a use that is no quantity", { containers: [{ usage: { cpu: "much", memory: "1" } }] }, "web-0 has a container"],
  ])("has a pod with %s among its problems, and all others", async (_, changes, problem) => {
    const { pods, problems } = await list({ items: [pod(changes), pod()] });
    expect(pods).toHaveLength(1);
    expect(problems).toEqual([expect.stringContaining(problem)]);
  });

  it("takes labels that are none for none", async () => {
    const { pods } = await list({ items: [pod({ metadata: { name: "web-0", labels: { a: 1, b: "c" } } })] });
    expect(pods[0]?.labels).toEqual({ b: "c" });
  });

  it.each([null, "text", {}, { items: null }])("is an outage where the answer is %j", async (answer) => {
    await expect(list(answer)).rejects.toMatchObject({ code: "SCALER_UNAVAILABLE" });
  });

  it("says what to install where the API is not there", async () => {
    const missing = new KubeError("SCALER_NOT_FOUND", "not found", { status: 404 });
    await expect(list(missing)).rejects.toThrow(
      "the cluster serves no metrics.k8s.io/v1beta1; install a metrics server",
    );
  });
});
