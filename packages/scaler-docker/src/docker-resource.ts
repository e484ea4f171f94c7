import {
  type Clock,
  type LocalRef,
  type Resource,
  type ResourceFailure,
  ScalerError,
  type Target,
} from "@dormouse/core";
import { type Address, addressOf, type Reach } from "./addresses.ts";
import { type ContainerGroup, isOwn, membersOf } from "./container-group.ts";
import { type ActionKind, ContainerWork, type WorkTools } from "./container-work.ts";
import { isPaused, isReady, isRunning, isUp, shapeOf, timeOf } from "./container-state.ts";
import type { InspectedContainer } from "./docker-answers.ts";
import { failureOf, toNoAddressFailure } from "./docker-error.ts";
import { ownerLabels } from "./docker-labels.ts";
import { chooseWanted, planActions } from "./plan-actions.ts";
import type { GroupPlan } from "./plan-group.ts";

/** What a resource needs of its scaler. */
export interface ResourceTools extends WorkTools {
  readonly clock: Clock;
  readonly mostReplicas: number;
  readonly reach: Omit<Reach, "network">;
  /** A version that was never given before. */
  nextVersion(): string;
  /** Reads the group anew and has it observed. */
  read(): Promise<Seen | undefined>;
  /** Something about it changed here. */
  onChange(): void;
}

/** A group as it was read, and what its labels say. */
export interface Seen {
  readonly group: ContainerGroup;
  readonly plan: GroupPlan;
  /** Number of the reading, which began before the first answer. */
  readonly reading: number;
}

/** Work that ends a container, or is about to. */
const endings: readonly ActionKind[] = ["stop", "pause", "remove", "remake"];

/**
 * What is wanted of one resource. The engine knows of no wanted count, so it is kept here: it begins as what runs when the
 * resource is first seen, and moves with `setScale` and with whatever others do to its containers.
 */
export class DockerResource {
  readonly ref: LocalRef;
  readonly #tools: ResourceTools;
  readonly #work: ContainerWork;
  /** What each container was like when it was last seen at rest. */
  readonly #shapes = new Map<string, string>();
  /** Containers that are not wanted and were seen, or made, to rest: whoever starts one is somebody else. */
  readonly #resting = new Set<string>();
  /** When somebody last stopped a container, in the engine's epoch ms. */
  readonly #stops = new Map<string, number>();
  #wanted = new Set<string>();
  #desired = 0;
  #wakeReplicas = 1;
  #version: string;
  #createdAt = 0;
  #updatedAt = 0;
  #lastReading = 0;
  #lastSeen: Seen;

