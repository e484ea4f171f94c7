import { randomUUID } from "node:crypto";
import type { Target } from "@dormouse/core";
import type { ReportedInstance, StatusReading } from "./status-reading.ts";
import type { TargetMemory } from "./target-memory.ts";

/** Instances that were there when a stop was accepted: all but `keep` of them are going to end. */
interface Cut {
  readonly keep: number;
  readonly ids: ReadonlySet<string>;
}

/** Stops whose end has not been seen yet. One more counts together with the one before. */
const mostCuts = 16;

/**
 * Instances that the API reports. Which of them a smaller count ends, the API decides: until no more of those that were
 * there are left than it leaves, none of them is listed. Who was there is told by the first reading after the stop, so that
 * one is made before more are started.
 */
export class ReportedTargets implements TargetMemory {
  readonly #id = randomUUID();
  #instances: readonly ReportedInstance[] = [];
  #serials = new Map<string, number>();
  #starts = 0;
  #lowered: number | undefined;
  #cuts: readonly Cut[] = [];

  get needsReading(): boolean {
    return this.#lowered !== undefined;
  }

  lowered(keep: number): void {
    this.#lowered = Math.min(keep, this.#lowered ?? keep);
  }

  saw({ instances }: StatusReading): void {
    this.#instances = instances;
    this.#number(instances);
    const present = new Set(instances.map(({ id }) => id));
    if (this.#lowered !== undefined) this.#addCut({ keep: this.#lowered, ids: present });
    this.#lowered = undefined;
    this.#cuts = this.#cuts
      .map(({ keep, ids }) => ({ keep, ids: new Set([...ids].filter((id) => present.has(id))) }))
      .filter(({ keep, ids }) => ids.size > keep);
  }

  list(desired: number): readonly Target[] {
    if (desired === 0) return [];
    const staying = this.#instances.filter(({ id }) => !this.#cuts.some(({ ids }) => ids.has(id)));
    return staying.map(({ id, address }) => ({
      id: `${this.#id}/${id}#${String(this.#serials.get(id) ?? 0)}`,
      ...address,
    }));
  }

  #addCut(cut: Cut): void {
    const [first, ...rest] = this.#cuts;
    const isFull = this.#cuts.length >= mostCuts && first !== undefined;
    const kept = isFull ? rest : this.#cuts;
    const ids = isFull ? new Set([...first.ids, ...cut.ids]) : cut.ids;
    this.#cuts = [...kept, { keep: isFull ? Math.min(first.keep, cut.keep) : cut.keep, ids }];
  }

  /** An address that was gone for a while is another instance's. */
  #number(instances: readonly ReportedInstance[]): void {
    const serials = new Map<string, number>();
    for (const { id } of instances) {
      const known = this.#serials.get(id);
      if (known === undefined) this.#starts += 1;
      serials.set(id, known ?? this.#starts);
    }
    this.#serials = serials;
  }
}
