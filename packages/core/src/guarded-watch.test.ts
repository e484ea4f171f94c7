import { describe, expect, it, vi } from "vitest";
import type { GuardedScaler } from "./guard-scaler.ts";
import type { CallOptions, ResourceChange } from "./resource-scaler.ts";
import { ScalerError } from "./scaler-error.ts";
import { countListeners } from "./testing/count-listeners.ts";
import { openScripted, someResource } from "./testing/scripted-plugin.ts";

const snapshot: ResourceChange = { kind: "snapshot", resources: [someResource] };
const set: ResourceChange = { kind: "set", resource: { ...someResource, desired: 2 } };
const gone: ResourceChange = { kind: "gone", ref: someResource.ref };

type Watch = (options?: CallOptions) => AsyncIterable<ResourceChange>;

const openWatch = (watchResources: Watch) => openScripted({ watchResources }, { watch: true });

/** Yields what it is given, then hangs without heeding its signal. */
async function* hangAfter(...changes: readonly ResourceChange[]): AsyncGenerator<ResourceChange> {
  yield* changes;
  await new Promise(() => {});
}

/** Reads a watch to its end. */
function read(
  scaler: GuardedScaler,
  signal?: AbortSignal,
): { readonly seen: ResourceChange[]; readonly ended: Promise<void> } {
  const seen: ResourceChange[] = [];
  const ended = (async () => {
    for await (const change of scaler.watchResources!(signal === undefined ? {} : { signal })) seen.push(change);
  })();
  return { seen, ended };
}