  constructor(ref: LocalRef, seen: Seen, tools: ResourceTools) {
    this.ref = ref;
    this.#tools = tools;
    this.#lastSeen = seen;
    this.#version = tools.nextVersion();
    this.#work = new ContainerWork(tools, {
      isWanted: (id) => this.#wanted.has(id),
      missing: () => Math.max(0, this.#desired - this.#wanted.size),
      wakeReplicas: () => this.#wakeReplicas,
      adopt: (id) => this.#wanted.add(id),
      replace: (id, by) => this.#replace(id, by),
      rested: (id) => void this.#resting.add(id),
      follow: () => this.#follow(),
    });
    this.#adopt(seen);
  }

  /** Nothing is under way, so that it may be forgotten. */
  get isIdle(): boolean {
    return this.#work.isIdle;
  }

  /** All of it as it was last read. */
  get lastSeen(): Seen {
    return this.#lastSeen;
  }

  /** Ids of its containers when they were last seen. */
  get ids(): readonly string[] {
    return [...new Set([...this.#shapes.keys(), ...this.#wanted])];
  }

  /** Takes in what others have done to its containers since. */
  observe(seen: Seen): void {
    const { group, reading } = seen;
    // What is known of a part of it, or was read before something newer, says nothing of the whole.
    if (group.isPartial || reading < this.#lastReading) return;
    this.#lastReading = reading;
    this.#lastSeen = seen;
    const before = this.#desired;
    const moves = [...this.#seeVanished(group, reading), ...this.#seeMembers(group, reading)];
    if (!moves.includes(true)) return;
    this.#version = this.#tools.nextVersion();
    this.#updatedAt = this.#now();
    if (this.#desired > 0 && this.#desired !== before) this.#wakeReplicas = this.#desired;
  }

  /** Somebody stopped a container; known by the engine's event alone, since a crash looks the same afterwards. */
  noteStop(id: string, at: number): void {
    if (this.#shapes.has(id)) this.#stops.set(id, at);
  }

  /** Takes a count. What has to be done for it goes on behind the call. */
  setScale(replicas: number, seen: Seen): string {
    this.#refuseTooMany(replicas);
    if (replicas !== this.#desired) this.#updatedAt = this.#now();
    if (replicas > 0) this.#wakeReplicas = replicas;
    this.#desired = replicas;
    this.#wanted = chooseWanted(seen.group, this.#wanted, replicas);
    for (const id of this.#wanted) this.#resting.delete(id);
    this.#version = this.#tools.nextVersion();
    this.#work.forgetFailures();
    this.#launch(seen);
    this.#tools.onChange();
    return this.#version;
  }

  /** What the contract says of it. */
  toResource({ group, plan }: Seen): Resource {
    const ready = this.#ready(group, plan);
    const failure = this.#desired > 0 && ready === 0 ? this.#failure(group, plan) : undefined;
    return {
      ref: this.ref,
      desired: this.#desired,
      ready,
      wakeReplicas: this.#wakeReplicas,
      version: this.#version,
      ...(failure !== undefined && { failure }),
      ...(plan.refusal !== undefined && { refusal: plan.refusal }),
      ports: plan.ports,
      policy: plan.policy,
      createdAt: this.#createdAt,
      updatedAt: Math.max(this.#createdAt, this.#updatedAt),
    };
  }

  /** Running containers that nothing accepted so far ends. @throws ScalerError `SCALER_BAD_ARGUMENT` for an unknown port */
  targets({ group, plan, reading }: Seen, portName: string | undefined): readonly Target[] {
    const port = portName === undefined ? plan.ports[0] : plan.ports.find(({ name }) => name === portName);
    if (port === undefined) {
      const names = plan.ports.map(({ name }) => name).join(", ");
      throw new ScalerError(
        "SCALER_BAD_ARGUMENT",
        `${this.ref.name} has no port "${String(portName)}": it has ${names}`,
      );
    }
    return this.#serving(group, reading).flatMap((container) => {
      if (!isReady(container) && plan.policy.readiness === undefined) return [];
      const address = this.#addressOf(container, port.number, plan);
      const id = `${container.Id}.${container.State.StartedAt}${this.#work.runSuffix(container.Id)}`;
      return "missing" in address ? [] : [{ id, ...address, ready: isReady(container) }];
    });
  }

  /** Resolves once nothing is under way any more. Never rejects. */
  async settled(): Promise<void> {
    await this.#work.settled();
  }

  #adopt({ group, plan, reading }: Seen): void {
    const members = membersOf(group);
    const up = members.filter(isUp);
    for (const container of members) {
      this.#shapes.set(container.Id, shapeOf(container));
      if (!isUp(container)) this.#resting.add(container.Id);
    }
    this.#wanted = new Set(up.map(({ Id }) => Id));
    this.#desired = up.length;
    const kept = Number(group.labels[ownerLabels.wakeReplicas] ?? 0);
    const asleep =
      plan.sleepBy === "remove" && Number.isSafeInteger(kept) ? Math.max(kept, members.length) : members.length;
    this.#wakeReplicas = Math.min(this.#tools.mostReplicas, Math.max(1, up.length > 0 ? up.length : asleep));
    const made = group.originals.map(({ Created }) => timeOf(Created)).filter((time) => time > 0);
    this.#createdAt = made.length > 0 ? Math.min(...made) : this.#tools.clock.now();
    const times = members.flatMap(({ State }) => [timeOf(State.StartedAt), timeOf(State.FinishedAt)]);
    this.#updatedAt = Math.max(this.#createdAt, ...times);
    this.#lastReading = reading;
  }

  /** Whether something that was seen is gone by another's hand, for each. */
  #seeVanished(group: ContainerGroup, reading: number): readonly boolean[] {
    const present = new Set(membersOf(group).map(({ Id }) => Id));
    return this.ids.map((id) => {
      if (present.has(id) || !this.#work.isQuiet(id, reading)) return false;
      this.#forget(id);
      if (this.#wanted.delete(id)) this.#desired -= 1;
      return true;
    });
  }

  /** Whether somebody else has changed, started or stopped a container, for each. */
  #seeMembers(group: ContainerGroup, reading: number): readonly boolean[] {
    return membersOf(group).map((container) => {
      if (!this.#work.isQuiet(container.Id, reading)) return false;
      const isNew = !this.#shapes.has(container.Id);
      return [this.#seeShape(container), this.#seeRun(container, isNew)].includes(true);
    });
  }

  #seeShape(container: InspectedContainer): boolean {
    const known = this.#shapes.get(container.Id);
    const shape = shapeOf(container);
    this.#shapes.set(container.Id, shape);
    return known === undefined ? !isOwn(container) : known !== shape;
  }

  #seeRun(container: InspectedContainer, isNew: boolean): boolean {
    const { Id } = container;
    if (this.#wanted.has(Id)) {
      if (isUp(container)) this.#work.succeeded(Id);
      else if (isPaused(container) || this.#wasStopped(container)) {
        this.#wanted.delete(Id);
        this.#desired = Math.max(0, this.#desired - 1);
        return true;
      }
    } else if (!isUp(container)) {
      this.#resting.add(Id);
    } else if ((isNew && !isOwn(container)) || this.#resting.delete(Id)) {
      this.#wanted.add(Id);
      this.#desired = Math.max(this.#desired + 1, this.#wanted.size);
      return true;
    }
    return false;
  }

  #wasStopped({ Id, State }: InspectedContainer): boolean {
    const stoppedAt = this.#stops.get(Id);
    if (stoppedAt === undefined || State.Status !== "exited" || this.#work.failureOf(Id) !== undefined) return false;
    return stoppedAt >= timeOf(State.FinishedAt);
  }

  #forget(id: string): void {
    this.#shapes.delete(id);
    this.#stops.delete(id);
    this.#resting.delete(id);
    this.#work.forget(id);
  }

  #replace(id: string, by: string | undefined): void {
    this.#forget(id);
    // What was read before this would bring it back.
    this.#lastReading = this.#tools.nextNumber();
    if (by !== undefined) this.#resting.add(by);
    if (this.#wanted.delete(id) && by !== undefined) this.#wanted.add(by);
  }

  async #follow(): Promise<void> {
    const seen = await this.#tools.read();
    if (seen !== undefined) this.#launch(seen);
  }

  #launch({ group, plan, reading }: Seen): void {
    if (group.isPartial) return;
    const wish = { desired: this.#desired, wanted: this.#wanted, sleepBy: plan.sleepBy };
    for (const { kind, container } of planActions(group, wish)) {
      if (kind === "start") this.#stops.delete(container.Id);
      this.#work.begin(kind, container, group, reading);
    }
    this.#work.createMissing(group, plan);
  }

  #refuseTooMany(replicas: number): void {
    const { mostReplicas } = this.#tools;
    if (replicas <= mostReplicas || replicas <= this.#desired) return;
    const message = `${String(replicas)} replicas of ${this.ref.name} are more than mostReplicas, ${String(mostReplicas)}`;
    throw new ScalerError("SCALER_BAD_ARGUMENT", message);
  }

  /** Wanted containers that run, and whose end has not begun. */
  #serving(group: ContainerGroup, reading: number): readonly InspectedContainer[] {
    if (this.#desired === 0) return [];
    return membersOf(group).filter((container) => {
      if (!this.#wanted.has(container.Id) || !isRunning(container)) return false;
      const running = this.#work.kindOf(container.Id);
      // What was read before the last start is of the run before it.
      return (running === undefined || !endings.includes(running)) && this.#work.isFresh(container.Id, reading);
    });
  }

  /** While it goes to sleep, those that still run. */
  #ready(group: ContainerGroup, plan: GroupPlan): number {
    if (this.#desired === 0) return [...membersOf(group), ...group.successors].filter(isRunning).length;
    return membersOf(group).filter((container) => {
      const kind = this.#work.kindOf(container.Id);
      if (!this.#wanted.has(container.Id) || (kind !== undefined && endings.includes(kind))) return false;
      return isReady(container) && "host" in this.#addressOf(container, plan.ports[0]?.number ?? 0, plan);
    }).length;
  }

  #failure(group: ContainerGroup, plan: GroupPlan): ResourceFailure | undefined {
    for (const container of membersOf(group)) {
      if (!this.#wanted.has(container.Id) || this.#work.kindOf(container.Id) !== undefined) continue;
      const failure = this.#work.failureOf(container.Id) ?? failureOf(container);
      if (failure !== undefined) return failure;
    }
    return this.#work.createFailure ?? this.#reachFailure(group, plan);
  }

  #reachFailure(group: ContainerGroup, plan: GroupPlan): ResourceFailure | undefined {
    for (const container of membersOf(group).filter(isRunning)) {
      const address = this.#addressOf(container, plan.ports[0]?.number ?? 0, plan);
      if ("missing" in address) return toNoAddressFailure(container.Name, address.missing);
    }
    return undefined;
  }

  #addressOf(container: InspectedContainer, port: number, { network }: GroupPlan): Address {
    return addressOf(container, port, { ...this.#tools.reach, network });
  }

  #now(): number {
    return this.#tools.clock.now();
  }
}
