import { formatRef, type Logger, type Resource, type ScalerError } from "@dormouse/core";
import { toReadFailure, toUnreadableError } from "./aci-error.ts";
import { ChangeFeed } from "./change-feed.ts";
import { Group, type GroupContext, type Reading } from "./group.ts";
import { type GroupFacts, readGroupFacts } from "./group-facts.ts";
import { type GroupId, keyOf, parseGroupId, type RefNames } from "./group-id.ts";
import { readGroupPolicy } from "./group-policy.ts";

/** What a `GroupBook` needs. */
export interface GroupBookOptions extends GroupContext {
  /** Id of the scaler. */
  readonly scaler: string;
  readonly names: RefNames;
  readonly logger: Logger;
}

/** When an answer was asked for. */
export type Begin = Pick<Reading, "begunAt" | "order">;

/** More groups than this are taken for a mistake of the tags. */
const mostGroups = 2_000;

/** Every group that is ours, as last read; tells watchers what changes. */
export class GroupBook implements Disposable {
  readonly feed = new ChangeFeed();
  readonly #options: GroupBookOptions;
  readonly #groups = new Map<string, Group>();
  readonly #told = new Map<string, string>();
  #onChange: () => void = () => {};

  constructor(options: GroupBookOptions) {
    this.#options = options;
  }

  /** Calls back after whatever may change when a group should be looked at next. */
  set onChange(listener: () => void) {
    this.#onChange = listener;
  }

  get(id: GroupId): Group | undefined {
    return this.#groups.get(keyOf(id));
  }

  groups(): readonly Group[] {
    return [...this.#groups.values()];
  }

  list(): readonly Resource[] {
    return this.groups().map((group) => group.toResource());
  }

  /** Whether tags make a group ours. */
  isOurs(tags: GroupFacts["tags"], id: GroupId): boolean {
    return readGroupPolicy({ tags, ports: [] }, this.#options.defaults, this.#placeOf(id)) !== undefined;
  }

  /**
   * Takes in an answer about a group; undefined: it is gone. @throws ScalerError `SCALER_UNAVAILABLE` where the answer
   * is no answer about this group, or does not say whether it runs: what was known of it stays
   */
  see(id: GroupId, answer: unknown, begin: Begin): Group | undefined {
    if (answer === undefined) return this.drop(id);
    const facts = readGroupFacts(answer);
    const answered = parseGroupId(Reflect.get(Object(answer), "id"));
    if (facts === undefined || answered === undefined || keyOf(answered) !== keyOf(id))
      throw toUnreadableError(keyOf(id), "is none about this group");
    const policy = readGroupPolicy(facts, this.#options.defaults, this.#placeOf(id));
    if (policy === undefined) return this.drop(id);
    const missing = missingIn(facts, this.get(id));
    if (missing === undefined) return this.#take(id, { facts, policy, ...begin });
    this.seeListed(id, answer, begin);
    throw toUnreadableError(keyOf(id), `does not say ${missing}`);
  }

  /** A group of a list that could not be read: it is listed with the reason, and nothing else is known of it. */
  seeListed(id: GroupId, entry: unknown, begin: Begin): void {
    const facts = readGroupFacts(entry);
    const policy = facts && readGroupPolicy(facts, this.#options.defaults, this.#placeOf(id));
    if (facts !== undefined && policy !== undefined && this.get(id) === undefined)
      this.#take(id, { facts, policy, ...begin });
  }

  /** A group could not be read. */
  fail(id: GroupId, error: ScalerError): void {
    const group = this.get(id);
    const failure = toReadFailure(error);
    if (group === undefined || failure === undefined) return;
    group.observeUnreadable(failure);
    this.#tellProblem(id, `${failure.code} ${failure.message}`);
    this.changed(group);
  }

  /** Tells watchers how a group is now. */
  changed(group: Group): void {
    this.feed.set(group.toResource());
    this.#onChange();
  }

  drop(id: GroupId): undefined {
    const group = this.get(id);
    this.#groups.delete(keyOf(id));
    this.#told.delete(keyOf(id));
    if (group !== undefined) this.feed.gone(group.ref);
  }

  [Symbol.dispose](): void {
    this.feed[Symbol.dispose]();
  }

  #take(id: GroupId, reading: Reading): Group | undefined {
    const known = this.get(id);
    if (known !== undefined) known.observe(reading);
    const group = known ?? this.#add(id, reading);
    if (group === undefined) return undefined;
    const { refusal } = reading.policy;
    if (refusal !== undefined) this.#tellProblem(id, refusal.message);
    else this.#told.delete(keyOf(id));
    this.changed(group);
    return group;
  }

  #add(id: GroupId, reading: Reading): Group | undefined {
    const ref = this.#options.names.toRef(id);
    if (ref === undefined || this.#groups.size >= mostGroups) {
      const why = ref === undefined ? "its name is too long" : `${mostGroups} are managed already`;
      this.#options.logger.error({ group: keyOf(id) }, `a container group is left out: ${why}`);
      return undefined;
    }
    const group = new Group(id, ref, reading, this.#options);
    this.#groups.set(keyOf(id), group);
    return group;
  }

  /** As messages name a group. */
  #placeOf(id: GroupId): string {
    const ref = this.#options.names.toRef(id);
    return ref === undefined ? keyOf(id) : `${ref.namespace}/${ref.name}`;
  }

  /** Once for each problem. */
  #tellProblem(id: GroupId, problem: string): void {
    if (this.#told.get(keyOf(id)) === problem) return;
    this.#told.set(keyOf(id), problem);
    const { scaler, names, logger } = this.#options;
    const ref = names.toRef(id);
    const resource = ref === undefined ? keyOf(id) : formatRef({ scaler, ...ref });
    logger.error({ resource, problem }, "a container group is left alone");
  }
}

/** What an answer has to say and does not. */
function missingIn({ presence, ports }: GroupFacts, known: Group | undefined): string | undefined {
  if (presence === "unknown") return "in what state the group is";
  return ports.length === 0 && known?.hasPorts === true ? "what ports the group has" : undefined;
}
