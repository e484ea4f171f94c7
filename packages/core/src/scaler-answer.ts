import { isErrorCode } from "./error-codes.ts";
import { defaultPolicy } from "./policy.ts";
import { isRefPart, type LocalRef } from "./resource-ref.ts";
import type { Resource, ResourceChange, Target } from "./resource-scaler.ts";
import { ScalerError } from "./scaler-error.ts";

/*
 * Checks of what a plugin answers, by hand and without allocation where all is well: a list may have 10,000 resources.
 */

/** Says which member of an answer is not of the contract's form. */
class AnswerError extends Error {}

/** Runs a check of a plugin's answer; rejects with `SCALER_INTERNAL` that names the scaler, the call and the member. */
export function checkAnswer<Answer>(
  scaler: string,
  call: string,
  answer: Answer,
  check: (answer: Answer) => void,
): Answer {
  try {
    check(answer);
    return answer;
  } catch (error) {
    if (!(error instanceof AnswerError)) throw error;
    throw new ScalerError(
      "SCALER_INTERNAL",
      `${call} of scaler "${scaler}" answered outside the contract: ${error.message}`,
    );
  }
}

/** `listResources`, and the snapshot of `watchResources`. */
export function checkResources(resources: readonly Resource[]): void {
  requireThat(Array.isArray(resources), "the answer", "a list", resources);
  const seen = new Set<string>();
  for (const [index, resource] of resources.entries()) {
    checkResource(resource, `[${index}]`);
    const key = `${resource.ref.namespace}/${resource.ref.name}`;
    if (seen.has(key)) throw new AnswerError(`[${index}].ref names ${key}, which is in the list already`);
    seen.add(key);
  }
}

/** `getResource`. */
export function checkGotResource(resource: Resource | undefined, ref: LocalRef): void {
  if (resource === undefined) return;
  checkResource(resource, "the resource");
  if (resource.ref.namespace === ref.namespace && resource.ref.name === ref.name) return;
  throw new AnswerError(
    `ref names ${resource.ref.namespace}/${resource.ref.name}, and ${ref.namespace}/${ref.name} was asked for`,
  );
}

function checkResource(resource: Resource, at: string): void {
  requireObject(resource, at);
  checkRef(resource.ref, `${at}.ref`);
  requireThat(isCount(resource.desired), `${at}.desired`, "a whole number of at least 0", resource.desired);
  requireThat(isCount(resource.ready), `${at}.ready`, "a whole number of at least 0", resource.ready);
  requireThat(
    isCount(resource.wakeReplicas) && resource.wakeReplicas >= 1,
    `${at}.wakeReplicas`,
    "a whole number of at least 1",
    resource.wakeReplicas,
  );
  requireThat(isText(resource.version), `${at}.version`, "a text that is not empty", resource.version);
  requireThat(Number.isFinite(resource.createdAt), `${at}.createdAt`, "epoch milliseconds", resource.createdAt);
  requireThat(Number.isFinite(resource.updatedAt), `${at}.updatedAt`, "epoch milliseconds", resource.updatedAt);
  if (resource.failure !== undefined) checkFailure(resource.failure, `${at}.failure`);
  checkPorts(resource.ports, `${at}.ports`);
  checkPolicy(resource.policy, `${at}.policy`);
}

function checkRef(ref: LocalRef, at: string): void {
  requireObject(ref, at);
  requireThat(isRefPart(ref.namespace), `${at}.namespace`, "1 to 253 of A-Z a-z 0-9 . _ : -", ref.namespace);
  requireThat(isRefPart(ref.name), `${at}.name`, "1 to 253 of A-Z a-z 0-9 . _ : -", ref.name);
}

function checkFailure(failure: NonNullable<Resource["failure"]>, at: string): void {
  requireObject(failure, at);
  requireThat(isErrorCode(failure.code), `${at}.code`, "a code of the error table", failure.code);
  requireThat(typeof failure.message === "string", `${at}.message`, "a text", failure.message);
}

const protocols: ReadonlySet<unknown> = new Set(["http", "h2c", "tcp"]);

