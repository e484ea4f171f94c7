import { defaultPolicy, type Resource } from "@dormouse/core";
import { expect, it } from "vitest";
import { ChangeFeed } from "./change-feed.ts";

function resource(name: string, ready: number): Resource {
  return {
    ref: { namespace: "default", name },
    desired: 1,
    ready,
    wakeReplicas: 1,
    version: "1",
    ports: [],
    policy: defaultPolicy,
    createdAt: 0,
    updatedAt: 0,
  };
}

it("begins with a snapshot, then tells the last state of each resource", async () => {
  const feed = new ChangeFeed();
  const abort = new AbortController();
  const watch = feed.watch(() => [resource("a", 0)], abort.signal);
  expect((await watch.next()).value).toMatchObject({ kind: "snapshot", resources: [{ ready: 0 }] });
  for (let ready = 1; ready <= 1_000; ready += 1) feed.set(resource("a", ready));
  feed.gone({ namespace: "default", name: "b" });
  expect((await watch.next()).value).toMatchObject({ kind: "set", resource: { ready: 1_000 } });
  expect((await watch.next()).value).toEqual({ kind: "gone", ref: { namespace: "default", name: "b" } });
  const next = watch.next();
  feed.set(resource("a", 7));
  expect((await next).value).toMatchObject({ resource: { ready: 7 } });
  abort.abort();
  expect((await watch.next()).done).toBe(true);
});

it("misses nothing that happens between the snapshot and the first wait", async () => {
  const feed = new ChangeFeed();
  const watch = feed.watch(() => [], undefined);
  await watch.next();
  feed.set(resource("a", 1));
  expect((await watch.next()).value).toMatchObject({ kind: "set" });
  await watch.return(undefined);
});

it("ends a waiting watch on abort and on closing", async () => {
  const feed = new ChangeFeed();
  const abort = new AbortController();
  const aborted = feed.watch(() => [], abort.signal);
  const closed = feed.watch(() => [], undefined);
  await Promise.all([aborted.next(), closed.next()]);
  const [first, second] = [aborted.next(), closed.next()];
  abort.abort();
  expect((await first).done).toBe(true);
  feed[Symbol.dispose]();
  expect((await second).done).toBe(true);
});
