import type { ReachedTarget } from "./passage.ts";

/** A reached target and how many requests it has now, which only this changes. */
export class TargetSlot {
  readonly target: ReachedTarget;
  #inFlight = 0;

  constructor(target: ReachedTarget) {
    this.target = target;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  /** One more request. `leave` must follow exactly once. */
  enter(): void {
    this.#inFlight += 1;
  }

  leave(): void {
    this.#inFlight -= 1;
  }
}

/** The reached targets of one resource. */
export class TargetPool {
  readonly #slots = new Map<string, TargetSlot>();

  get size(): number {
    return this.#slots.size;
  }

  has(id: string): boolean {
    return this.#slots.has(id);
  }

  list(): readonly ReachedTarget[] {
    return [...this.#slots.values()].map((slot) => slot.target);
  }

  add(target: ReachedTarget): void {
    if (!this.#slots.has(target.id)) this.#slots.set(target.id, new TargetSlot(target));
  }

  /** Forgets a target; requests that it has go on. Whether it was there. */
  drop(target: ReachedTarget): boolean {
    if (this.#slots.get(target.id)?.target !== target) return false;
    return this.#slots.delete(target.id);
  }

  clear(): readonly ReachedTarget[] {
    const targets = this.list();
    this.#slots.clear();
    return targets;
  }

  /** The target with the fewest requests that has room; ties go round. `maxConcurrency` 0: there is always room. */
  pick(maxConcurrency: number): TargetSlot | undefined {
    let best: TargetSlot | undefined;
    for (const slot of this.#slots.values()) {
      if (maxConcurrency > 0 && slot.inFlight >= maxConcurrency) continue;
      if (best === undefined || slot.inFlight < best.inFlight) best = slot;
    }
    if (best !== undefined && this.#slots.size > 1) this.#toTheBack(best);
    return best;
  }

  #toTheBack(slot: TargetSlot): void {
    this.#slots.delete(slot.target.id);
    this.#slots.set(slot.target.id, slot);
  }
}
