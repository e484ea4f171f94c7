import type { Informer, InformerChange } from "@dormouse/kubernetes";

/** Objects by a key that several may share, such as their namespace or their owner; follows an informer from its beginning. */
export class GroupIndex<T> {
  readonly #groups = new Map<string, Map<string, T>>();
  readonly #groupOf: (object: T) => string;
  readonly #idOf: (object: T) => string;

  constructor(informer: Informer<T>, groupOf: (object: T) => string, idOf: (object: T) => string) {
    this.#groupOf = groupOf;
    this.#idOf = idOf;
    informer.subscribe((change) => this.#learn(change));
    for (const object of informer.list()) this.#add(object);
  }

  of(group: string): readonly T[] {
    const found = this.#groups.get(group);
    return found === undefined ? [] : [...found.values()];
  }

  #learn(change: InformerChange<T>): void {
    if (change.kind === "synced") return;
    if (change.kind === "set" && change.before !== undefined) this.#remove(change.before);
    if (change.kind === "set") this.#add(change.object);
    else this.#remove(change.object);
  }

  #add(object: T): void {
    const group = this.#groupOf(object);
    const members = this.#groups.get(group) ?? new Map<string, T>();
    this.#groups.set(group, members);
    members.set(this.#idOf(object), object);
  }

  #remove(object: T): void {
    const group = this.#groupOf(object);
    const members = this.#groups.get(group);
    members?.delete(this.#idOf(object));
    if (members?.size === 0) this.#groups.delete(group);
  }
}
