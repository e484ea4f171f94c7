import { randomUUID } from "node:crypto";
import {
  type CallOptions,
  type Capabilities,
  type ErrorCode,
  isScalerError,
  type LocalRef,
  type Resource,
  type ResourceChange,
  type ResourceFailure,
  type ResourceScaler,
  type ScalerContext,
  ScalerError,
  type SetScaleOptions,
  type Target,
} from "@dormouse/core";
import { groupListed, keyOf, type ListedGroup, refOf, toGroup } from "./container-group.ts";
import { DockerApi } from "./docker-api.ts";
import type { EngineEvent, InspectedContainer, ListedContainer } from "./docker-answers.ts";
import { toAbortedError, toNotFoundError, toRefusal } from "./docker-error.ts";
import type { DockerOptions } from "./docker-options.ts";
import { DockerResource, type Seen } from "./docker-resource.ts";
import { planGroup } from "./plan-group.ts";
import { watchEngine } from "./watch-engine.ts";

/** What a stop takes beyond its timeout until the engine has carried it out, in ms. */
const stopMarginMs = 2_000;

/** How long closing waits for what is being started or made, in ms. */
const closeWithinMs = 5_000;

/** How long the engine may take to tell of one container, and what is then a matter of that resource alone. */
interface Patience {
  readonly afterMs: number;
  readonly codes: readonly ErrorCode[];
}

const patience: Readonly<Record<"own" | "others" | "strangers", Patience>> = {
  /** For whoever asks for this one. */
  own: { afterMs: 9_000, codes: ["SCALER_INTERNAL"] },
  /** For whoever asks for all, who must not wait for one that hangs. */
  others: { afterMs: 2_000, codes: ["SCALER_INTERNAL", "SCALER_TIMEOUT"] },
  /** The same for one of which nothing is known yet. */
  strangers: { afterMs: 6_000, codes: ["SCALER_INTERNAL", "SCALER_TIMEOUT"] },
};

/** A resource and what was read of it. */
interface Known {
  readonly resource: DockerResource;
  readonly seen: Seen;
}

/**
 * Containers of a Docker Engine. The engine keeps no wanted count and compares nothing, so counts and versions live here,
 * in memory; what others do to the containers is found out with each reading and moves them.
 */
export class DockerScaler implements ResourceScaler {
  readonly capabilities: Capabilities;
  readonly #options: DockerOptions;
  readonly #context: ScalerContext;
  readonly #api: DockerApi;
  readonly #resources = new Map<string, DockerResource>();
  readonly #watchers = new Set<(ref: LocalRef) => void>();
  readonly #closed = new AbortController();
  /** Never that of another instance, so that no version comes back. */
  readonly #instance = randomUUID().slice(0, 8);
  #numbers = 0;
  #unreadable = 0;
  #disposal: Promise<void> | undefined;

  private constructor(options: DockerOptions, context: ScalerContext, api: DockerApi) {
    this.#options = options;
    this.#context = context;
    this.#api = api;
    this.capabilities = {
      replicas: "many",
      watch: true,
      routing: false,
      compareAndSet: false,
      settleWithinMs: options.longestStop + stopMarginMs,
    };
  }

  /** Opens a scaler; nothing is sent yet. Rejects with `SCALER_BAD_OPTIONS` where a key or certificate cannot be read. */
  static async open(options: DockerOptions, context: ScalerContext): Promise<DockerScaler> {
    return new DockerScaler(options, context, await DockerApi.open(options, context.clock));
  }

  async listResources({ signal }: CallOptions = {}): Promise<readonly Resource[]> {
    this.#begin(signal);
    return this.#list(signal);
  }

