import { afterAll, afterEach, beforeEach, expect, it } from "vitest";
import { type FakeAnswer, type FakeRequest, type Fault, kindOf, problem } from "./fake/fake-arm.ts";
import type { FakeGroup } from "./fake/fake-group.ts";
import { freePort } from "@dormouse/core/testing";
import { closeAuthority, type FakeAzure, openAzure } from "./fake/open-azure.ts";
import { describeWithOpenssl as describe } from "./fake/openssl.ts";
import { openOn, type OpenScaler, other, rejectionOf, until, untilResource, web } from "./open-on.ts";

let azure: FakeAzure;
let group: FakeGroup;
let opened: OpenScaler;

beforeEach(async () => {
  azure = await openAzure();
  group = azure.arm.add("shop", "web", { port: await freePort() });
  azure.arm.add("shop", "other", { port: await freePort() });
  opened = await openOn(azure);
});

afterEach(async () => {
  azure.arm.faults = [];
  await opened[Symbol.asyncDispose]();
  await azure[Symbol.asyncDispose]();
});

afterAll(closeAuthority);

/** The same answer for some requests, as often as said. */
function answer(kinds: readonly string[], given: FakeAnswer, times = Number.POSITIVE_INFINITY, name = "/web"): Fault {
  let left = times;
  const matches = (request: FakeRequest): boolean =>
    kinds.includes(kindOf(request)) && (kindOf(request) === "list" || request.target.includes(name));
  return (request) => (matches(request) && left-- > 0 ? given : undefined);
}

function startsOf(name: string): number {
  return azure.arm.requests.filter((each) => kindOf(each) === "start" && each.target.includes(`/${name}/`)).length;
}

describe("a start that Azure refuses", () => {
  it.each([
    [
      409,
      "ContainerGroupQuotaReached",
      "Container group quota 'StandardCores' exceeded. Limit: '10', Usage: '9'.",
      "SCALER_QUOTA",
    ],
    [400, "ContainerGroupQuotaReached", "Container group quota 'ContainerGroups' exceeded.", "SCALER_QUOTA"],
    [
      409,
      "ServiceUnavailable",
      "The requested resource with '4' CPU is not available in the location 'westus'.",
      "SCALER_UNSCHEDULABLE",
    ],
    [400, "InaccessibleImage", "The image 'app:9' in container group 'web' is not accessible.", "SCALER_IMAGE_PULL"],
    [409, "RegistryErrorResponse", "An error response is received from the docker registry.", "SCALER_IMAGE_PULL"],
  ])(
    "with %i %s ends the wake with Azure's words, and they stay on the resource",
    async (status, code, message, expected) => {
      azure.arm.faults = [answer(["start"], problem(status, code, message))];
      const error = await rejectionOf(opened.scaler.setScale(web, 1));
      expect(error).toMatchObject({ code: expected, retryable: false });
      expect(error.message).toContain(message);
      const resource = await opened.scaler.getResource(web);
      expect(resource).toMatchObject({ desired: 0, failure: { code: expected } });
      expect(resource?.failure?.message).toContain(message);
      expect(startsOf("web")).toBe(1);
    },
  );

  it("is tried again by the next wake, and the failure goes", async () => {
    azure.arm.faults = [answer(["start"], problem(409, "ContainerGroupQuotaReached", "quota"), 1)];
    await rejectionOf(opened.scaler.setScale(web, 1));
    await opened.scaler.setScale(web, 1);
    expect((await untilResource(opened, ({ ready }) => ready === 1)).failure).toBeUndefined();
  });

  it("for a right that is missing names the right, on that group alone", async () => {
    const message = "The client does not have authorization to perform action 'containerGroups/start/action'.";
    azure.arm.faults = [answer(["start"], problem(403, "AuthorizationFailed", message))];
    const error = await rejectionOf(opened.scaler.setScale(web, 1));
    expect(error).toMatchObject({ code: "SCALER_FORBIDDEN" });
    expect(error.message).toContain(message);
    await opened.scaler.setScale(other, 1);
    await untilResource(opened, ({ ready }) => ready === 1, other);
  });
});