function checkPorts(ports: Resource["ports"], at: string): void {
  requireThat(Array.isArray(ports), at, "a list", ports);
  for (const [index, port] of ports.entries()) {
    requireObject(port, `${at}[${index}]`);
    requireThat(isText(port.name), `${at}[${index}].name`, "a text that is not empty", port.name);
    requireThat(isPort(port.number), `${at}[${index}].number`, "a port number", port.number);
    requireThat(protocols.has(port.protocol), `${at}[${index}].protocol`, '"http", "h2c" or "tcp"', port.protocol);
  }
}

const policyForms = Object.entries(defaultPolicy).map(([key, value]) => ({
  key,
  type: typeof value,
  isList: Array.isArray(value),
}));

/** A policy comes from core's own parser; this finds the raw one that never went through it. */
function checkPolicy(policy: Resource["policy"], at: string): void {
  requireObject(policy, at);
  for (const { key, type, isList } of policyForms) {
    const value: unknown = Reflect.get(policy, key);
    const fits = typeof value === type && Array.isArray(value) === isList && value !== null;
    requireThat(fits, `${at}.${key}`, `${isList ? "a list" : `a ${type}`}, from parsePolicy`, value);
  }
}

/** `setScale`. */
export function checkVersion(answer: { readonly version: string }): void {
  requireObject(answer, "the answer");
  requireThat(isText(answer.version), "version", "a text that is not empty", answer.version);
}

/** `resolveTargets`. */
export function checkTargets(targets: readonly Target[]): void {
  requireThat(Array.isArray(targets), "the answer", "a list", targets);
  for (const [index, target] of targets.entries()) checkTarget(target, `[${index}]`);
}

function checkTarget(target: Target, at: string): void {
  requireObject(target, at);
  requireThat(isText(target.id), `${at}.id`, "a text that is not empty", target.id);
  requireThat(isText(target.host), `${at}.host`, "a text that is not empty", target.host);
  requireThat(isPort(target.port), `${at}.port`, "a port number", target.port);
  requireThat(
    target.ready === undefined || typeof target.ready === "boolean",
    `${at}.ready`,
    "true, false or left out",
    target.ready,
  );
  if (target.probe !== undefined) checkProbe(target.probe, `${at}.probe`);
}

function checkProbe(probe: NonNullable<Target["probe"]>, at: string): void {
  requireObject(probe, at);
  requireThat(
    typeof probe.path === "string" && probe.path.startsWith("/"),
    `${at}.path`,
    'a path that begins with "/"',
    probe.path,
  );
  requireThat(probe.port === undefined || isPort(probe.port), `${at}.port`, "a port number or left out", probe.port);
  requireThat(
    probe.status === undefined || isStatus(probe.status),
    `${at}.status`,
    "a status of 100 to 599 or left out",
    probe.status,
  );
  requireThat(areHeaders(probe.headers), `${at}.headers`, "a mapping to texts or left out", probe.headers);
}

/** One item of `watchResources`. */
export function checkChange(change: ResourceChange): void {
  requireObject(change, "the change");
  if (change.kind === "snapshot") checkResources(change.resources);
  else if (change.kind === "set") checkResource(change.resource, "resource");
  else if (change.kind === "gone") checkRef(change.ref, "ref");
  else requireThat(false, "kind", '"snapshot", "set" or "gone"', Reflect.get(change, "kind"));
}

function isText(value: unknown): boolean {
  return typeof value === "string" && value !== "";
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isPort(value: unknown): boolean {
  return isCount(value) && (value as number) >= 1 && (value as number) <= 65_535;
}

function isStatus(value: unknown): boolean {
  return isCount(value) && (value as number) >= 100 && (value as number) <= 599;
}

function areHeaders(value: unknown): boolean {
  if (value === undefined) return true;
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  return Object.values(value).every((each) => typeof each === "string");
}

function requireObject(value: unknown, at: string): void {
  requireThat(typeof value === "object" && value !== null, at, "an object", value);
}

function requireThat(holds: boolean, at: string, wanted: string, found: unknown): void {
  if (!holds) throw new AnswerError(`${at} must be ${wanted}, not ${shown(found)}`);
}

function shown(value: unknown): string {
  if (typeof value === "object" && value !== null) return Array.isArray(value) ? "a list" : "an object";
  const text = typeof value === "string" ? JSON.stringify(value) : String(value);
  return text.length <= 60 ? text : `${text.slice(0, 60)}…`;
}
