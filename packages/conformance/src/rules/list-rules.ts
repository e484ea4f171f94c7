import { isDeepStrictEqual } from "node:util";
import { defaultPolicy, isRefPart, type LocalRef, type Resource } from "@dormouse/core";
import { showRef } from "../call-bounds.ts";
import type { Rule } from "../rule.ts";
import type { Stage } from "../stage.ts";
import { expect, show } from "../unmet.ts";

/** Epoch times in seconds lie below this until the year 5138; in ms they passed it in 1973. */
const earliestMs = 100_000_000_000;

/** What a scaler says of its resources. */
export const listRules: readonly Rule[] = [
  {
    id: "list/holds-the-asleep",
    title: "The list holds resources that are asleep.",
    why: "A resource that is not listed has no route: the first request could not wake it.",
    mend: "list everything that is managed, whatever its count",
    async check(stage) {
      await expectListed(stage);
    },
  },
  {
    id: "list/holds-the-awake",
    title: "The list holds resources that are awake.",
    why: "One that is not listed is never put to sleep.",
    mend: "list everything that is managed, whatever its count",
    async check(stage) {
      await stage.scale(1);
      await expectListed(stage);
    },
  },
  {
    id: "list/no-resource-twice",
    title: "No resource is listed twice.",
    why: "Two entries would have two states, and two decisions.",
    mend: "key by namespace and name before listing",
    async check(stage) {
      const keys = (await stage.scaler.listResources()).map(({ ref }) => showRef(ref));
      const twice = keys.filter((key, index) => keys.indexOf(key) !== index);
      expect(twice.length === 0, "each resource once", `${show(twice)} more than once`);
    },
  },
  {
    id: "list/refs",
    title: "Namespaces and names have 1 to 253 characters: letters, digits, dot, underscore, colon and hyphen.",
    why: "They are parts of paths, metrics and messages.",
    mend: "map other characters of the platform's names to these, and back",
    async check(stage) {
      await expectEach(stage, "a namespace and a name of 1 to 253 of A-Z a-z 0-9 . _ : -", ({ ref }) =>
        isRefPart(ref.namespace) && isRefPart(ref.name) ? undefined : ref,
      );
    },
  },
  {
    id: "list/counts",
    title: "Counts are whole: desired and ready at least 0, wakeReplicas at least 1.",
    why: "A wake asks for wakeReplicas; with 0 it would wake nothing.",
    mend: "default what the platform leaves out, and never store zero as wakeReplicas",
    async check(stage) {
      const isCount = (value: number, least: number): boolean => Number.isSafeInteger(value) && value >= least;
      await expectEach(stage, "desired >= 0, ready >= 0 and wakeReplicas >= 1", ({ desired, ready, wakeReplicas }) =>
        isCount(desired, 0) && isCount(ready, 0) && isCount(wakeReplicas, 1)
          ? undefined
          : { desired, ready, wakeReplicas },
      );
    },
  },
  {
    id: "list/ports",
    title: "Every resource has a port; names are unique, numbers are ports, protocols are known.",
    why: "Routes lead to a port by its name, and to the first where they name none.",
    mend: 'give each port a name, a number of 1 to 65535, and "http", "h2c" or "tcp"',
    async check(stage) {
      await expectEach(stage, "at least one port, each well-formed", ({ ports }) =>
        arePorts(ports) ? undefined : ports,
      );
    },
  },
  {
    id: "list/policy",
    title: "The policy is whole: every key that has a default is there, in its type.",
    why: "Hosts read durations and limits from it without a default of their own.",
    mend: "make it by parsePolicy or parsePolicyLabels from context.defaults",
    async check(stage) {
      const sample = Object.entries(defaultPolicy);
      await expectEach(stage, "each key of a policy in its type", ({ policy }) => {
        const wrong = sample.find(([key, value]) => typeOf(Reflect.get(policy, key)) !== typeOf(value));
        return wrong && { [wrong[0]]: Reflect.get(policy, wrong[0]) as unknown };
      });
    },
  },
  {
    id: "list/times",
    title: "Times are epoch milliseconds, and nothing is updated before it was created.",
    why: "A sleep waits for minAwake from the last update; seconds would look like 1970.",
    mend: "convert the platform's times by Date.parse or × 1,000",
    async check(stage) {
      await expectEach(stage, "createdAt and updatedAt in epoch ms, in this order", ({ createdAt, updatedAt }) =>
        createdAt >= earliestMs && updatedAt >= createdAt && Number.isFinite(updatedAt)
          ? undefined
          : { createdAt, updatedAt },
      );
    },
  },
  {
    id: "list/get-answers-what-was-asked",
    title: "getResource answers the very resource that was asked for.",
    why: "A wake would go to another one.",
    mend: "look up by namespace and name, exactly",
    async check(stage) {
      const { ref } = await stage.facts();
      expect(showRef(ref) === showRef(stage.ref), `ref ${showRef(stage.ref)}`, showRef(ref));
    },
  },
  {
    id: "list/agrees-with-get",
    title: "listResources and getResource say the same of a resource at rest.",
    why: "Routes and policies come from the one, wakes and sleeps from the other.",
    mend: "make both from the same mapping of the platform's answer",
    buildsOn: ["list/get-answers-what-was-asked"],
    async check(stage) {
      for (const ref of stage.platform.other === undefined ? [stage.ref] : [stage.ref, stage.other]) {
        // What came to rest a moment ago may still change by itself; a difference that stays is none of that kind.
        const look = async (): Promise<string> => {
          const entry = find(await stage.scaler.listResources(), ref);
          const got = await stage.facts(ref);
          return entry === undefined || isDeepStrictEqual({ ...entry }, { ...got }) ? "" : differences(entry, got);
        };
        await stage.until(`the list and getResource to agree on ${showRef(ref)}`, look, (seen) => seen === "");
      }
    },
  },
  {
    id: "list/get-of-nothing-is-undefined",
    title: "getResource of what is not there is undefined.",
    why: "It is a fact about the platform, and no failure.",
    mend: "translate the platform's not-found into undefined, in getResource only",
    async check(stage) {
      const seen = await stage.scaler.getResource(stage.unknownRef);
      expect(seen === undefined, `getResource(${showRef(stage.unknownRef)}) to be undefined`, seen);
    },
  },
];

