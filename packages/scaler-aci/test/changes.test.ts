import { randomUUID } from "node:crypto";
import { get } from "node:http";
import { afterAll, afterEach, beforeEach, expect, it } from "vitest";
import type { Resource, ResourceChange, Target } from "@dormouse/core";
import type { FakeGroup } from "./fake/fake-group.ts";
import { freePort } from "@dormouse/core/testing";
import { closeAuthority, type FakeAzure, openAzure } from "./fake/open-azure.ts";
import { describeWithOpenssl as describe } from "./fake/openssl.ts";
import { openOn, type OpenScaler, rejectionOf, until, untilResource, web } from "./open-on.ts";

/** Elsewhere there is 127.0.0.1 alone. */
const hasOneLoopback = process.platform !== "linux";

let azure: FakeAzure;
let group: FakeGroup;
let opened: OpenScaler;

beforeEach(async () => {
  azure = await openAzure();
  group = azure.arm.add("Shop", "web", { port: await freePort(), readinessPath: "/ready" });
  opened = await openOn(azure);
});

afterEach(async () => {
  await opened[Symbol.asyncDispose]();
  await azure[Symbol.asyncDispose]();
});

afterAll(closeAuthority);

/** Wakes, and waits for its one target. */
async function awakeTarget(): Promise<Target> {
  await opened.scaler.setScale(web, 1);
  return untilTarget(() => true);
}

async function untilTarget(holds: (target: Target) => boolean): Promise<Target> {
  const look = async (): Promise<Target | undefined> => (await opened.scaler.resolveTargets(web, undefined))[0];
  const target = await until(look, (seen) => seen !== undefined && holds(seen));
  if (target === undefined) throw new Error("there is no target");
  return target;
}

function fetchFrom({ host, port }: Target): Promise<string> {
  return new Promise((resolve, reject) => {
    get({ host, port, path: "/", agent: false }, (response) => {
      let text = "";
      response.on("data", (part) => (text += String(part)));
      response.on("end", () => resolve(text));
    }).on("error", reject);
  });
}

/** Follows the watch, and keeps what it adds up to. */
function follow(): { readonly seen: Map<string, Resource>; readonly end: () => void } {
  const abort = new AbortController();
  const seen = new Map<string, Resource>();
  const take = (change: ResourceChange): void => {
    if (change.kind === "snapshot") for (const each of change.resources) seen.set(each.ref.name, each);
    else if (change.kind === "set") seen.set(change.resource.ref.name, change.resource);
    else seen.delete(change.ref.name);
  };
  const run = async (): Promise<void> => {
    for await (const change of opened.scaler.watchResources?.({ signal: abort.signal }) ?? []) take(change);
  };
  run().catch(() => {});
  return { seen, end: () => abort.abort() };
}

describe("the address", () => {
  it("is read anew after each start, answers, and is never the one from before", async () => {
    const first = await awakeTarget();
    expect(await fetchFrom(first)).toBe("web, run 1");
    await opened.scaler.setScale(web, 0);
    const second = await awakeTarget();
    expect(await fetchFrom(second)).toBe("web, run 2");
    expect(second.id).not.toBe(first.id);
    expect(second.host === first.host).toBe(hasOneLoopback);
  });

  it.each([["0.0.0.0"], ["::"], [""], ["not an address"], [undefined]])(
    "%s is none that can be dialled: the group is not ready",
    async (ip) => {
      group.disguise = (entry) => {
        const properties = entry["properties"] as { ipAddress: object };
        return { ...entry, properties: { ...properties, ipAddress: { ...properties.ipAddress, ip } } };
      };
      await opened.scaler.setScale(web, 1);
      await until(async () => group.provisioning === "Succeeded" && group.state === "Running", Boolean);
      expect(await opened.scaler.getResource(web)).toMatchObject({ desired: 1, ready: 0 });
      expect(await opened.scaler.resolveTargets(web, undefined)).toEqual([]);
      group.disguise = undefined;
      expect(await opened.scaler.getResource(web)).toMatchObject({ desired: 1, ready: 1 });
    },
  );

  it("comes with the container's own probe", async () => {
    const { probe, port } = await awakeTarget();
    expect(probe).toEqual({ path: "/ready", port });
  });
});

describe("a start", () => {
  it("is not ready before provisioning has succeeded, though the group says Running", async () => {
    group.disguise = (entry) => ({
      ...entry,
      properties: { ...(entry["properties"] as object), provisioningState: "Creating" },
    });
    await opened.scaler.setScale(web, 1);
    await until(async () => group.state === "Running", Boolean);
    expect(await opened.scaler.getResource(web)).toMatchObject({ desired: 1, ready: 0 });
    expect(await opened.scaler.resolveTargets(web, undefined)).toEqual([]);
  });

  it("that does not show yet is believed, as its operation goes on", async () => {
    group.plan = { kind: "hold" };
    group.disguise = (entry) => {
      const properties = entry["properties"] as object;
      return {
        ...entry,
        properties: { ...properties, provisioningState: "Succeeded", instanceView: { state: "Stopped" } },
      };
    };
    const { version } = await opened.scaler.setScale(web, 1);
    for (let look = 0; look < 3; look += 1)
      expect(await opened.scaler.getResource(web)).toMatchObject({ desired: 1, ready: 0, version });
    expect((await opened.scaler.getResource(web))?.failure).toBeUndefined();
    expect(azure.arm.count()["operation"]).toBeGreaterThan(0);
  });

  it("of a group that starts already, or runs, is accepted without an operation", async () => {
    group.plan = { kind: "hold" };
    await opened.scaler.setScale(web, 1);
    await opened.scaler.setScale(web, 1);
    await group.release();
    const target = await untilTarget(() => true);
    await opened.scaler.setScale(web, 1);
    expect(await untilTarget(() => true)).toEqual(target);
  });
});

