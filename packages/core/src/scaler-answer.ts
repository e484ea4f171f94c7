import { isErrorCode } from "./error-codes.ts";
import { joinPlaces } from "./format-place.ts";
import { listenAddressSchema } from "./listen-address.ts";
import { defaultPolicy } from "./policy.ts";
import { isRefPart, type LocalRef } from "./resource-ref.ts";
import type { HttpProbe, Resource, ResourceChange, ResourceFailure, ResourcePort, Target } from "./resource-scaler.ts";
import { ScalerError } from "./scaler-error.ts";

/*
 * Checks of what a plugin answers. By hand, and with nothing allocated where all is well: a list may have 10,000
 * resources. A check throws with the member that is wrong; whoever called it for a part puts the part's name before it.
 */

class AnswerError extends Error {
  readonly member: string;
  readonly problem: string;

  constructor(member: string, problem: string) {
    super(`${member === "" ? "the answer" : member} ${problem}`);
    this.member = member;
    this.problem = problem;
  }
}

/** Runs a check of a plugin's answer; throws `SCALER_INTERNAL` that names the scaler, the call and the member. */
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
    const message = `${call} of scaler "${scaler}" answered outside the contract: ${error.message}`;
    throw new ScalerError("SCALER_INTERNAL", message);
  }
}

/** `listResources`, and the snapshot of `watchResources`. */
export function checkResources(resources: readonly Resource[]): void {
  checkEach(resources, checkResource);
  const seen = new Set<string>();
  for (const [index, { ref }] of resources.entries()) {
    const key = `${ref.namespace}/${ref.name}`;
    if (seen.has(key)) throw new AnswerError(`[${index}].ref`, `names ${key}, which is in the list already`);
    seen.add(key);
  }
}

/** `getResource`. */
export function checkGotResource(resource: Resource | undefined, asked: LocalRef): void {
  if (resource === undefined) return;
  checkResource(resource);
  const { namespace, name } = resource.ref;
  if (namespace === asked.namespace && name === asked.name) return;
  throw new AnswerError("ref", `names ${namespace}/${name}, and ${asked.namespace}/${asked.name} was asked for`);
}

/** `setScale`. */
export function checkVersion(answer: { readonly version: string }): void {
  requireObject(answer);
  requireThat(isText(answer.version), "version", "a text that is not empty", answer.version);
}

/** `resolveTargets`. */
export function checkTargets(targets: readonly Target[]): void {
  checkEach(targets, checkTarget);
}

/** One item of `watchResources`. */
export function checkChange(change: ResourceChange): void {
  requireObject(change);
  if (change.kind === "snapshot") checkMember("resources", change.resources, checkResources);
  else if (change.kind === "set") checkMember("resource", change.resource, checkResource);
  else if (change.kind === "gone") checkMember("ref", change.ref, checkRef);
  else requireThat(false, "kind", '"snapshot", "set" or "gone"', Reflect.get(change, "kind"));
}

function checkResource(resource: Resource): void {
  requireObject(resource);
  const { desired, ready, wakeReplicas, version, createdAt, updatedAt, failure, refusal, routedTo } = resource;
  checkMember("ref", resource.ref, checkRef);
  requireThat(isCount(desired), "desired", "a whole number of at least 0", desired);
  requireThat(isCount(ready), "ready", "a whole number of at least 0", ready);
  requireThat(isCount(wakeReplicas) && wakeReplicas >= 1, "wakeReplicas", "a whole number of at least 1", wakeReplicas);
  requireThat(isText(version), "version", "a text that is not empty", version);
  requireThat(Number.isFinite(createdAt), "createdAt", "epoch milliseconds", createdAt);
  requireThat(Number.isFinite(updatedAt), "updatedAt", "epoch milliseconds", updatedAt);
  if (failure !== undefined) checkMember("failure", failure, checkFailure);
  if (refusal !== undefined) checkMember("refusal", refusal, checkFailure);
  requireThat(isLeftOut(routedTo) || isDirection(routedTo), "routedTo", '"dlx", "resource" or left out', routedTo);
  checkMember("ports", resource.ports, checkPorts);
  checkMember("policy", resource.policy, checkPolicy);
  requireThat(refusal === undefined || !resource.policy.enabled, "policy.enabled", "false beside a refusal", true);
}

function checkRef(ref: LocalRef): void {
  requireObject(ref);
  requireThat(isRefPart(ref.namespace), "namespace", "1 to 253 of A-Z a-z 0-9 . _ : -", ref.namespace);
  requireThat(isRefPart(ref.name), "name", "1 to 253 of A-Z a-z 0-9 . _ : -", ref.name);
}