  async getResource(ref: LocalRef, { signal }: CallOptions = {}): Promise<Resource | undefined> {
    this.#begin(signal);
    return toListed(await this.#readOne(ref, signal));
  }

  async *watchResources({ signal }: CallOptions = {}): AsyncGenerator<ResourceChange> {
    this.#begin(signal);
    const ends = signal === undefined ? this.#closed.signal : AbortSignal.any([signal, this.#closed.signal]);
    yield* watchEngine(
      {
        open: (aborts) => this.#api.events(aborts),
        refsOf: (event) => this.#refsOf(event),
        list: (aborts) => this.#list(aborts),
        get: async (ref, aborts) => toListed(await this.#readOne(ref, aborts, patience.others)),
        watchers: this.#watchers,
      },
      ends,
    );
  }

  async setScale(
    ref: LocalRef,
    replicas: number,
    { signal }: SetScaleOptions = {},
  ): Promise<{ readonly version: string }> {
    this.#begin(signal);
    const known = await this.#readOne(ref, signal);
    this.#begin(signal);
    if (toListed(known) === undefined || known === undefined) throw toNotFoundError(ref);
    return { version: known.resource.setScale(replicas, known.seen) };
  }

  async resolveTargets(
    ref: LocalRef,
    port: string | undefined,
    { signal }: CallOptions = {},
  ): Promise<readonly Target[]> {
    this.#begin(signal);
    const known = (await this.#readKnown(ref, signal)) ?? (await this.#readOne(ref, signal));
    if (toListed(known) === undefined || known === undefined) throw toNotFoundError(ref);
    return known.resource.targets(known.seen, port);
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#disposal ??= this.#dispose();
    return this.#disposal;
  }

  /** The engine goes on with what it has accepted; nothing more is sent. */
  async #dispose(): Promise<void> {
    const { clock } = this.#context;
    this.#closed.abort(new ScalerError("SCALER_DISPOSED", "the scaler has been closed"));
    const settled = Promise.all([...this.#resources.values()].map((resource) => resource.settled()));
    const abort = new AbortController();
    await Promise.race([settled, clock.sleep(closeWithinMs, abort.signal).catch(() => {})]);
    abort.abort();
    this.#api[Symbol.dispose]();
  }

  #begin(signal: AbortSignal | undefined): void {
    if (this.#closed.signal.aborted) throw new ScalerError("SCALER_DISPOSED", "the scaler has been closed");
    if (signal?.aborted === true) throw toAbortedError(signal);
  }

  async #list(signal: AbortSignal | undefined): Promise<readonly Resource[]> {
    const reading = this.#nextNumber();
    const groups = await this.#listGroups(signal);
    const all = await Promise.all(
      [...groups].map(([key, group]) =>
        this.#readGroup(group, reading, signal, this.#resources.has(key) ? patience.others : patience.strangers),
      ),
    );
    for (const key of this.#resources.keys()) if (!groups.has(key)) this.#forget(key);
    return all.flatMap((known) => toListed(known) ?? []);
  }

  async #readOne(
    ref: LocalRef,
    signal: AbortSignal | undefined,
    within: Patience = patience.own,
  ): Promise<Known | undefined> {
    const reading = this.#nextNumber();
    const group = (await this.#listGroups(signal)).get(keyOf(ref));
    const known = group === undefined ? undefined : await this.#readGroup(group, reading, signal, within);
    if (known === undefined) this.#forget(keyOf(ref));
    return known;
  }

  /** Without a list, since a wake asks again and again; undefined where a container is not there any more. */
  async #readKnown(ref: LocalRef, signal: AbortSignal | undefined): Promise<Known | undefined> {
    const resource = this.#resources.get(keyOf(ref));
    if (resource === undefined || resource.ids.length === 0) return undefined;
    const members = resource.ids.map((id) => ({ id, name: ref.name, labels: {} }));
    const reading = this.#nextNumber();
    const { read, problems } = await this.#inspectAll(members, signal, patience.own);
    if (problems.length > 0 || read.length < members.length) return undefined;
    const group = toGroup({ ref, members, isAmbiguous: false }, read, []);
    return group === undefined ? undefined : { resource, seen: { group, plan: this.#plan(group), reading } };
  }

  async #listGroups(signal: AbortSignal | undefined): Promise<ReadonlyMap<string, ListedGroup>> {
    const { listed, unreadable } = await this.#api.list(signal);
    if (unreadable !== this.#unreadable && unreadable > 0) {
      this.#context.logger.warn(
        { unreadable },
        "Docker lists containers in a form that is not known: they are left alone",
      );
    }
    this.#unreadable = unreadable;
    return groupListed(listed, this.#options.namespace);
  }

  async #readGroup(
    listed: ListedGroup,
    reading: number,
    signal: AbortSignal | undefined,
    within: Patience,
  ): Promise<Known | undefined> {
    const { read, problems } = await this.#inspectAll(listed.members, signal, within);
    const group = toGroup(listed, read, problems);
    if (group === undefined) return undefined;
    const seen = { group, plan: this.#plan(group), reading };
    const key = keyOf(listed.ref);
    const known = this.#resources.get(key);
    // The engine says nothing of a container while it starts it; a moment ago it did.
    const isLate = problems.some(({ code }) => code === "SCALER_TIMEOUT");
    if (isLate && known !== undefined) return { resource: known, seen: known.lastSeen };
    known?.observe(seen);
    const resource = known ?? this.#open(listed.ref, seen);
    this.#resources.set(key, resource);
    return { resource, seen };
  }

  async #inspectAll(
    members: readonly ListedContainer[],
    signal: AbortSignal | undefined,
    { afterMs, codes }: Patience,
  ): Promise<{ readonly read: readonly InspectedContainer[]; readonly problems: readonly ResourceFailure[] }> {
    const problems: ResourceFailure[] = [];
    const read = await Promise.all(
      members.map(async (member) => {
        try {
          return await this.#api.inspect(member, signal, afterMs);
        } catch (error) {
          // Of this container alone; all else is about the engine or the way to it.
          if (!isScalerError(error) || !codes.includes(error.code)) throw error;
          problems.push(toRefusal(error.message, error.code));
          return undefined;
        }
      }),
    );
    return { read: read.filter((container) => container !== undefined), problems };
  }

  #plan(group: Seen["group"]): Seen["plan"] {
    const { sleepBy, network } = this.#options;
    return planGroup(group, { sleepBy, network, policy: this.#context.defaults });
  }

  #open(ref: LocalRef, seen: Seen): DockerResource {
    const { clock, logger, id: scaler } = this.#context;
    const { reach, hostAddress, endpoint, longestStop, mostReplicas } = this.#options;
    const url = new URL(endpoint);
    const ownAddress = url.protocol === "unix:" ? "127.0.0.1" : url.hostname.replace(/^\[|\]$/g, "");
    return new DockerResource(ref, seen, {
      api: this.#api,
      clock,
      logger: logger.child({ resource: `${scaler}/${keyOf(ref)}` }),
      longestStopMs: longestStop,
      mostReplicas,
      signal: this.#closed.signal,
      reach: { by: reach, hostAddress: hostAddress ?? ownAddress },
      nextNumber: () => this.#nextNumber(),
      nextVersion: () => `${this.#instance}.${String(this.#nextNumber())}`,
      read: async () => (await this.#readOne(ref, this.#closed.signal))?.seen,
      onChange: () => {
        for (const tell of this.#watchers) tell(ref);
      },
    });
  }

  #forget(key: string): void {
    if (this.#resources.get(key)?.isIdle === true) this.#resources.delete(key);
  }

  /** Which resources an event is about, after taking note of it. */
  #refsOf({ Type, Action, Actor, timeNano }: EngineEvent): readonly LocalRef[] {
    const { Attributes } = Actor;
    if (Type === "network") {
      const id = Attributes["container"] ?? "";
      return [...this.#resources.values()].flatMap(({ ids, ref }) => (ids.includes(id) ? [ref] : []));
    }
    const names = [Attributes["name"], Attributes["oldName"]?.replace(/^\//, "")].filter((name) => name !== undefined);
    const refs = names.flatMap((name) => refOf(name, Attributes, this.#options.namespace) ?? []);
    for (const ref of refs) {
      if (Action === "stop") this.#resources.get(keyOf(ref))?.noteStop(Actor.ID, (timeNano ?? 0) / 1_000_000);
    }
    return refs;
  }

  #nextNumber(): number {
    this.#numbers += 1;
    return this.#numbers;
  }
}

/** Resources that ask for nothing are not listed. */
function toListed(known: Known | undefined): Resource | undefined {
  if (known === undefined) return undefined;
  const { policy, refusal } = known.seen.plan;
  return policy.enabled || refusal !== undefined ? known.resource.toResource(known.seen) : undefined;
}