async function expectListed(stage: Stage): Promise<void> {
  const listed = await stage.scaler.listResources();
  const keys = listed.map(({ ref }) => showRef(ref));
  expect(find(listed, stage.ref) !== undefined, `${showRef(stage.ref)} in the list`, keys);
}

/** @param flawOf what is wrong with a resource */
async function expectEach(stage: Stage, what: string, flawOf: (resource: Resource) => unknown): Promise<void> {
  for (const resource of await stage.scaler.listResources()) {
    const flaw = flawOf(resource);
    expect(flaw === undefined, `${what}, for each resource`, `${showRef(resource.ref)} with ${show(flaw)}`);
  }
}

function find(resources: readonly Resource[], { namespace, name }: LocalRef): Resource | undefined {
  return resources.find(({ ref }) => ref.namespace === namespace && ref.name === name);
}

function differences(entry: Resource, got: Resource): string {
  const keys = [...new Set([...Object.keys(entry), ...Object.keys(got)])];
  const different = keys.filter((key) => !isDeepStrictEqual(Reflect.get(entry, key), Reflect.get(got, key)));
  return `different values of ${different.join(", ")} for ${showRef(got.ref)}`;
}

function arePorts(ports: Resource["ports"]): boolean {
  const names = new Set(ports.map(({ name }) => name));
  return ports.length > 0 && names.size === ports.length && ports.every(isPort);
}

function isPort({ name, number, protocol }: Resource["ports"][number]): boolean {
  const isNumber = Number.isSafeInteger(number) && number >= 1 && number <= 65_535;
  return typeof name === "string" && name !== "" && isNumber && ["http", "h2c", "tcp"].includes(protocol);
}

function typeOf(value: unknown): string {
  return Array.isArray(value) ? "list" : typeof value;
}