function checkFailure(failure: ResourceFailure): void {
  requireObject(failure);
  requireThat(isErrorCode(failure.code), "code", "a code of the error table", failure.code);
  requireThat(typeof failure.message === "string", "message", "a text", failure.message);
}

function checkPorts(ports: readonly ResourcePort[]): void {
  checkEach(ports, checkPort);
}

const protocols: ReadonlySet<unknown> = new Set(["http", "h2c", "tcp"]);

function checkPort(port: ResourcePort): void {
  requireObject(port);
  requireThat(isText(port.name), "name", "a text that is not empty", port.name);
  requireThat(isPort(port.number), "number", "a port number", port.number);
  requireThat(protocols.has(port.protocol), "protocol", '"http", "h2c" or "tcp"', port.protocol);
  requireThat(isLeftOut(port.listen) || isAddress(port.listen), "listen", "host:port or left out", port.listen);
}

const policyForms = Object.entries(defaultPolicy).map(([key, value]) => {
  const isList = Array.isArray(value);
  return { key, type: typeof value, isList, wanted: `${isList ? "a list" : `a ${typeof value}`}, from parsePolicy` };
});

/** A policy comes from core's own parser; this finds the raw one that never went through it. */
function checkPolicy(policy: Resource["policy"]): void {
  requireObject(policy);
  for (const { key, type, isList, wanted } of policyForms) {
    const value: unknown = Reflect.get(policy, key);
    const fits = typeof value === type && Array.isArray(value) === isList && value !== null;
    requireThat(fits, key, wanted, value);
  }
}

function checkTarget(target: Target): void {
  requireObject(target);
  requireThat(isText(target.id), "id", "a text that is not empty", target.id);
  requireThat(isText(target.host), "host", "a text that is not empty", target.host);
  requireThat(isPort(target.port), "port", "a port number", target.port);
  requireThat(
    isLeftOut(target.ready) || typeof target.ready === "boolean",
    "ready",
    "true, false or left out",
    target.ready,
  );
  if (target.probe !== undefined) checkMember("probe", target.probe, checkProbe);
}

function checkProbe(probe: HttpProbe): void {
  requireObject(probe);
  const { path, port, status, headers } = probe;
  requireThat(typeof path === "string" && path.startsWith("/"), "path", 'a path that begins with "/"', path);
  requireThat(isLeftOut(port) || isPort(port), "port", "a port number or left out", port);
  requireThat(isLeftOut(status) || isStatus(status), "status", "a status of 100 to 599 or left out", status);
  requireThat(isLeftOut(headers) || areHeaders(headers), "headers", "a mapping to texts or left out", headers);
}

function checkEach<Entry>(list: readonly Entry[], check: (entry: Entry) => void): void {
  requireThat(Array.isArray(list), "", "a list", list);
  let index = 0;
  try {
    for (const entry of list) {
      check(entry);
      index += 1;
    }
  } catch (error) {
    throw below(`[${index}]`, error);
  }
}

function checkMember<Value>(member: string, value: Value, check: (value: Value) => void): void {
  try {
    check(value);
  } catch (error) {
    throw below(member, error);
  }
}

function below(member: string, error: unknown): unknown {
  return error instanceof AnswerError ? new AnswerError(joinPlaces(member, error.member), error.problem) : error;
}

function requireObject(value: unknown): void {
  requireThat(typeof value === "object" && value !== null, "", "an object", value);
}

function requireThat(holds: boolean, member: string, wanted: string, found: unknown): void {
  if (!holds) throw new AnswerError(member, `must be ${wanted}, not ${shown(found)}`);
}

function shown(value: unknown): string {
  if (typeof value === "object" && value !== null) return Array.isArray(value) ? "a list" : "an object";
  const text = typeof value === "string" ? JSON.stringify(value) : String(value);
  return text.length <= 60 ? text : `${text.slice(0, 60)}…`;
}

function isLeftOut(value: unknown): boolean {
  return value === undefined;
}

function isText(value: unknown): boolean {
  return typeof value === "string" && value !== "";
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isDirection(value: unknown): boolean {
  return value === "dlx" || value === "resource";
}

function isAddress(value: unknown): boolean {
  return listenAddressSchema.safeParse(value).success;
}

function isPort(value: unknown): boolean {
  return isCount(value) && (value as number) >= 1 && (value as number) <= 65_535;
}

function isStatus(value: unknown): boolean {
  return isCount(value) && (value as number) >= 100 && (value as number) <= 599;
}

function areHeaders(value: unknown): boolean {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  return Object.values(value).every((each) => typeof each === "string");
}
