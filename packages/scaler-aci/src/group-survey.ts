import { type Logger, type ScalerError, toScalerError } from "@dormouse/core";
import PQueue from "p-queue";
import type { ArmApi } from "./arm-api.ts";
import { hasOtherTags } from "./group.ts";
import type { GroupBook } from "./group-book.ts";
import { type GroupId, keyOf, parseGroupId, type Scope } from "./group-id.ts";
import type { GroupReader } from "./group-reader.ts";

/** What a `GroupSurvey` needs. */
export interface GroupSurveyOptions {
  readonly arm: ArmApi;
  readonly book: GroupBook;
  readonly reader: GroupReader;
  readonly scopes: readonly Scope[];
  readonly logger: Logger;
}

/** How a survey is made. */
export interface SurveyOptions {
  /** `all`: every group is read; `changed`: those that are new, gone, or have other tags. */
  readonly read: "all" | "changed";
  readonly isUrgent: boolean;
  readonly signal: AbortSignal;
}

/** Requests that run at once: ten take an answer each in a tenth of a second, well within a snapshot's time. */
const atOnce = 10;

interface Listed {
  readonly scope: Scope;
  readonly entries: readonly unknown[];
  readonly error?: ScalerError;
}

/**
 * Finds the groups that are ours: one list for each scope, which says nothing of any state, and then readings of single
 * groups. What cannot be listed or read takes nothing else along.
 */
export class GroupSurvey {
  readonly #options: GroupSurveyOptions;
  /** Scopes that have been listed, or never will be as long as nobody changes something. */
  readonly #known = new Set<Scope>();
  readonly #told = new Map<Scope, string>();

  constructor(options: GroupSurveyOptions) {
    this.#options = options;
  }

  /** Rejects where nothing could be listed, or where a scope that was never listed may be soon: a part of the list would pass for all of it. */
  async run(options: SurveyOptions): Promise<void> {
    const queue = new PQueue({ concurrency: atOnce });
    const listed = await Promise.all(
      this.#options.scopes.map(async (scope) => queue.add(async () => this.#list(scope, options))),
    );
    options.signal.throwIfAborted();
    this.#judge(listed);
    const groups = listed.filter(({ error }) => error === undefined).flatMap((each) => this.#toRead(each, options));
    await Promise.all(groups.map(async (each) => queue.add(async () => this.#read(each, options))));
    options.signal.throwIfAborted();
  }

  async #list(scope: Scope, { isUrgent, signal }: SurveyOptions): Promise<Listed> {
    try {
      return { scope, entries: await this.#options.arm.listGroups(scope, { isUrgent, signal }) };
    } catch (error) {
      return { scope, entries: [], error: toScalerError(error) };
    }
  }

  #judge(listed: readonly Listed[]): void {
    const failed = listed.filter(({ error }) => error !== undefined);
    for (const { scope, error } of listed) this.#tell(scope, error);
    const [first] = failed;
    if (first?.error !== undefined && failed.length === listed.length) throw first.error;
    for (const { scope, error } of failed) if (error?.retryable === true && !this.#known.has(scope)) throw error;
    for (const { scope } of listed) this.#known.add(scope);
  }

  /** Once for each reason. */
  #tell(scope: Scope, error: ScalerError | undefined): void {
    if (error === undefined) return void this.#told.delete(scope);
    if (this.#told.get(scope) === error.code || error.code === "SCALER_ABORTED") return;
    this.#told.set(scope, error.code);
    this.#options.logger.error(
      { ...scope, code: error.code, error: error.message },
      "container groups could not be listed; those that are known stay",
    );
  }

  #toRead({ scope, entries }: Listed, { read }: SurveyOptions): readonly Found[] {
    const { book } = this.#options;
    const found = new Map(entries.flatMap((entry) => this.#find(entry)).map((each) => [keyOf(each.id), each]));
    const missing = book
      .groups()
      .filter(({ id }) => isWithin(id, scope) && !found.has(keyOf(id)))
      .map(({ id }): Found => ({ id, entry: undefined }));
    const ours = [...found.values()].filter(({ id, entry }) => {
      const known = book.get(id);
      const tags = tagsOf(entry);
      if (known === undefined) return book.isOurs(tags, id);
      return read === "all" || hasOtherTags(known, tags);
    });
    return [...missing, ...ours];
  }

  /** An entry that names no group is nobody's; the others are listed without it. */
  #find(entry: unknown): readonly Found[] {
    const id = parseGroupId(Reflect.get(Object(entry), "id"));
    return id === undefined ? [] : [{ id, entry }];
  }

  async #read({ id, entry }: Found, { isUrgent, signal }: SurveyOptions): Promise<void> {
    const { book, reader } = this.#options;
    try {
      await reader.read(id, { when: "now", isUrgent, signal });
    } catch (error) {
      if (signal.aborted) return;
      book.seeListed(id, entry, { begunAt: 0, order: 0 });
      book.fail(id, toScalerError(error));
    }
  }
}

interface Found {
  readonly id: GroupId;
  readonly entry: unknown;
}

function isWithin(id: GroupId, { subscription, resourceGroup }: Scope): boolean {
  return id.subscription === subscription && (resourceGroup === undefined || id.resourceGroup === resourceGroup);
}

function tagsOf(entry: unknown): Readonly<Record<string, string>> {
  const tags: unknown = Reflect.get(Object(entry), "tags");
  const pairs = typeof tags === "object" && tags !== null ? Object.entries(tags) : [];
  return Object.fromEntries(pairs.map(([name, value]) => [name, typeof value === "string" ? value : ""]));
}
