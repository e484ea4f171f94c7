import {
  defaultPolicy,
  type GuardedScaler,
  type LocalRef,
  openScaler,
  type Resource,
  type ResourceChange,
  silentLogger,
  systemClock,
  type Target,
} from "@dormouse/core";
import { openTestProject, type TestProject } from "@dormouse/test-docker";
import { inject, onTestFinished, vi } from "vitest";
import { scaler as plugin } from "../../src/index.ts";

/** A project and a scaler behind core's guard, both closed after the test. */
export interface TestScene {
  readonly project: TestProject;
  readonly scaler: GuardedScaler;
  /** A container of its own, unlike any other in the engine. */
  refOf(name: string): LocalRef;
  /** Another scaler on the same engine, as a host that starts anew has it. */
  reopen(options?: object): Promise<GuardedScaler>;
}

/** Opens a scene on the engine of this run. */
export async function openScene(options: object = {}): Promise<TestScene> {
  const project = await openTestProject(inject("dockerSocket"));
  onTestFinished(() => project[Symbol.asyncDispose]());
  const reopen = async (more: object = {}): Promise<GuardedScaler> => {
    const endpoint = `unix://${inject("dockerSocket")}`;
    const scaler = await openTestScaler({ endpoint, longestStop: "2s", ...options, ...more });
    onTestFinished(() => scaler[Symbol.asyncDispose]());
    return scaler;
  };
  return {
    project,
    reopen,
    scaler: await reopen(),
    refOf: (name) => ({ namespace: "default", name: `${project.name}-${name}` }),
  };
}

/** A scaler with these options. Whoever opens it closes it. */
async function openTestScaler(options: object): Promise<GuardedScaler> {
  return openScaler(plugin, options, {
    id: "docker",
    logger: silentLogger,
    clock: systemClock,
    defaults: defaultPolicy,
  });
}

/** Polls until the callback does not throw. */
export function eventually<Result>(check: () => Result | Promise<Result>): Promise<Result> {
  return vi.waitFor(check, { timeout: 30_000, interval: 25 });
}

/** The resource as soon as it is as wanted. */
export function resourceWhen(
  scaler: GuardedScaler,
  ref: LocalRef,
  isWanted: (resource: Resource) => boolean,
): Promise<Resource> {
  return eventually(async () => {
    const resource = await scaler.getResource(ref);
    if (resource === undefined || !isWanted(resource)) throw new Error(`${ref.name} is ${JSON.stringify(resource)}`);
    return resource;
  });
}

/** Scales up and resolves with the targets once as many are there. */
export async function wake(scaler: GuardedScaler, ref: LocalRef, replicas = 1): Promise<readonly Target[]> {
  await scaler.setScale(ref, replicas);
  return eventually(async () => {
    const targets = await scaler.resolveTargets(ref, undefined);
    if (targets.length === replicas) return targets;
    throw new Error(`${String(targets.length)} targets, ${JSON.stringify(await scaler.getResource(ref))}`);
  });
}

/** Scales to zero and resolves once nothing runs. */
export async function sleep(scaler: GuardedScaler, ref: LocalRef): Promise<void> {
  await scaler.setScale(ref, 0);
  await resourceWhen(scaler, ref, ({ ready }) => ready === 0);
}

/** What a target answers, as soon as it does. */
export function ask({ host, port }: Pick<Target, "host" | "port">): Promise<string> {
  return eventually(async () => (await fetch(`http://${host}:${String(port)}/`)).text());
}

/** What a watch says of its resources, until the test ends. */
export function watch(scaler: GuardedScaler): ReadonlyMap<string, Resource> {
  const view = new Map<string, Resource>();
  const abort = new AbortController();
  onTestFinished(() => abort.abort());
  void (async () => {
    for await (const change of scaler.watchResources?.({ signal: abort.signal }) ?? []) take(view, change);
  })().catch(() => {});
  return view;
}

function take(view: Map<string, Resource>, change: ResourceChange): void {
  if (change.kind === "gone") view.delete(change.ref.name);
  else for (const each of change.kind === "set" ? [change.resource] : change.resources) view.set(each.ref.name, each);
}
