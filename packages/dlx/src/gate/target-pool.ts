import type { ReachedTarget } from "./passage.ts";

/** A further port of a target. It is open until a request could not reach it, and again once it has answered a dial. */
interface SlotPort {
  readonly target: ReachedTarget;
  isOpen: boolean;
}

/** A reached target, where its further ports are, and how many requests it has now, which only this changes. */
export class TargetSlot {
  /** Its main port. */
  readonly target: ReachedTarget;
  readonly #ports = new Map<string, SlotPort>();
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

  /** Where a request for a port goes, the main one where it is left out; undefined: not known, or it does not answer. */
  at(port: string | undefined): ReachedTarget | undefined {
    if (port === undefined) return this.target;
    const known = this.#ports.get(port);
    return known?.isOpen === true ? known.target : undefined;
  }

  /** A further port that a request could not reach; undefined: not known, or open. */
  closedAt(port: string): ReachedTarget | undefined {
    const known = this.#ports.get(port);
    return known?.isOpen === false ? known.target : undefined;
  }

  /** Says whether a further port answers. */
  mark(port: string, isOpen: boolean): void {
    const known = this.#ports.get(port);
    if (known !== undefined) known.isOpen = isOpen;
  }

  /** Takes in where a further port is; undefined: nowhere. The address that no longer counts, if there was one. */
  learn(port: string, target: ReachedTarget | undefined): ReachedTarget | undefined {
    const before = this.#ports.get(port)?.target;
    if (target !== undefined && before?.address === target.address && before.port === target.port) return undefined;
    if (target === undefined) this.#ports.delete(port);
    else this.#ports.set(port, { target, isOpen: true });
    return before;
  }

  /** All addresses, for whoever has to let go of them. */
  addresses(): readonly ReachedTarget[] {
    return [this.target, ...[...this.#ports.values()].map(({ target }) => target)];
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

  slots(): readonly TargetSlot[] {
    return [...this.#slots.values()];
  }

  list(): readonly ReachedTarget[] {
    return [...this.#slots.values()].map((slot) => slot.target);
  }

  /** The slot of a target, a new one where it is not there yet. */
  add(target: ReachedTarget): TargetSlot {
    const slot = this.#slots.get(target.id) ?? new TargetSlot(target);
    this.#slots.set(target.id, slot);
    return slot;
  }

  /** Forgets a target; requests that it has go on. Its addresses; none where it was not there. */
  drop(target: ReachedTarget): readonly ReachedTarget[] {
    const slot = this.#slots.get(target.id);
    if (slot?.target !== target) return [];
    this.#slots.delete(target.id);
    return slot.addresses();
  }

  /** Forgets all. Their addresses. */
  clear(): readonly ReachedTarget[] {
    const addresses = this.slots().flatMap((slot) => slot.addresses());
    this.#slots.clear();
    return addresses;
  }

  /** Whether some target takes requests for the port, be there room or not. */
  isOpen(port: string | undefined): boolean {
    for (const slot of this.#slots.values()) if (slot.at(port) !== undefined) return true;
    return false;
  }

  /** Whether `pick` would find a target. */
  hasRoom(maxConcurrency: number, port: string | undefined): boolean {
    for (const slot of this.#slots.values()) if (mayTake(slot, maxConcurrency, port)) return true;
    return false;
  }

  /**
   * The target with the fewest requests that has room; ties go round. `maxConcurrency` 0: there is always room.
   *
   * @param port the further port that it has to have open; left out: the main one will do
   */
  pick(maxConcurrency: number, port?: string): TargetSlot | undefined {
    let best: TargetSlot | undefined;
    for (const slot of this.#slots.values()) {
      if (!mayTake(slot, maxConcurrency, port)) continue;
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

function mayTake(slot: TargetSlot, maxConcurrency: number, port: string | undefined): boolean {
  return (maxConcurrency === 0 || slot.inFlight < maxConcurrency) && slot.at(port) !== undefined;
}
