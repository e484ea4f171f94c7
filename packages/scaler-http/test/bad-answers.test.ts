import { isScalerError, type ScalerError } from "@dormouse/core";
import { describe, expect, it } from "vitest";
import { openTestScaler, refOf, serve, type TestScaler } from "./test-scaler.ts";
import type { TestAnswer } from "@dormouse/core/testing";

async function errorOf(promise: Promise<unknown>): Promise<ScalerError> {
  const error = await promise.then(
    (value) => expect.fail(`it resolved with ${JSON.stringify(value)}`),
    (reason: unknown) => reason,
  );
  if (!isScalerError(error)) throw error;
  return error;
}

const good: TestAnswer = { body: { cpu: { highPriority: 0.5 }, replicas: 3 } };

/** Two resources, of which the first answers as given. */
async function openTwo(answer: TestAnswer, options: object = {}): Promise<TestScaler> {
  const [bad, fine] = [await serve(() => answer), await serve(() => good)];
  return openTestScaler({
    resources: [
      { name: "bad", url: bad.url, ...options },
      { name: "fine", url: fine.url },
    ],
  });
}

const status = (body: unknown): TestAnswer => ({ body });

describe("a bad answer", () => {
  it.each<[string, TestAnswer, string, string]>([
    ["no count", status({ cpu: {} }), "SCALER_UNAVAILABLE", "$.replicas leads nowhere"],
    ["a text", status({ replicas: "3" }), "SCALER_UNAVAILABLE", '$.replicas leads to "3", which is no number'],
    ["null", status({ replicas: null }), "SCALER_UNAVAILABLE", "leads to null, which is no number"],
    ["a negative count", status({ replicas: -1 }), "SCALER_UNAVAILABLE", "leads to -1, which is no count of replicas"],
    ["half a replica", status({ replicas: 2.5 }), "SCALER_UNAVAILABLE", "leads to 2.5, which is no count of replicas"],
    ["a number beyond reason", status({ replicas: 1e12 }), "SCALER_UNAVAILABLE", "which is no count of replicas"],
    ["a list", status([{ replicas: 3 }]), "SCALER_UNAVAILABLE", "$.replicas leads nowhere"],
    [
      "HTML",
      { headers: { "content-type": "text/html" }, body: "<h1>It works!</h1>" },
      "SCALER_UNAVAILABLE",
      "is no JSON (text/html): <h1>It works!</h1>",
    ],
    ["half of it", { body: '{"replicas":3' }, "SCALER_UNAVAILABLE", "is no JSON"],
    ["nothing", {}, "SCALER_UNAVAILABLE", "is empty"],
    [
      "too much",
      { body: `{"replicas":3,"log":"${"x".repeat(2_000)}"}` },
      "SCALER_UNAVAILABLE",
      "has more than 1000 bytes",
    ],
    [
      "a redirect",
      { status: 307, headers: { location: "https://login.example.com/?next=app" } },
      "SCALER_BAD_OPTIONS",
      "answered 307 to https://login.example.com/; redirects are not followed",
    ],
    ["an error", { status: 500, body: "boom" }, "SCALER_UNAVAILABLE", "answered 500: boom"],
    ["no credentials", { status: 401 }, "SCALER_FORBIDDEN", "answered 401"],
    ["a limit", { status: 429, headers: { "retry-after": "120" } }, "SCALER_RATE_LIMITED", "answered 429"],
    ["a cut connection", (response) => response.destroy(), "SCALER_UNAVAILABLE", "failed: other side closed"],
    ["silence", () => {}, "SCALER_TIMEOUT", "did not answer within 100 ms"],
    [
      "a trickle",
      (response) => void response.writeHead(200).write('{"replicas":'),
      "SCALER_TIMEOUT",
      "did not answer within 100 ms",
    ],
  ])("of %s is a named error on that resource alone", async (_, answer, code, problem) => {
    // An answer is read in its time on a slow machine, too.
    const timeout = code === "SCALER_TIMEOUT" ? "100ms" : "5s";
    const { scaler, logs } = await openTwo(answer, { timeout, mostBytes: 1_000 });
    const [bad, fine, ...more] = await scaler.listResources();
    expect(more).toEqual([]);
    expect(fine).toMatchObject({ ref: refOf("fine"), desired: 3, ready: 3 });
    expect(bad).toMatchObject({ ref: refOf("bad"), ready: 0, failure: { code } });
    expect(bad?.failure?.message).toContain(problem);
    const error = await errorOf(scaler.getResource(refOf("bad")));
    expect(error.code).toBe(code);
    expect(error.message).toContain(problem);
    expect(await scaler.getResource(refOf("fine"))).toMatchObject({ desired: 3 });
    expect(logs.filter((line) => line.includes(code))).toHaveLength(1);
  });

  it("of a field that nobody asked for does not matter", async () => {
    const body = { replicas: 2, cpu: null, replicasMax: "many", links: [{ rel: "self" }] };
    const { scaler } = await openTwo(status(body));
    expect(await scaler.getResource(refOf("bad"))).toMatchObject({ desired: 2, ready: 2 });
  });

  it("of 404 means that the resource is gone, and the log says what to look at", async () => {
    const { scaler, logs } = await openTwo({ status: 404 });
    expect((await scaler.listResources()).map(({ ref }) => ref.name)).toEqual(["fine"]);
    expect(await scaler.getResource(refOf("bad"))).toBeUndefined();
    expect((await errorOf(scaler.setScale(refOf("bad"), 1))).code).toBe("SCALER_NOT_FOUND");
    expect(logs.join("\n")).toContain("correct url and status.path");
  });

  it("fails the list where no resource can be read", async () => {
    const server = await serve(() => ({ status: 500 }));
    const { scaler } = await openTestScaler({ resources: [{ name: "app", url: server.url }] });
    expect((await errorOf(scaler.listResources())).code).toBe("SCALER_UNAVAILABLE");
  });

  it("keeps what was known of the count, shows it as failed, and says when it is read again", async () => {
    let answer: TestAnswer = good;
    const bad = await serve(() => answer);
    const fine = await serve(() => good);
    const { scaler, logs } = await openTestScaler({
      resources: [
        { name: "bad", url: bad.url },
        { name: "fine", url: fine.url },
      ],
    });
    const [before] = await scaler.listResources();
    answer = { status: 500 };
    const [during] = await scaler.listResources();
    expect(during).toMatchObject({ desired: 3, ready: 0, version: before?.version, wakeReplicas: 3 });
    answer = good;
    const [after] = await scaler.listResources();
    expect(after).toEqual(before);
    expect(logs.at(-1)).toContain("its status can be read again");
  });

  it("to a write refuses the count in the API's words", async () => {
    const server = await serve(({ method }) => (method === "PUT" ? { status: 400, body: "at most 20" } : good));
    const { scaler } = await openTestScaler({ resources: [{ name: "app", url: server.url }] });
    const error = await errorOf(scaler.setScale(refOf("app"), 21));
    expect(error.code).toBe("SCALER_UNSUPPORTED");
    expect(error.message).toContain("PUT");
    expect(error.message).toContain("answered 400: at most 20");
  });

  it("to a write does not matter where its status is a success", async () => {
    const server = await serve(({ method }) =>
      method === "PUT" ? { status: 200, body: "<html>Replicas updated" } : good,
    );
    const { scaler } = await openTestScaler({ resources: [{ name: "app", url: server.url }] });
    const { version } = await scaler.setScale(refOf("app"), 3);
    expect(await scaler.getResource(refOf("app"))).toMatchObject({ version, desired: 3 });
  });

  it("of a weak or a missing ETag is named where versions are expected", async () => {
    for (const [headers, problem] of [
      [{ etag: 'W/"1"' }, "weak ETag"],
      [{}, "has no version (header ETag), which compareAndSet needs"],
    ] as const) {
      const server = await serve(() => ({ headers, body: { replicas: 3 } }));
      const { scaler } = await openTestScaler({ resources: [{ name: "app", url: server.url }], compareAndSet: {} });
      expect((await errorOf(scaler.getResource(refOf("app")))).message).toContain(problem);
    }
  });

  it("of instances without an address, or without an id each, is named", async () => {
    const targets = { addresses: "$.instances[*].address", ids: "$.instances[*].id" };
    for (const [instances, problem] of [
      [[{ address: "nowhere", id: "a" }], '"nowhere" is no address of an instance'],
      [[{ address: "10.0.0.1:80" }], "leads to 1 addresses, $.instances[*].id to 0 ids"],
      [
        [
          { address: "10.0.0.1:80", id: "a" },
          { address: "10.0.0.2:80", id: "a" },
        ],
        "two instances have the same id",
      ],
    ] as const) {
      const server = await serve(() => ({ body: { replicas: 2, instances } }));
      const { scaler } = await openTestScaler({ resources: [{ name: "app", url: server.url, targets }] });
      expect((await errorOf(scaler.resolveTargets(refOf("app"), undefined))).message).toContain(problem);
    }
  });
});