describe("somebody else", () => {
  it("who stops a group is respected, and the version moves", async () => {
    await awakeTarget();
    const before = await untilResource(opened, ({ ready }) => ready === 1);
    await group.stop();
    const after = await opened.scaler.getResource(web);
    expect(after).toMatchObject({ desired: 0, ready: 0 });
    expect(after?.version).not.toBe(before.version);
  });

  it("who starts a group is seen by the watch", async () => {
    const { seen, end } = follow();
    await until(
      async () => seen.get("web"),
      (resource) => resource?.desired === 0,
    );
    group.start(randomUUID());
    const found = await until(
      async () => seen.get("web"),
      (resource) => resource?.ready === 1,
    );
    expect(found?.desired).toBe(1);
    end();
  });

  it("who deletes a group makes it gone for all calls and for the watch", async () => {
    const { seen, end } = follow();
    await until(async () => seen.has("web"), Boolean);
    azure.arm.remove(group);
    expect(await rejectionOf(opened.scaler.setScale(web, 1))).toMatchObject({ code: "SCALER_NOT_FOUND" });
    expect(await rejectionOf(opened.scaler.resolveTargets(web, undefined))).toMatchObject({ code: "SCALER_NOT_FOUND" });
    expect(await opened.scaler.getResource(web)).toBeUndefined();
    await until(
      async () => seen.has("web"),
      (isThere) => !isThere,
    );
    end();
  });

  it("who makes a group, or tags one, has it found", async () => {
    const untagged = azure.arm.add("Shop", "late", { port: await freePort(), tags: { team: "a" } });
    const { seen, end } = follow();
    await until(async () => seen.has("web"), Boolean);
    expect(seen.has("late")).toBe(false);
    untagged.spec = { ...untagged.spec, tags: { "DORMOUSE-Enabled": "TRUE", "Dormouse-Idle-After": "7m" } };
    const late = await until(
      async () => seen.get("late"),
      (resource) => resource !== undefined,
    );
    expect(late?.policy).toMatchObject({ enabled: true, idleAfter: 420_000 });
    end();
  });

  it("who takes the tag away takes the group out of our hands", async () => {
    await opened.scaler.getResource(web);
    group.spec = { ...group.spec, tags: { "dormouse-enabled": "false" } };
    expect(await opened.scaler.getResource(web)).toBeUndefined();
    expect(await rejectionOf(opened.scaler.setScale(web, 0))).toMatchObject({ code: "SCALER_NOT_FOUND" });
    expect(azure.arm.count()["stop"]).toBeUndefined();
  });

  it("who misspells a tag is told, and the group is left alone", async () => {
    group.spec = { ...group.spec, tags: { "dormouse-enabled": "true", "dormouse-idle-afterr": "5m" } };
    const resource = await opened.scaler.getResource(web);
    expect(resource).toMatchObject({ policy: { enabled: false }, refusal: { code: "SCALER_BAD_OPTIONS" } });
    expect(resource?.refusal?.message).toContain('did you mean "dormouse-idle-after"?');
  });
});

describe("a container", () => {
  it("that crashes is no target until its next run, under another id, and the version stands still", async () => {
    const first = await awakeTarget();
    const { version } = await untilResource(opened, ({ ready }) => ready === 1);
    await group.crash(137);
    const second = await untilTarget(({ id }) => id !== first.id);
    expect(await fetchFrom(second)).toBe("web, run 2");
    expect((await opened.scaler.getResource(web))?.version).toBe(version);
  });

  it("that ends again and again is a crash loop in Azure's words, until a start mends it", async () => {
    await awakeTarget();
    await group.loop();
    const { failure } = await untilResource(opened, (resource) => resource.failure !== undefined);
    expect(failure).toMatchObject({ code: "SCALER_CRASH_LOOP" });
    expect(failure?.message).toContain("Back-off 40s restarting failed container");
  });

  it("that has run to its end leaves the count alone, says with which exit code, and a wake starts it again", async () => {
    group.spec = { ...group.spec, restartPolicy: "Never" };
    await awakeTarget();
    const { version } = await untilResource(opened, ({ ready }) => ready === 1);
    await group.crash(3);
    const ended = await untilResource(opened, ({ ready }) => ready === 0);
    expect(ended).toMatchObject({ desired: 1, version, failure: { code: "SCALER_START_FAILED" } });
    expect(ended.failure?.message).toContain("exit code 3");
    await awakeTarget();
    expect((await opened.scaler.getResource(web))?.failure).toBeUndefined();
  });
});

describe("a host that starts anew", () => {
  it("finds by the platform's facts alone what runs, under versions of its own", async () => {
    const target = await awakeTarget();
    const before = await untilResource(opened, ({ ready }) => ready === 1);
    const later = await openOn(azure);
    try {
      const after = await later.scaler.getResource(web);
      expect(after).toMatchObject({ desired: 1, ready: 1 });
      expect(after?.version).not.toBe(before.version);
      expect(await later.scaler.resolveTargets(web, undefined)).toEqual([target]);
    } finally {
      await later[Symbol.asyncDispose]();
    }
  });

  it("starts nothing, and asks nothing before it is asked", async () => {
    const later = await openOn(azure);
    await later[Symbol.asyncDispose]();
    expect(azure.arm.requests).toEqual([]);
  });
});
