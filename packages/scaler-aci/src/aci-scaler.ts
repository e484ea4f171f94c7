import { randomUUID } from "node:crypto";
import type {
  CallOptions,
  Capabilities,
  LocalRef,
  Resource,
  ResourceChange,
  ResourceScaler,
  ScalerContext,
  SetScaleOptions,
  Target,
} from "@dormouse/core";
import { toCallError, toDisposedError, toNotFoundError } from "./aci-error.ts";
import type { AciOptions } from "./aci-options.ts";
import { type ArmParts, ArmRouter } from "./arm-router.ts";
import type { Group } from "./group.ts";
import { GroupBook } from "./group-book.ts";
import { RefNames, scopesOf } from "./group-id.ts";
import { GroupPoller } from "./group-poller.ts";
import { GroupReader } from "./group-reader.ts";
import { GroupSurvey } from "./group-survey.ts";
import { GroupWriter } from "./group-writer.ts";

/**
 * Container groups of Azure Container Instances, started and stopped and never deleted. The resource manager takes no
 * condition with a start or stop, so that versions count in this process alone and `compareAndSet` is false.
 */
export class AciScaler implements ResourceScaler {
  readonly capabilities: Capabilities;
  readonly #arm: ArmRouter;
  readonly #names: RefNames;
  readonly #book: GroupBook;
  readonly #reader: GroupReader;
  readonly #survey: GroupSurvey;
  readonly #poller: GroupPoller;
  readonly #writer: GroupWriter;
  readonly #life = new AbortController();

  private constructor(options: AciOptions, { id, clock, logger, defaults }: ScalerContext, arm: ArmRouter) {
    const instance = randomUUID().slice(0, 8);
    let moments = 0;
    const nextOrder = (): number => (moments += 1);
    this.capabilities = {
      replicas: "one",
      watch: true,
      routing: false,
      compareAndSet: false,
      settleWithinMs: options.settleWithin,
    };
    this.#arm = arm;
    this.#names = new RefNames(options.subscriptions);
    this.#book = new GroupBook({
      scaler: id,
      names: this.#names,
      clock,
      logger,
      defaults,
      settleWithinMs: options.settleWithin,
      nextVersion: () => `${instance}.${nextOrder()}`,
      nextOrder,
    });
    const shared = { arm, book: this.#book, clock, logger, nextOrder };
    this.#reader = new GroupReader({ ...shared, paceMs: options.poll.waking });
    this.#survey = new GroupSurvey({ ...shared, reader: this.#reader, scopes: scopesOf(options.subscriptions) });
    this.#writer = new GroupWriter({ ...shared, reader: this.#reader, transitioning: options.transitioning });
    this.#poller = new GroupPoller({ ...shared, reader: this.#reader, survey: this.#survey, poll: options.poll });
    this.#book.onChange = () => this.#poller.poke();
  }

  /** Opens a scaler; nothing is sent yet. Rejects with `SCALER_BAD_OPTIONS` where a file of the options cannot be read. */
  static async open(options: AciOptions, context: ScalerContext, parts: ArmParts = {}): Promise<AciScaler> {
    return new AciScaler(options, context, await ArmRouter.open(options, context.clock, parts));
  }

  async listResources({ signal }: CallOptions = {}): Promise<readonly Resource[]> {
    return this.#run("listResources", signal, async (either) => {
      await this.#survey.run({ read: "all", isUrgent: true, signal: either });
      return this.#book.list();
    });
  }

  async getResource(ref: LocalRef, { signal }: CallOptions = {}): Promise<Resource | undefined> {
    return this.#run("getResource", signal, async (either) => (await this.#read(ref, "now", either))?.toResource());
  }

  async *watchResources({ signal }: CallOptions = {}): AsyncGenerator<ResourceChange> {
    const either = this.#either(signal);
    if (either.aborted) throw toCallError(either.reason, "watchResources", either);
    this.#poller.start(this.#life.signal);
    try {
      await this.#poller.whenComplete(either);
    } catch (error) {
      throw toCallError(error, "watchResources", either);
    }
    yield* this.#book.feed.watch(() => this.#book.list(), either);
  }

  async setScale(
    ref: LocalRef,
    replicas: number,
    { signal }: SetScaleOptions = {},
  ): Promise<{ readonly version: string }> {
    return this.#run("setScale", signal, async (either) => {
      const group = await this.#find(ref, either);
      return { version: await this.#writer.write(group, replicas === 0 ? 0 : 1, either) };
    });
  }

  async resolveTargets(
    ref: LocalRef,
    port: string | undefined,
    { signal }: CallOptions = {},
  ): Promise<readonly Target[]> {
    return this.#run("resolveTargets", signal, async (either) => {
      const group = await this.#read(ref, "paced", either);
      if (group === undefined) throw toNotFoundError(ref);
      return group.targets(port);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#life.abort(toDisposedError());
    this.#book[Symbol.dispose]();
    await this.#poller.whenEnded();
    this.#arm[Symbol.dispose]();
  }

  async #read(ref: LocalRef, when: "now" | "paced", signal: AbortSignal): Promise<Group | undefined> {
    const id = this.#names.toGroupId(ref);
    return id === undefined ? undefined : this.#reader.read(id, { when, isUrgent: true, signal });
  }

  /** A group that was read before is known to be ours; any other one is read first. */
  async #find(ref: LocalRef, signal: AbortSignal): Promise<Group> {
    const id = this.#names.toGroupId(ref);
    const group = (id === undefined ? undefined : this.#book.get(id)) ?? (await this.#read(ref, "now", signal));
    if (group === undefined) throw toNotFoundError(ref);
    return group;
  }

  async #run<Answer>(
    call: string,
    signal: AbortSignal | undefined,
    work: (signal: AbortSignal) => Promise<Answer>,
  ): Promise<Answer> {
    const either = this.#either(signal);
    try {
      either.throwIfAborted();
      return await work(either);
    } catch (error) {
      throw toCallError(error, call, either);
    }
  }

  #either(signal: AbortSignal | undefined): AbortSignal {
    return signal === undefined ? this.#life.signal : AbortSignal.any([signal, this.#life.signal]);
  }
}