describe("a group in transition", () => {
  it("is asked again until it takes the stop", async () => {
    group.plan = { kind: "hold" };
    await opened.scaler.setScale(web, 1);
    const stop = opened.scaler.setScale(web, 0);
    await until(
      async () => azure.arm.count()["stop"] ?? 0,
      (count) => count >= 3,
    );
    await group.release();
    await stop;
    expect(await opened.scaler.getResource(web)).toMatchObject({ desired: 0, ready: 0 });
  });

  it("keeps no other group waiting", async () => {
    group.plan = { kind: "hold" };
    await opened.scaler.setScale(web, 1);
    const stop = rejectionOf(opened.scaler.setScale(web, 0, { signal: AbortSignal.timeout(1_000) }));
    await opened.scaler.setScale(other, 1);
    await untilResource(opened, ({ ready }) => ready === 1, other);
    expect(await stop).toMatchObject({ code: "SCALER_ABORTED" });
  });
});

describe("a limit of the rate", () => {
  it.each([
    ["seconds", "7", 7_000],
    ["a date", "date", 60_000],
  ])("says how long to wait, in %s, and nothing of its kind is sent meanwhile", async (_form, header, about) => {
    const retryAfter = header === "date" ? new Date(Date.now() + 60_000).toUTCString() : header;
    const refusal = { ...problem(429, "TooManyRequests", "slower"), headers: { "Retry-After": retryAfter } };
    azure.arm.faults = [answer(["start"], refusal, 1)];
    const first = await rejectionOf(opened.scaler.setScale(web, 1));
    expect(first).toMatchObject({ code: "SCALER_RATE_LIMITED" });
    expect(first.retryAfterMs).toBeGreaterThan(about - 5_000);
    expect(first.retryAfterMs).toBeLessThanOrEqual(about);
    const second = await rejectionOf(opened.scaler.setScale(other, 1));
    expect(second).toMatchObject({ code: "SCALER_RATE_LIMITED" });
    expect(azure.arm.count()["start"]).toBe(1);
    expect(await opened.scaler.getResource(web)).toMatchObject({ desired: 0 });
  });
});

describe("an answer that is lost", () => {
  it("leaves the outcome unknown: it rejects as such, and the version has moved", async () => {
    const before = await opened.scaler.getResource(web);
    let isTaken = false;
    azure.arm.faults = [
      (request) => {
        if (kindOf(request) !== "start" || isTaken) return undefined;
        isTaken = true;
        group.start("lost");
        return { status: 202, fault: "reset" };
      },
    ];
    expect(await rejectionOf(opened.scaler.setScale(web, 1))).toMatchObject({
      code: "SCALER_UNAVAILABLE",
      retryable: true,
    });
    expect(startsOf("web")).toBe(1);
    const after = await untilResource(opened, ({ desired }) => desired === 1);
    expect(after.version).not.toBe(before?.version);
    await untilResource(opened, ({ ready }) => ready === 1);
  });

  it("of a stop takes the targets away as long as the stop may still be carried out, and no longer", async () => {
    const patient = await openOn(azure, { settleWithin: "1500ms" });
    try {
      await patient.scaler.setScale(web, 1);
      await untilResource(patient, ({ ready }) => ready === 1);
      azure.arm.faults = [answer(["stop"], { status: 500, fault: "reset" }, 1)];
      expect(await rejectionOf(patient.scaler.setScale(web, 0))).toMatchObject({ retryable: true });
      expect(await patient.scaler.resolveTargets(web, undefined)).toEqual([]);
      await until(
        async () => patient.scaler.resolveTargets(web, undefined),
        (targets) => targets.length === 1,
      );
    } finally {
      await patient[Symbol.asyncDispose]();
    }
  });
});