describe("a guarded watch", () => {
  it("passes changes on and ends with the plugin's", async () => {
    const { guarded, clock } = await openWatch(async function* () {
      yield* [snapshot, set, gone, snapshot];
    });
    const { seen, ended } = read(guarded);
    await ended;
    expect(seen).toEqual([snapshot, set, gone, snapshot]);
    expect(clock.pendingTimers).toBe(0);
  });

  it("ends without an error when its reader gives up, though the plugin hangs, and leaves nothing", async () => {
    let inner: AbortSignal | undefined;
    const { guarded, clock } = await openWatch((options) => {
      inner = options?.signal;
      return hangAfter(snapshot);
    });
    const abort = new AbortController();
    const listeners = countListeners(abort.signal);
    const { seen, ended } = read(guarded, abort.signal);
    await vi.waitFor(() => expect(seen).toHaveLength(1));
    expect(listeners()).toBe(1);
    abort.abort();
    await ended;
    expect(inner?.aborted).toBe(true);
    expect(listeners()).toBe(0);
    expect(clock.pendingTimers).toBe(0);
  });

  it("is empty where its reader has given up before", async () => {
    const watch = vi.fn(() => hangAfter(snapshot));
    const { guarded } = await openWatch(watch);
    const { seen, ended } = read(guarded, AbortSignal.abort());
    await ended;
    expect(seen).toEqual([]);
    expect(watch).not.toHaveBeenCalled();
  });

  it("fails where the snapshot does not come in time, and waits for changes as long as it takes", async () => {
    const hanging = await openWatch(() => hangAfter());
    const late = expect(read(hanging.guarded).ended).rejects.toMatchObject({ code: "SCALER_TIMEOUT" });
    await hanging.clock.advance(10_000);
    await late;
    const quiet = await openWatch(() => hangAfter(snapshot));
    const abort = new AbortController();
    const { seen, ended } = read(quiet.guarded, abort.signal);
    await quiet.clock.advance(86_400_000);
    expect(seen).toEqual([snapshot]);
    abort.abort();
    await ended;
  });

  it("fails when the scaler is closed, and does not start afterwards", async () => {
    const { guarded } = await openWatch(() => hangAfter(snapshot));
    const { seen, ended } = read(guarded);
    const failing = expect(ended).rejects.toMatchObject({ code: "SCALER_DISPOSED" });
    await vi.waitFor(() => expect(seen).toHaveLength(1));
    await guarded[Symbol.asyncDispose]();
    await failing;
    await expect(read(guarded).ended).rejects.toMatchObject({ code: "SCALER_DISPOSED" });
  });

  it("does not lose an end that comes between two reads", async () => {
    const { guarded } = await openWatch(() => hangAfter(snapshot));
    const changes = guarded.watchResources!()[Symbol.asyncIterator]();
    await changes.next();
    await guarded[Symbol.asyncDispose]();
    await expect(changes.next()).rejects.toMatchObject({ code: "SCALER_DISPOSED" });
  });

  it("tells the plugin when its reader leaves the loop", async () => {
    let inner: AbortSignal | undefined;
    const returned = vi.fn();
    const { guarded } = await openWatch(async function* (options) {
      inner = options?.signal;
      try {
        yield* [snapshot, set];
      } finally {
        returned();
      }
    });
    for await (const change of guarded.watchResources!()) {
      expect(change).toBe(snapshot);
      break;
    }
    expect(inner?.aborted).toBe(true);
    await vi.waitFor(() => expect(returned).toHaveBeenCalledOnce());
  });

  it.each<[string, Watch, object]>([
    [
      "a ScalerError",
      async function* () {
        yield snapshot;
        throw new ScalerError("SCALER_FORBIDDEN", "no");
      },
      { code: "SCALER_FORBIDDEN" },
    ],
    [
      "another error",
      async function* () {
        yield snapshot;
        throw new Error("socket hang up");
      },
      { code: "SCALER_INTERNAL", message: 'watchResources of scaler "local" failed: socket hang up' },
    ],
    [
      "an error before it has an iterator",
      () => {
        throw new Error("no");
      },
      { code: "SCALER_INTERNAL" },
    ],
    ["what is no iterable", () => ({}) as never, { code: "SCALER_INTERNAL" }],
    [
      "a change before the snapshot",
      async function* () {
        yield set;
      },
      { code: "SCALER_INTERNAL", message: 'watchResources of scaler "local" began with "set", not with a snapshot' },
    ],
    [
      "a change of no known kind",
      async function* () {
        yield snapshot;
        yield { kind: "moved" } as never;
      },
      {
        message:
          'watchResources of scaler "local" answered outside the contract: kind must be "snapshot", "set" or "gone", not "moved"',
      },
    ],
    [
      "no change at all",
      async function* () {
        yield undefined as never;
      },
      {
        message:
          'watchResources of scaler "local" answered outside the contract: the answer must be an object, not undefined',
      },
    ],
    [
      "a broken resource",
      async function* () {
        yield snapshot;
        yield { kind: "set", resource: { ...someResource, desired: -1 } };
      },
      {
        message:
          'watchResources of scaler "local" answered outside the contract: resource.desired must be a whole number of at least 0, not -1',
      },
    ],
    [
      "a broken ref",
      async function* () {
        yield snapshot;
        yield { kind: "gone", ref: { namespace: "default" } } as never;
      },
      {
        message:
          'watchResources of scaler "local" answered outside the contract: ref.name must be 1 to 253 of A-Z a-z 0-9 . _ : -, not undefined',
      },
    ],
  ])("fails by name where the plugin gives %s", async (_what, watch, error) => {
    const { guarded, clock } = await openWatch(watch);
    await expect(read(guarded).ended).rejects.toMatchObject(error);
    expect(clock.pendingTimers).toBe(0);
  });

  it("lets several readers watch at once", async () => {
    const { guarded } = await openWatch(() => hangAfter(snapshot));
    const [one, two] = [new AbortController(), new AbortController()];
    const first = read(guarded, one.signal);
    const second = read(guarded, two.signal);
    await vi.waitFor(() => expect([first.seen.length, second.seen.length]).toEqual([1, 1]));
    one.abort();
    await first.ended;
    two.abort();
    await second.ended;
  });
});
