import type { ResourceFailure } from "@dormouse/core";
import {
  type HttpAnswer,
  type HttpCall,
  type JsonPath,
  parseJson,
  quote,
  readNumber,
  toContentFailure,
} from "@dormouse/http-json";
import { type Address, parseAddress } from "./address.ts";
import { type CompareAndSet, mostReplicas } from "./http-options.ts";
import type { Api, ResolvedTargets } from "./resolve-api.ts";
import { readVersion } from "./read-version.ts";

/** One instance as the API reports it. */
export interface ReportedInstance {
  /** What the API calls it, else its address. */
  readonly id: string;
  readonly address: Address;
}

/** What one answer says of a resource. */
export interface StatusReading {
  readonly desired: number;
  readonly ready: number;
  /** Where the API keeps it. */
  readonly wakeReplicas: number | undefined;
  /** With compare-and-set. */
  readonly version: string | undefined;
  readonly failure: ResourceFailure | undefined;
  /** Where the API reports instances. */
  readonly instances: readonly ReportedInstance[];
}

/** More instances than this in one answer are taken for a mistake. */
const mostInstances = 10_000;

/** Reads an answer by the configured paths; whatever else is in it does not matter. @throws HttpFailure that names what is wrong */
export function readStatus(
  call: HttpCall,
  answer: HttpAnswer,
  api: Api,
  condition: CompareAndSet | undefined,
): StatusReading {
  const document = parseJson(call, answer);
  const { replicas, ready, wakeReplicas, failure } = api.status;
  const desired = readCount(call, replicas, document);
  const before = wakeReplicas === undefined ? undefined : readOptionalCount(call, wakeReplicas, document);
  return {
    desired,
    ready: ready === undefined ? desired : readCount(call, ready, document),
    wakeReplicas: before === undefined || before < 1 ? undefined : before,
    version: condition === undefined ? undefined : readVersion(call, answer, condition, document),
    failure: failure === undefined ? undefined : readFailure(call, failure, document),
    instances: api.targets?.kind === "reported" ? readInstances(call, api.targets, document) : [],
  };
}

function readCount(call: HttpCall, path: JsonPath, document: unknown): number {
  const found = readNumber(path, document);
  if ("problem" in found) throw toContentFailure(call, `is wrong: ${path.text} ${found.problem}`);
  if (Number.isSafeInteger(found.value) && found.value >= 0 && found.value <= mostReplicas) return found.value;
  throw toContentFailure(call, `is wrong: ${path.text} leads to ${String(found.value)}, which is no count of replicas`);
}

/** What is not there, or null, is not known; anything else has to be a count. */
function readOptionalCount(call: HttpCall, path: JsonPath, document: unknown): number | undefined {
  const values = valuesOf(call, path, document);
  return values.length === 0 || values[0] === null ? undefined : readCount(call, path, document);
}

function readFailure(call: HttpCall, path: JsonPath, document: unknown): ResourceFailure | undefined {
  const [value] = valuesOf(call, path, document);
  if (value === undefined || value === null || value === "" || value === false) return undefined;
  return { code: "SCALER_START_FAILED", message: quote(typeof value === "string" ? value : JSON.stringify(value)) };
}

function readInstances(
  call: HttpCall,
  { addresses, ids, port }: ResolvedTargets & { readonly kind: "reported" },
  document: unknown,
): readonly ReportedInstance[] {
  const found = valuesOf(call, addresses, document);
  const names = ids === undefined ? found : valuesOf(call, ids, document);
  if (found.length > mostInstances)
    throw toContentFailure(call, `is wrong: ${addresses.text} leads to ${String(found.length)} addresses`);
  if (names.length !== found.length)
    throw toContentFailure(
      call,
      `is wrong: ${addresses.text} leads to ${String(found.length)} addresses, ${ids?.text ?? ""} to ${String(names.length)} ids`,
    );
  const instances = found.map((value, index) => ({
    address: toAddress(call, value, port),
    id: toId(call, names[index]),
  }));
  if (new Set(instances.map(({ id }) => id)).size < instances.length)
    throw toContentFailure(call, "is wrong: two instances have the same id");
  return instances;
}

function toAddress(call: HttpCall, value: unknown, port: number | undefined): Address {
  const address = typeof value === "string" ? parseAddress(value, port) : undefined;
  if (address !== undefined) return address;
  throw toContentFailure(
    call,
    `is wrong: ${quote(JSON.stringify(value) ?? "nothing")} is no address of an instance; it has to be host:port`,
  );
}

function toId(call: HttpCall, value: unknown): string {
  if (typeof value === "string" && value !== "" && value.length <= 1_000) return value;
  if (typeof value === "number") return String(value);
  throw toContentFailure(call, `is wrong: ${quote(JSON.stringify(value) ?? "nothing")} is no id of an instance`);
}

/** @throws HttpFailure where the document is too deep to be searched */
function valuesOf(call: HttpCall, path: JsonPath, document: unknown): readonly unknown[] {
  try {
    return path.values(document);
  } catch (cause) {
    throw toContentFailure(call, `cannot be searched for ${path.text}`, cause);
  }
}
