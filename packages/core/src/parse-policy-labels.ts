import { type ConfigIssue, ConfigError } from "./config-error.ts";
import { formatPlace } from "./format-place.ts";
import { splitLabelList } from "./label-list.ts";
import { nearestWord } from "./nearest-word.ts";
import { assertPolicyMeaning, mergePolicy } from "./parse-policy.ts";
import { type LabelForm, type PolicyLabelKey, policyLabelKeys } from "./policy-label-keys.ts";
import { type Policy, policySchema } from "./policy.ts";
import { toConfigIssues } from "./to-config-issues.ts";

const keyByName: ReadonlyMap<string, PolicyLabelKey> = new Map(policyLabelKeys.map((key) => [key.name, key]));

/** What a platform's scaler adds to the labels of a policy. */
export interface PolicyLabelsOptions {
  /** Names under the same prefix that the platform's scaler reads itself, without the prefix, for example `service`. */
  readonly own?: readonly string[];
}

/**
 * Reads a resource's policy from labels, annotations or tags; those without the prefix belong to others and are ignored.
 *
 * @param prefix `"dormouse.dev/"`, or `"dormouse-"` where names have no `/`
 * @param place what carries the labels; places of issues are `${place}: dormouse.dev/idle-after`
 * @throws ConfigError that names every unknown label and every wrong value
 */
export function parsePolicyLabels(
  labels: Readonly<Record<string, string>>,
  prefix: string,
  defaults: Policy,
  place: string,
  options: PolicyLabelsOptions = {},
): Policy {
  const reader = new LabelReader(prefix, place, options.own ?? []);
  for (const [label, text] of Object.entries(labels)) reader.read(label, text);
  return reader.finish(defaults);
}

/** Collects the values of labels and whatever is wrong with them. */
class LabelReader {
  readonly #prefix: string;
  readonly #place: string;
  readonly #own: readonly string[];
  readonly #issues: ConfigIssue[] = [];
  readonly #raw: Record<string, unknown> = {};
  /** Labels as they were written, by name. */
  readonly #labels = new Map<string, string>();

  constructor(prefix: string, place: string, own: readonly string[]) {
    this.#prefix = prefix;
    this.#place = place;
    this.#own = own;
  }

  read(label: string, text: string): void {
    const name = nameBehind(label, this.#prefix);
    if (name === undefined || this.#own.includes(name)) return;
    const key = keyByName.get(name);
    const other = this.#labels.get(name);
    if (key === undefined) this.#refuse(label, "is no known label", this.#meant(name));
    else if (other !== undefined) this.#refuse(label, `says the same as ${other}`, "keep one of them");
    else this.#take(key, label, text);
  }

  finish(defaults: Policy): Policy {
    const parsed = policySchema.safeParse(this.#raw);
    const refused = {
      written: this.#raw,
      place: this.#place,
      toPlace: (path: readonly PropertyKey[]) => this.#placeOf(path),
    };
    if (!parsed.success) this.#issues.push(...toConfigIssues(parsed.error.issues, refused));
    if (this.#issues.length > 0 || !parsed.success) throw new ConfigError(this.#issues);
    const policy = mergePolicy(parsed.data, defaults);
    assertPolicyMeaning(policy, refused.toPlace);
    return policy;
  }

  #take({ name, path: [outer, inner], form }: PolicyLabelKey, label: string, text: string): void {
    this.#labels.set(name, label);
    const value = fromText(text, form);
    if (value === undefined) this.#refuse(label, "is no JSON", `write for example ${jsonExamples[name] ?? "[]"}`);
    else if (inner === undefined) this.#raw[outer] = value;
    else this.#raw[outer] = { ...(this.#raw[outer] as object | undefined), [inner]: value };
  }

  #refuse(label: string, problem: string, mend: string | undefined): void {
    this.#issues.push({ place: this.#below(label), problem, ...(mend !== undefined && { mend }) });
  }

  #meant(name: string): string | undefined {
    const nearest = nearestWord(name, [...keyByName.keys(), ...this.#own]);
    return nearest === undefined ? undefined : `did you mean "${this.#prefix}${nearest}"?`;
  }

  /** The label behind a path of the policy, as it was written where it was; what is left of the path stands behind it. */
  #placeOf(path: readonly PropertyKey[]): string {
    const key = policyLabelKeys.find((each) => each.path.every((part, index) => part === path[index]));
    if (key === undefined) return this.#place;
    const rest = path.slice(key.path.length);
    return formatPlace(this.#below(this.#labels.get(key.name) ?? this.#prefix + key.name), rest);
  }

  #below(label: string): string {
    return this.#place === "" ? label : `${this.#place}: ${label}`;
  }
}

function nameBehind(label: string, prefix: string): string | undefined {
  const lower = label.toLowerCase();
  return lower.startsWith(prefix.toLowerCase()) ? lower.slice(prefix.length) : undefined;
}

const jsonExamples: Readonly<Record<string, string>> = {
  headers: '{"x-tenant":"blue"}',
  "idle-rules": '[{"metric":"requests","window":"5m","threshold":0}]',
  "scale-up-policies": '[{"type":"pods","value":4,"period":"15s"}]',
  "scale-down-policies": '[{"type":"percent","value":50,"period":"1m"}]',
};

/** Undefined where JSON was to be and is not. What is no flag or number stays text, for the schema to refuse. */
function fromText(text: string, form: LabelForm): unknown {
  switch (form) {
    case "flag":
      return /^\s*true\s*$/i.test(text) || (/^\s*false\s*$/i.test(text) ? false : text);
    case "number":
      return /^\s*\d+\s*$/.test(text) ? Number(text) : text;
    case "decimal":
      return /^\s*\d+(\.\d+)?(e[+-]?\d+)?\s*$/i.test(text) ? Number(text) : text;
    case "duration":
      return text.trim();
    case "list":
      return splitLabelList(text);
    case "json":
      return fromJson(text);
    case "text":
      return text;
  }
}

function fromJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
