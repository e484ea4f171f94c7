import { isScalerError, type ScalerError, systemClock } from "@dormouse/core";
import { FakeClock } from "@dormouse/core/testing";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { FakeApiServer, fail } from "../../test/fake-api-server.ts";
import { FakeCollection, type FakeObject } from "../../test/fake-collection.ts";
import { RecordingLogger } from "../../test/recording-logger.ts";
import type { Informer, InformerOptions } from "./informer.ts";
import { openInformer } from "./open-informer.ts";
import { openInformers } from "./open-informers.ts";

let server: FakeApiServer;
let pods: FakeCollection;
let logger: RecordingLogger;
const opened: AsyncDisposable[] = [];

beforeEach(async () => {
  server = await FakeApiServer.open();
  pods = new FakeCollection(server);
  logger = new RecordingLogger();
});

afterEach(async () => {
  for (const each of opened.splice(0)) await each[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

async function open(options: Partial<InformerOptions<FakeObject, FakeObject>> = {}) {
  const clock = options.clock ?? systemClock;
  const cluster = await server.openCluster({ clock });
  const base = { groupVersion: "v1", plural: "pods", namespace: "shop", clock, logger };
  const informer = openInformer<FakeObject, FakeObject>(cluster, { ...base, ...options });
  opened.push(informer);
  const heard: string[] = [];
  informer.subscribe((change) => heard.push(change.kind === "synced" ? "synced" : toText(change)));
  return { informer, heard };
}

function toText(change: { readonly kind: string; readonly object: FakeObject }): string {
  return `${change.kind} ${change.object.metadata.name}=${String(change.object.value)}`;
}

function names(informer: Informer<FakeObject>): string[] {
  return informer.list().map(({ metadata }) => metadata.name);
}

/** Waits until it holds. */
const until = (condition: () => void): Promise<void> => vi.waitFor(condition, { timeout: 5_000, interval: 5 });

/** Moves a fake clock until it holds; sockets live in real time, so each step gives them some. */
async function advanceUntil(
  clock: FakeClock,
  stepMs: number | (() => number),
  condition: () => boolean,
): Promise<void> {
  for (let step = 0; step < 2_000 && !condition(); step += 1) {
    await clock.advance(typeof stepMs === "number" ? stepMs : stepMs());
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  expect(condition()).toBe(true);
}

describe("an informer", () => {
  it("reads the list page by page, then tells what changes", async () => {
    for (const name of ["a", "b", "c"]) pods.set(name, 1);
    const { informer, heard } = await open({ pageSize: 2 });
    await informer.whenSynced();
    expect(heard).toEqual(["set a=1", "set b=1", "set c=1", "synced"]);
    expect(pods.lists).toBe(2);
    await until(() => expect(pods.open).toBe(1));
    pods.set("b", 2);
    pods.delete("a");
    await until(() => expect(heard.slice(4)).toEqual(["set b=2", "gone a=1"]));
    expect(names(informer)).toEqual(["b", "c"]);
    expect(informer.get("shop", "b")?.value).toBe(2);
    expect(informer.get("shop", "a")).toBeUndefined();
    expect(informer.problem).toBeUndefined();
  });

  it("asks for what its selectors say, watches from the list's version and wants bookmarks", async () => {
    pods.set("a");
    await open({ labelSelector: "app=web", fieldSelector: "spec.nodeName=n", watchTimeoutMs: 60_000 });
    await until(() => expect(pods.open).toBe(1));
    const query = Object.fromEntries(pods.watches[0]?.query ?? []);
    expect(query).toMatchObject({
      labelSelector: "app=web",
      fieldSelector: "spec.nodeName=n",
      resourceVersion: "101",
      allowWatchBookmarks: "true",
    });
    expect(Number(query["timeoutSeconds"])).toBeGreaterThanOrEqual(48);
    expect(Number(query["timeoutSeconds"])).toBeLessThanOrEqual(60);
  });

  it("leaves out who manages which field, and keeps only what is projected", async () => {
    pods.set("a", 7);
    const { informer } = await open();
    await informer.whenSynced();
    expect(informer.list()[0]?.metadata).not.toHaveProperty("managedFields");
    const slim = await open({ project: ({ metadata }) => ({ metadata, value: "kept" }) });
    await slim.informer.whenSynced();
    expect(slim.informer.list()[0]?.value).toBe("kept");
  });

  it("gives the former object with a change", async () => {
    pods.set("a", 1);
    const { informer } = await open();
    const before: unknown[] = [];
    informer.subscribe((change) => {
      if (change.kind === "set") before.push(change.before?.value);
    });
    await until(() => expect(pods.open).toBe(1));
    pods.set("a", 2);
    await until(() => expect(before).toEqual([undefined, 1]));
  });

  it.each([
    ["cut within a line", () => (pods.write('{"type":"MOD'), setTimeout(() => pods.cut(), 20))],
    ["ended within a line", () => (pods.write('{"type":"MOD'), pods.end())],
    ["cut between lines", () => pods.cut()],
    ["filled with garbage", () => pods.write("<html>bad gateway</html>\n")],
    ["filled with JSON that is no event", () => pods.write('{"type":"ADDED","object":7}\n')],
    ["ended by an error of the server", () => pods.send({ type: "ERROR", object: { code: 500, message: "etcd" } })],
  ])("reads the list again where a watch is %s, and misses nothing", async (_, damage) => {
    pods.set("a", 1);
    pods.set("b", 1);
    const { informer, heard } = await open();
    await until(() => expect(pods.open).toBe(1));
    pods.set("a", 2, { quietly: true });
    pods.delete("b", { quietly: true });
    damage();
    await until(() => expect(heard.slice(3)).toEqual(["set a=2", "gone b=1", "synced"]));
    await until(() => expect(pods.open).toBe(1));
    pods.set("a", 3);
    await until(() => expect(informer.get("shop", "a")?.value).toBe(3));
    expect(informer.problem).toBeUndefined();
  });

  it("says why it may be out of date until it is mended", async () => {
    const { informer } = await open();
    await until(() => expect(pods.open).toBe(1));
    const broken = Array.from({ length: 3 }, () => fail(500, { message: "etcd is away" }));
    pods.nextLists.push(...broken);
    pods.cut();
    await until(() => expect(informer.problem?.message).toContain("etcd is away"));
    expect(informer.problem?.code).toBe("SCALER_UNAVAILABLE");
    await until(() => expect(informer.problem).toBeUndefined());
    expect(logger.messages("warn")).toContain("Kubernetes objects are not followed");
  });

  it.each([
    ["by an event", () => pods.send({ type: "ERROR", object: { code: 410, reason: "Expired" } })],
    ["by its status", () => (pods.nextWatches.push(fail(410, { reason: "Gone" })), pods.end())],
  ])("reads the list again where its version has expired, told %s, and calls that no problem", async (_, expire) => {
    pods.set("a", 1);
    const { informer, heard } = await open();
    await until(() => expect(pods.open).toBe(1));
    pods.set("b", 1);
    await until(() => expect(heard).toContain("set b=1"));
    pods.set("a", 2, { quietly: true });
    expire();
    await until(() => expect(heard).toContain("set a=2"));
    expect(informer.problem).toBeUndefined();
    expect(logger.messages("warn")).toEqual([]);
  });

  it("begins a list anew that expired between two pages, and drops nothing meanwhile", async () => {
    for (const name of ["a", "b", "c"]) pods.set(name, 1);
    const { informer, heard } = await open({ pageSize: 2 });
    await until(() => expect(pods.open).toBe(1));
    pods.nextLists.push(
      (_, response) => void response.end(JSON.stringify({ metadata: { continue: "2" }, items: [] })),
      fail(410, { reason: "Expired" }),
    );
    pods.cut();
    await until(() => expect(heard.filter((each) => each === "synced")).toHaveLength(2));
    expect(pods.nextLists).toEqual([]);
    expect(heard.filter((each) => each.startsWith("gone"))).toEqual([]);
    expect(names(informer)).toEqual(["a", "b", "c"]);
  });

  it("goes on from the last bookmark or event, without a list, where the server ends a watch in its time", async () => {
    const clock = new FakeClock();
    await open({ clock });
    await advanceUntil(clock, 1, () => pods.open === 1);
    pods.bookmark("4711");
    await clock.advance(5_000);
    await new Promise((resolve) => setTimeout(resolve, 50));
    pods.end();
    await advanceUntil(clock, 1, () => pods.watches.length === 2);
    expect(pods.watches[1]?.query.get("resourceVersion")).toBe("4711");
    expect(pods.lists).toBe(1);
  });

  it("does not spin where watches end at once", async () => {
    for (let index = 0; index < 50; index += 1) pods.nextWatches.push((_, response) => void response.end());
    const { informer } = await open();
    await until(() => expect(informer.problem?.message).toContain("ended at once"));
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(pods.watches.length).toBeLessThan(6);
  });

  it("breaks off a watch that stays silent past its time, and reads the list again", async () => {
    const clock = new FakeClock();
    pods.set("a", 1);
    const { informer, heard } = await open({ clock, watchTimeoutMs: 60_000 });
    await advanceUntil(clock, 1, () => pods.open === 1);
    pods.set("a", 2, { quietly: true });
    expect(pods.lists).toBe(1);
    // The server never ends it: what is here is a dead connection.
    await advanceUntil(clock, 1_000, () => logger.failures().join().includes("silent"));
    expect(clock.monotonic()).toBeGreaterThan(48_000);
    expect(clock.monotonic()).toBeLessThan(80_000);
    await advanceUntil(clock, 10, () => heard.includes("set a=2"));
    expect(informer.problem).toBeUndefined();
  });

  it("reads the whole list again in its time, also where watches work", async () => {
    const clock = new FakeClock();
    pods.set("a", 1);
    pods.set("b", 1);
    const { heard } = await open({ clock, resyncMs: 300_000, watchTimeoutMs: 60_000 });
    await advanceUntil(clock, 1, () => pods.open === 1);
    // Something that no watch ever tells.
    pods.delete("b", { quietly: true });
    let ended = 0;
    // While requests are on their way hardly any time passes.
    const stepMs = (): number => (pods.open === 1 ? 1_000 : 10);
    await advanceUntil(clock, stepMs, () => {
      if (clock.monotonic() - ended > 50_000 && pods.open === 1) {
        ended = clock.monotonic();
        pods.end();
      }
      return heard.includes("gone b=1");
    });
    expect(clock.monotonic()).toBeLessThan(330_000);
    expect(pods.lists).toBe(2);
  });

  it("tells how long ago the server confirmed what it has", async () => {
    const clock = new FakeClock();
    const { informer } = await open({ clock });
    expect(informer.freshForMs).toBe(Infinity);
    await advanceUntil(clock, 1, () => pods.open === 1);
    await clock.advance(30_000);
    expect(informer.freshForMs).toBeGreaterThanOrEqual(30_000);
    pods.bookmark("200");
    await until(() => expect(informer.freshForMs).toBeLessThan(1_000));
  });

  it("waits as long as a server that is too busy asks for", async () => {
    const clock = new FakeClock();
    pods.nextLists.push(fail(429, { message: "too many requests" }, { "retry-after": "20" }));
    const { informer } = await open({ clock });
    await advanceUntil(clock, 1, () => informer.problem !== undefined);
    expect(informer.problem).toMatchObject({ code: "SCALER_RATE_LIMITED", retryAfterMs: 20_000 });
    await clock.advance(15_000);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(pods.lists).toBe(1);
    await advanceUntil(clock, 1_000, () => pods.lists === 2);
  });

  it("gives up a list that hangs, and tries again", async () => {
    const clock = new FakeClock();
    pods.set("a", 1);
    pods.nextLists.push(() => {});
    const { informer } = await open({ clock });
    await advanceUntil(clock, 1_000, () => informer.list().length === 1);
    expect(clock.monotonic()).toBeGreaterThanOrEqual(30_000);
  });

  it("names the missing right to who waits for the list, and is there once it is granted", async () => {
    pods.nextLists.push(fail(403, { reason: "Forbidden", message: 'User "u" cannot list pods' }));
    const { informer } = await open();
    const refused = await informer.whenSynced().catch((error: unknown) => error);
    expect(isScalerError(refused) && refused.code).toBe("SCALER_FORBIDDEN");
    expect((refused as ScalerError).message).toContain(
      'apiGroups: [""], resources: ["pods"], verbs: ["list"] in a Role of namespace "shop"',
    );
    await until(() => expect(informer.problem).toBeUndefined());
    await informer.whenSynced();
  });

  it("lets who waits for the list go with their signal or its own end", async () => {
    pods.nextLists.push(() => {});
    const { informer } = await open();
    const reason = new Error("enough");
    await expect(informer.whenSynced(AbortSignal.abort(reason))).rejects.toBe(reason);
    const waiting = informer.whenSynced();
    const checked = expect(waiting).rejects.toMatchObject({ code: "SCALER_DISPOSED" });
    await informer[Symbol.asyncDispose]();
    await checked;
  });

  it("leaves no request and no timer behind", async () => {
    const clock = new FakeClock();
    const { informer } = await open({ clock });
    await advanceUntil(clock, 1, () => pods.open === 1);
    await informer[Symbol.asyncDispose]();
    expect(clock.pendingTimers).toBe(0);
    await until(() => expect(pods.open).toBe(0));
  });

  it("goes on where a listener or a projection fails, and leaves that one object out", async () => {
    pods.set("a", 1);
    pods.set("b", 1);
    const failing = {
      project: (object: FakeObject): FakeObject => {
        if (object.metadata.name === "a") throw new Error("strange");
        return object;
      },
    };
    const { informer } = await open(failing);
    const heard: string[] = [];
    informer.subscribe(() => {
      throw new Error("listener");
    });
    informer.subscribe(({ kind }) => heard.push(kind));
    await informer.whenSynced();
    expect(names(informer)).toEqual(["b"]);
    expect(heard).toEqual(["set", "synced"]);
    expect(logger.messages("error")).toContain("an object of Kubernetes could not be read");
  });
});

describe("informers of several namespaces", () => {
  it("are one: synced once all are, and as fresh as the oldest", async () => {
    const other = new FakeCollection(server, "/api/v1/namespaces/back/pods");
    pods.set("a");
    other.set("b", undefined, { namespace: "back" });
    let release: (() => void) | undefined;
    other.nextLists.push((_, response) => {
      release = () =>
        void response.end(
          JSON.stringify({
            metadata: { resourceVersion: "1" },
            items: [{ metadata: { name: "b", namespace: "back" } }],
          }),
        );
    });
    const cluster = await server.openCluster();
    const informer = openInformers<FakeObject, FakeObject>(cluster, {
      groupVersion: "v1",
      plural: "pods",
      namespaces: ["shop", "back"],
      clock: systemClock,
      logger,
    });
    opened.push(informer);
    const heard: string[] = [];
    informer.subscribe(({ kind }) => heard.push(kind));
    await until(() => expect(pods.open).toBe(1));
    expect(heard).toEqual(["set"]);
    expect(informer.freshForMs).toBe(Infinity);
    release?.();
    await informer.whenSynced();
    expect(heard).toEqual(["set", "set", "synced"]);
    expect(names(informer)).toEqual(["a", "b"]);
    expect(informer.get("back", "b")?.metadata.name).toBe("b");
    expect(informer.get("back", "a")).toBeUndefined();
  });
});
