import { backoffMs, type Clock, type Logger, type Milliseconds, type ResourceFailure } from "@dormouse/core";
import { type ContainerGroup, membersOf, numberOf } from "./container-group.ts";
import { isPaused } from "./container-state.ts";
import { toContainerSpec } from "./container-spec.ts";
import type { DockerApi } from "./docker-api.ts";
import type { InspectedContainer } from "./docker-answers.ts";
import { isConflict, isLost, isMissing, toStartFailure } from "./docker-error.ts";
import { composeLabels, ownerLabels } from "./docker-labels.ts";
import type { ContainerAction } from "./plan-actions.ts";

/** What is done to a container. */
export type ActionKind = ContainerAction["kind"];

/** What the work needs of the scaler. */
export interface WorkTools {
  readonly api: DockerApi;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Upper limit of a container's own stop timeout. */
  readonly longestStopMs: Milliseconds;
  /** Aborts when the scaler is closed. */
  readonly signal: AbortSignal;
  /** Counts readings and changes in one row, so that they can be put in order. */
  nextNumber(): number;
  onChange(): void;
}

/** What the work asks and tells the resource that it is done for. */
export interface WorkHost {
  isWanted(id: string): boolean;
  /** Replicas that are wanted and have no container yet. */
  missing(): number;
  wakeReplicas(): number;
  /** A container was made for a missing replica. */
  adopt(id: string): void;
  /** A container is gone by our hand; another one may have taken its place. */
  replace(id: string, by: string | undefined): void;
  /** It does not run any more. */
  rested(id: string): void;
  /** Reads the group anew and begins what it needs now. */
  follow(): Promise<void>;
}

const retry = { firstMs: 100, longestMs: 5_000 };

/** Tries of one call that was lost on its way, or of a stop that failed, and of reading anew. */
const mostTries = 8;

/** Names that may be taken already, one after the other. */
const mostNames = 20;

/** Docker's own default of a container's stop timeout. */
const defaultStopSeconds = 10;

/** Does one thing at a time to each container of a resource, and remembers what failed. */
export class ContainerWork {
  readonly #tools: WorkTools;
  readonly #host: WorkHost;
  readonly #running = new Map<string, { readonly kind: ActionKind; readonly done: Promise<void> }>();
  readonly #making = new Set<Promise<void>>();
  /** When something was last begun or ended on a container. */
  readonly #touched = new Map<string, number>();
  readonly #failures = new Map<string, ResourceFailure>();
  readonly #tries = new Map<string, number>();
  /** How often each was paused here: every time is the end of a run. */
  readonly #pauses = new Map<string, number>();
  #createFailure: ResourceFailure | undefined;
  #following: Promise<void> | undefined;
  #isFollowAsked = false;

  constructor(tools: WorkTools, host: WorkHost) {
    this.#tools = tools;
    this.#host = host;
  }

  get isIdle(): boolean {
    return this.#running.size === 0 && this.#making.size === 0 && this.#following === undefined;
  }

  /** Why a missing replica could not be made, until the next count. */
  get createFailure(): ResourceFailure | undefined {
    return this.#createFailure;
  }

  /** What is being done to a container now. */
  kindOf(id: string): ActionKind | undefined {
    return this.#running.get(id)?.kind;
  }

  /** Why its last start failed. */
  failureOf(id: string): ResourceFailure | undefined {
    return this.#failures.get(id);
  }

  /** Nothing is being done to it, nor was since the reading began. */
  isQuiet(id: string, reading: number): boolean {
    return !this.#running.has(id) && this.isFresh(id, reading);
  }

