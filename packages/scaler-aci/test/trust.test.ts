import { afterAll, afterEach, beforeEach, expect, it } from "vitest";
import type { FakeAnswer } from "./fake/fake-arm.ts";
import { kindOf } from "./fake/fake-arm.ts";
import { freePort } from "@dormouse/core/testing";
import { closeAuthority, type FakeAzure, openAzure } from "./fake/open-azure.ts";
import { describeWithOpenssl as describe } from "./fake/openssl.ts";
import { TlsServer } from "./fake/serve-tls.ts";
import { openOn, rejectionOf, until, untilResource, web } from "./open-on.ts";

let azure: FakeAzure;
const open: AsyncDisposable[] = [];

beforeEach(async () => {
  azure = await openAzure();
  azure.arm.add("shop", "web", { port: await freePort() });
});

afterEach(async () => {
  for (const each of open.splice(0).toReversed()) await each[Symbol.asyncDispose]();
  await azure[Symbol.asyncDispose]();
});

afterAll(closeAuthority);

async function openScaler(changes: Readonly<Record<string, unknown>> = {}): ReturnType<typeof openOn> {
  const opened = await openOn(azure, changes);
  open.push(opened);
  return opened;
}

/** Another host, with a certificate that the scaler trusts. */
async function openStranger(): Promise<{ readonly origin: string; readonly seen: readonly string[] }> {
  const seen: string[] = [];
  const server = await TlsServer.start(azure.authority.valid, async ({ headers }): Promise<FakeAnswer> => {
    seen.push(headers.authorization ?? "nothing");
    return { status: 200, body: { status: "Succeeded", value: [] } };
  });
  open.push(server);
  return { origin: server.origin, seen };
}

describe("a token", () => {
  it("is asked for with the scope of the configured resource manager", async () => {
    const { scaler } = await openScaler();
    await scaler.getResource(web);
    expect(azure.login.scopes[0]).toContain(`${azure.server.origin}/.default`);
  });

  it("never goes to another host that an operation is said to be on, and the start is followed without it", async () => {
    const stranger = await openStranger();
    azure.arm.operationOrigin = stranger.origin;
    for (const group of azure.arm.groups.values()) group.plan = { kind: "fail", code: "Broken", message: "It broke." };
    const opened = await openScaler();
    await opened.scaler.setScale(web, 1);
    const told = (): boolean => opened.told.some(({ message }) => message.includes("operation"));
    await until(async () => {
      await opened.scaler.getResource(web);
      return told();
    }, Boolean);
    expect(stranger.seen).toEqual([]);
    expect(JSON.stringify(opened.told)).toContain(stranger.origin);
  });

  it("never goes to another host that a list's next page is said to be on", async () => {
    const stranger = await openStranger();
    azure.arm.faults = [
      (request) =>
        kindOf(request) === "list"
          ? { status: 200, body: { value: [], nextLink: `${stranger.origin}/next?api-version=2023-05-01` } }
          : undefined,
    ];
    const { scaler } = await openScaler();
    const error = await rejectionOf(scaler.listResources());
    expect(error).toMatchObject({ code: "SCALER_FORBIDDEN" });
    expect(error.message).toContain(stranger.origin);
    expect(stranger.seen).toEqual([]);
  });

  it("never goes to another host by a redirect", async () => {
    const stranger = await openStranger();
    azure.arm.faults = [() => ({ status: 302, headers: { Location: `${stranger.origin}/elsewhere` } })];
    const { scaler } = await openScaler();
    await rejectionOf(scaler.getResource(web));
    await rejectionOf(scaler.setScale(web, 1));
    expect(stranger.seen).toEqual([]);
  });

  it("that Azure has taken back is a named error", async () => {
    const { scaler } = await openScaler();
    await scaler.getResource(web);
    azure.login.revoke();
    const error = await rejectionOf(scaler.getResource(web));
    expect(error).toMatchObject({ code: "SCALER_FORBIDDEN" });
    expect(error.message).toContain("InvalidAuthenticationToken");
  });
});

