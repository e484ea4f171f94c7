import type { Book, StreamMark } from "./book.ts";
import type { ColdStart, Passage, ReachedTarget } from "./passage.ts";
import type { TargetSlot } from "./target-pool.ts";

/** What a passage needs of the gate that gave it. */
export interface PassageOwner {
  readonly book: Book;
  now(): number;
  /** The request no longer counts against the pace of a release. */
  paced(passage: GatePassage): void;
  /** The target cannot be reached on that port, the main one where it is left out; another slot, where there is one. */
  replace(slot: TargetSlot, port: string | undefined): TargetSlot | undefined;
  /** The request has ended. */
  ended(): void;
}

/** One request in flight. */
export class GatePassage implements Passage {
  readonly cold: ColdStart | undefined;
  readonly #owner: PassageOwner;
  readonly #activity: boolean;
  readonly #port: string | undefined;
  #slot: TargetSlot;
  #target: ReachedTarget;
  #mark: StreamMark | undefined;
  #ended = false;

  /** The book has counted the request already, and the slot has the port. */
  constructor(
    owner: PassageOwner,
    slot: TargetSlot,
    port: string | undefined,
    activity: boolean,
    cold: ColdStart | undefined,
  ) {
    this.#owner = owner;
    this.#slot = slot;
    this.#port = port;
    this.#target = slot.at(port) ?? slot.target;
    this.#activity = activity;
    this.cold = cold;
    slot.enter();
  }

  get target(): ReachedTarget {
    return this.#target;
  }

  responded(): void {
    if (this.cold !== undefined) this.#owner.paced(this);
  }

  stream(): void {
    if (!this.#ended) this.#mark ??= this.#owner.book.openStream();
  }

  moved(): void {
    if (this.#mark !== undefined) this.#mark.movedAt = this.#owner.now();
    if (this.#activity) this.#owner.book.active();
  }

  retarget(): ReachedTarget | undefined {
    if (this.#ended) return undefined;
    const next = this.#owner.replace(this.#slot, this.#port);
    const target = next?.at(this.#port);
    if (next === undefined || target === undefined) return undefined;
    this.#slot.leave();
    next.enter();
    this.#slot = next;
    this.#target = target;
    return target;
  }

  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#slot.leave();
    const { book } = this.#owner;
    if (this.#mark !== undefined) book.closeStream(this.#mark);
    book.leave(this.#activity && !this.#silent());
    this.#owner.paced(this);
    this.#owner.ended();
  }

  /** A stream that ends was last active when its last byte moved. */
  #silent(): boolean {
    return this.#mark !== undefined;
  }
}