  /** Nothing was begun or ended on it since the reading began. */
  isFresh(id: string, reading: number): boolean {
    return (this.#touched.get(id) ?? 0) <= reading;
  }

  /** What tells a run apart from the one before a pause. */
  runSuffix(id: string): string {
    const pauses = this.#pauses.get(id) ?? 0;
    return pauses === 0 ? "" : `.${String(pauses)}`;
  }

  /** It was seen to run. */
  succeeded(id: string): void {
    this.#failures.delete(id);
    this.#tries.delete(id);
  }

  /** It is gone. */
  forget(id: string): void {
    for (const each of [this.#touched, this.#failures, this.#tries, this.#pauses]) each.delete(id);
  }

  forgetFailures(): void {
    this.#failures.clear();
    this.#tries.clear();
    this.#createFailure = undefined;
  }

  /** Begins something, unless something is being done already: its end looks again. */
  begin(kind: ActionKind, container: InspectedContainer, group: ContainerGroup, reading: number): void {
    const { Id: id, Name: name } = container;
    if (this.#running.has(id)) return;
    if (!this.isFresh(id, reading)) return this.#askToFollow();
    // A start that failed for a reason of its own is tried again by the next count.
    if ((kind === "start" || kind === "unpause") && this.#failures.has(id)) return;
    this.#run(id, name, kind, () => this.#act(kind, container, group));
  }

  /** Makes and starts the replicas that are missing. */
  createMissing(group: ContainerGroup, plan: { readonly refusal?: ResourceFailure }): void {
    const [template] = group.originals;
    if (template === undefined || plan.refusal !== undefined || this.#createFailure !== undefined) return;
    const taken = new Set(membersOf(group).flatMap((each) => [each.Name, String(numberOf(each))]));
    for (let count = this.#host.missing() - this.#making.size; count > 0; count -= 1) {
      const made = this.#make(template, taken).finally(() => {
        this.#making.delete(made);
        this.#tools.onChange();
      });
      this.#making.add(made);
    }
  }

  /** Resolves once nothing is under way. Never rejects. */
  async settled(): Promise<void> {
    while (!this.isIdle) {
      await Promise.all([...[...this.#running.values()].map(({ done }) => done), ...this.#making, this.#following]);
    }
  }

  #run(id: string, name: string, kind: ActionKind, act: () => Promise<void>): void {
    this.#touch(id);
    const done = this.#settle(id, name, kind, act);
    this.#running.set(id, { kind, done });
  }

  async #settle(id: string, name: string, kind: ActionKind, act: () => Promise<void>): Promise<void> {
    // Not in the step that begins it, so that the wish is whole before anything can fail.
    await Promise.resolve();
    let outcome: unknown;
    try {
      await act();
    } catch (error) {
      outcome = error;
    }
    this.#running.delete(id);
    if (outcome === undefined && (kind === "remove" || kind === "remake")) this.forget(id);
    else this.#touch(id);
    if (outcome === undefined) this.#onDone(id, kind);
    else await this.#onFailed(id, name, kind, outcome);
    this.#tools.onChange();
  }

  async #act(kind: ActionKind, container: InspectedContainer, group: ContainerGroup): Promise<void> {
    const { api, longestStopMs, signal } = this.#tools;
    const { Id: id, Config } = container;
    switch (kind) {
      case "start":
        return api.start(id, signal);
      case "unpause":
        return api.unpause(id, signal);
      case "stop": {
        const ownMs = Math.max(0, Config.StopTimeout ?? defaultStopSeconds) * 1_000;
        // Engines on cgroup v1 hang for ever on a stop of what is frozen.
        if (isPaused(container)) await api.unpause(id, signal);
        return api.stop(id, Math.min(ownMs, longestStopMs), signal);
      }
      case "pause":
        await api.pause(id, signal);
        this.#pauses.set(id, (this.#pauses.get(id) ?? 0) + 1);
        return;
      case "remove":
        await api.remove(id, signal);
        return this.#host.replace(id, undefined);
      case "remake":
        return this.#remake(container, group);
    }
  }

  #onDone(id: string, kind: ActionKind): void {
    this.#failures.delete(id);
    this.#tries.delete(id);
    if ((kind === "stop" || kind === "pause") && !this.#host.isWanted(id)) this.#host.rested(id);
    const isStarted = kind === "start" || kind === "unpause";
    if (!isStarted || !this.#host.isWanted(id)) this.#askToFollow();
  }

  async #onFailed(id: string, name: string, kind: ActionKind, error: unknown): Promise<void> {
    const { signal, logger } = this.#tools;
    if (signal.aborted) return;
    logger.warn({ container: name, action: kind, error: String(error) }, "an action on a container failed");
    if (isMissing(error)) return this.#askToFollow();
    const isStart = kind === "start" || kind === "unpause";
    const tries = (this.#tries.get(id) ?? 0) + 1;
    this.#tries.set(id, tries);
    if (tries < mostTries && (isLost(error) || kind === "stop" || kind === "pause")) {
      await this.#rest(tries);
      return this.#askToFollow();
    }
    if (isStart) this.#failures.set(id, toStartFailure(error));
  }

  async #make(template: InspectedContainer, taken: Set<string>): Promise<void> {
    const { api, signal, logger } = this.#tools;
    try {
      const image = await this.#imageOf(template);
      const { id, name } = await this.#createFree(template, image, taken, (spec) => api.create(spec, signal));
      if (this.#host.missing() === 0) return this.#askToFollow();
      this.#host.adopt(id);
      this.#run(id, name, "start", () => api.start(id, signal));
    } catch (error) {
      if (signal.aborted) return;
      logger.warn({ container: template.Name, error: String(error) }, "a replica could not be made");
      this.#createFailure = toStartFailure(error);
    }
  }

  /** By the first number whose name nobody has. */
  async #createFree(
    template: InspectedContainer,
    image: string,
    taken: Set<string>,
    create: (spec: ReturnType<typeof toContainerSpec>) => Promise<string>,
  ): Promise<{ readonly id: string; readonly name: string }> {
    for (let tries = 1, number = 2; ; number += 1) {
      const { [composeLabels.project]: project, [composeLabels.service]: service } = template.Config.Labels;
      const isOfCompose = project !== undefined && service !== undefined;
      const name = isOfCompose ? `${project}-${service}-${String(number)}` : `${template.Name}-${String(number)}`;
      if (taken.has(name) || (isOfCompose && taken.has(String(number)))) continue;
      taken.add(name);
      const labels = {
        ...this.#labelsOf(template),
        ...(isOfCompose && { [composeLabels.number]: String(number) }),
        [ownerLabels.replicaOf]: template.Id,
      };
      try {
        return { id: await create(toContainerSpec(template, { name, image, labels, isReplica: true })), name };
      } catch (error) {
        if (!isConflict(error) || tries === mostNames) throw error;
        tries += 1;
      }
    }
  }

  /** A container that never ran takes the place of one that has ended. At every moment there is one of both. */
  async #remake(container: InspectedContainer, { successors }: ContainerGroup): Promise<void> {
    const { api, signal } = this.#tools;
    const { Id: id, Name: name } = container;
    const made = successors.find(({ Config }) => Config.Labels[ownerLabels.remadeFrom] === id)?.Id;
    const labels = {
      ...this.#labelsOf(container),
      [ownerLabels.remadeFrom]: id,
      [ownerLabels.wakeReplicas]: String(this.#host.wakeReplicas()),
    };
    const image = await this.#imageOf(container);
    const spec = toContainerSpec(container, { name: `${name}-remade`, image, labels, isReplica: false });
    const next = made ?? (await api.create(spec, signal));
    await api.remove(id, signal);
    this.#touch(next);
    this.#host.replace(id, next);
    await api.rename(next, name, signal);
    this.#touch(next);
  }

  #labelsOf({ Name, Config: { Labels } }: InspectedContainer): Record<string, string> {
    return { ...Labels, [ownerLabels.resource]: Labels[ownerLabels.resource] ?? Name };
  }

  /** The name of its image as long as that means the same image; its id otherwise. */
  async #imageOf({ Image, Config }: InspectedContainer): Promise<string> {
    const { api, signal } = this.#tools;
    return (await api.imageId(Config.Image, signal)) === Image ? Config.Image : Image;
  }

  #askToFollow(): void {
    this.#isFollowAsked = true;
    this.#following ??= this.#follow().finally(() => (this.#following = undefined));
  }

  async #follow(): Promise<void> {
    for (let tries = 0; this.#isFollowAsked && !this.#tools.signal.aborted;) {
      this.#isFollowAsked = false;
      try {
        await this.#host.follow();
        tries = 0;
      } catch (error) {
        tries += 1;
        this.#tools.logger.warn({ error: String(error) }, "containers could not be read anew");
        if (tries === mostTries) return;
        this.#isFollowAsked = true;
        await this.#rest(tries);
      }
    }
  }

  async #rest(tries: number): Promise<void> {
    const { clock, signal } = this.#tools;
    await clock.sleep(backoffMs(tries, retry), signal).catch(() => {});
  }

  #touch(id: string): void {
    this.#touched.set(id, this.#tools.nextNumber());
  }
}