describe("an operation", () => {
  it("is followed as it was given, signed and of another version, where it says why a start failed", async () => {
    for (const group of azure.arm.groups.values())
      group.plan = {
        kind: "fail",
        code: "ServiceUnavailable",
        message:
          "The requested resource with '4' CPU and '16' GB memory is not available in the location 'westeurope'.",
      };
    const opened = await openScaler();
    await opened.scaler.setScale(web, 1);
    const { failure } = await untilResource(opened, (resource) => resource.failure !== undefined);
    expect(failure?.code).toBe("SCALER_UNSCHEDULABLE");
    expect(failure?.message).toContain("is not available in the location 'westeurope'");
    const asked = azure.arm.requests.find((request) => kindOf(request) === "operation");
    expect(asked?.target).toContain("api-version=2018-06-01");
    expect(asked?.target.length).toBeGreaterThan(2_000);
  });

  it("is not asked for where the start shows in the group itself", async () => {
    const opened = await openScaler();
    await opened.scaler.setScale(web, 1);
    await untilResource(opened, ({ ready }) => ready === 1);
    expect(azure.arm.count()["operation"]).toBeUndefined();
  });
});

describe("credentials", () => {
  it("that are wrong are a named error that says so", async () => {
    const identity = { kind: "client-secret", ...azure.login.account, clientSecret: "wrong" };
    const { scaler } = await openScaler({ identity });
    for (const call of [scaler.listResources(), scaler.getResource(web), scaler.setScale(web, 1)]) {
      const error = await rejectionOf(call);
      expect(error).toMatchObject({ code: "SCALER_FORBIDDEN", retryable: false });
      expect(error.message).toContain("AADSTS7000215");
    }
    expect(azure.arm.requests).toEqual([]);
  });

  it("cannot be checked while the login is out of reach, which passes", async () => {
    const restore = await azure.login.server.cut();
    const { scaler } = await openScaler();
    expect(await rejectionOf(scaler.getResource(web))).toMatchObject({ code: "SCALER_UNAVAILABLE", retryable: true });
    await restore();
    await until(
      async () => scaler.getResource(web).catch(() => undefined),
      (resource) => resource !== undefined,
    );
  });

  it("leave nobody waiting for a login that hangs", async () => {
    const release = azure.login.server.stall();
    const { scaler } = await openScaler();
    const error = await rejectionOf(scaler.getResource(web, { signal: AbortSignal.timeout(200) }));
    expect(error).toMatchObject({ code: "SCALER_ABORTED" });
    release();
    expect(await scaler.getResource(web)).toBeDefined();
  });
});

describe("a certificate", () => {
  it("that is over is named", async () => {
    const server = await TlsServer.start(azure.authority.expired, async () => ({ status: 200, body: {} }));
    open.push(server);
    const { scaler } = await openScaler({ armEndpoint: server.origin });
    const error = await rejectionOf(scaler.getResource(web));
    expect(error).toMatchObject({ code: "SCALER_UNAVAILABLE" });
    expect(error.message).toMatch(/certificate is not accepted: .*expired/i);
    expect(server.count).toBe(0);
  });

  it("of an authority that nobody named is refused, at the resource manager and at the login", async () => {
    const { caFile: _, ...without } = azure.options;
    const { scaler } = await openScaler({ ...without, caFile: undefined });
    const error = await rejectionOf(scaler.getResource(web));
    expect(error).toMatchObject({ code: "SCALER_UNAVAILABLE" });
    expect(error.message).toContain("certificate");
    expect(azure.login.scopes).toEqual([]);
    expect(azure.arm.requests).toEqual([]);
  });

  it("file that is not there keeps the scaler from opening, by name", async () => {
    expect(await rejectionOf(openScaler({ caFile: "/no/such/ca.pem" }))).toMatchObject({
      message: expect.stringContaining("caFile: /no/such/ca.pem cannot be read") as string,
    });
  });
});