describe("one group that cannot be read", () => {
  const garbage: readonly (readonly [string, FakeAnswer, string])[] = [
    ["a right that is missing", problem(403, "AuthorizationFailed", "no right to read"), "SCALER_FORBIDDEN"],
    ["an internal error", problem(500, "InternalServerError", "it broke"), "SCALER_UNAVAILABLE"],
    ["a page of HTML", { status: 200, text: "<html>Bad gateway</html>" }, "SCALER_UNAVAILABLE"],
    [
      "JSON that is cut off",
      { status: 200, body: { id: "x", properties: { containers: [] } }, fault: "truncate" },
      "SCALER_UNAVAILABLE",
    ],
    ["an empty body", { status: 200, text: "" }, "SCALER_UNAVAILABLE"],
    ["a list in place of a group", { status: 200, body: [1, 2] }, "SCALER_UNAVAILABLE"],
    ["another group", { status: 200, body: { id: "/subscriptions/x", properties: {} } }, "SCALER_UNAVAILABLE"],
  ];

  it.each(garbage)("for %s is a named error on that resource alone; others go on", async (_what, given, code) => {
    azure.arm.faults = [answer(["get"], given)];
    expect(await rejectionOf(opened.scaler.getResource(web))).toMatchObject({ code });
    expect(await rejectionOf(opened.scaler.resolveTargets(web, undefined))).toMatchObject({ code });
    const listed = await opened.scaler.listResources();
    expect(listed.map(({ ref, failure }) => [ref.name, failure?.code])).toEqual([
      ["web", code],
      ["other", undefined],
    ]);
  });

  it("keeps what was known of it, and stays awake", async () => {
    await opened.scaler.setScale(web, 1);
    const before = await untilResource(opened, ({ ready }) => ready === 1);
    azure.arm.faults = [answer(["get"], problem(500, "InternalServerError", "it broke"))];
    const listed = (await opened.scaler.listResources()).find(({ ref }) => ref.name === "web");
    expect(listed).toMatchObject({
      desired: 1,
      ready: 1,
      version: before.version,
      failure: { code: "SCALER_UNAVAILABLE" },
    });
    azure.arm.faults = [];
    expect(await opened.scaler.getResource(web)).toEqual(before);
  });

  it.each([["instanceView"], ["provisioningState"], ["ipAddress"]])(
    "whose answer lacks %s is not taken for stopped, nor for changed",
    async (member) => {
      await opened.scaler.setScale(web, 1);
      const before = await untilResource(opened, ({ ready }) => ready === 1);
      group.disguise = (entry) => {
        const { [member]: _left, ...properties } = entry["properties"] as Record<string, unknown>;
        return { ...entry, properties: { ...properties, ...(member === "ipAddress" && { containers: [] }) } };
      };
      expect(await rejectionOf(opened.scaler.getResource(web))).toMatchObject({ code: "SCALER_UNAVAILABLE" });
      expect(await rejectionOf(opened.scaler.resolveTargets(web, undefined))).toMatchObject({
        code: "SCALER_UNAVAILABLE",
      });
      group.disguise = undefined;
      expect(await opened.scaler.getResource(web)).toEqual(before);
    },
  );
});

describe("a list", () => {
  it("with entries that make no sense has the others", async () => {
    azure.arm.faults = [
      (request) => {
        if (kindOf(request) !== "list") return undefined;
        const value = [...azure.arm.groups.values()].map((each) => each.toEntry());
        const odd = [
          { id: 7 },
          {},
          { id: "/subscriptions/x/nothing" },
          { ...value[0], tags: { "dormouse-enabled": "true" }, properties: "text" },
        ];
        return { status: 200, body: { value: [...odd, ...value], extra: true } };
      },
    ];
    const listed = await opened.scaler.listResources();
    expect(listed.map(({ ref, failure }) => [ref.name, failure])).toEqual([
      ["web", undefined],
      ["other", undefined],
    ]);
  });

  it("of one resource group that is forbidden takes no other along, and is told once", async () => {
    azure.arm.add("locked", "safe", { port: await freePort() });
    const both = await openOn(azure, {
      subscriptions: [{ id: azure.subscription, resourceGroups: ["shop", "locked"] }],
    });
    try {
      azure.arm.faults = [
        ({ method, target }) =>
          method === "GET" && target.includes("/locked/")
            ? problem(403, "AuthorizationFailed", "no right to list")
            : undefined,
      ];
      for (let time = 0; time < 2; time += 1)
        expect((await both.scaler.listResources()).map(({ ref }) => ref.name)).toEqual(["web", "other"]);
      const told = both.told.filter(({ fields }) => JSON.stringify(fields).includes("no right to list"));
      expect(told).toHaveLength(1);
      expect(told[0]?.fields).toMatchObject({ resourceGroup: "locked", code: "SCALER_FORBIDDEN" });
    } finally {
      await both[Symbol.asyncDispose]();
    }
  });

  it("that may be a part only is none: what never was listed and may be soon is waited for", async () => {
    azure.arm.faults = [answer(["list"], problem(503, "ServerTimeout", "later"))];
    expect(await rejectionOf(opened.scaler.listResources())).toMatchObject({ code: "SCALER_UNAVAILABLE" });
  });
});
