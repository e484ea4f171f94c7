import { type Resource, ScalerError } from "@dormouse/core";
import { MemoryPlatform, type MemoryRecord } from "../memory/memory-platform.ts";
import { type Mutant, scalerMutant } from "./mutant.ts";

export const listMutants: readonly Mutant[] = [
  scalerMutant("list/holds-the-asleep", "lists only what runs", (scaler) => ({
    listResources: async (options) => (await scaler.listResources(options)).filter(({ desired }) => desired > 0),
  })),
  scalerMutant("list/holds-the-awake", "lists only what sleeps", (scaler) => ({
    listResources: async (options) => (await scaler.listResources(options)).filter(({ desired }) => desired === 0),
  })),
  scalerMutant("list/no-resource-twice", "lists the last page twice", (scaler) => ({
    async listResources(options) {
      const listed = await scaler.listResources(options);
      return [...listed, ...listed.slice(-1)];
    },
  })),
  scalerMutant("list/refs", "hands over a name as the platform has it", (scaler) => ({
    async listResources(options) {
      const listed = await scaler.listResources(options);
      const [first] = listed;
      return first === undefined ? listed : [...listed, { ...first, ref: { namespace: "default", name: "a b/c" } }];
    },
  })),
  neighbourMutant("list/counts", "says that a wake asks for 0 replicas", { wakeReplicas: 0 }),
  neighbourMutant("list/ports", "leaves out the ports", { ports: [] }),
  scalerMutant("list/policy", "hands over the policy as it was written", (_, platform) => {
    platform.toResource = (record) => {
      const resource = faithful(platform, record);
      const policy = { ...resource.policy, idleAfter: "5m" as unknown as number };
      return record.ref.name === "db" ? { ...resource, policy } : resource;
    };
  }),
  neighbourMutant("list/times", "gives times in seconds", { createdAt: 1_700_000_000, updatedAt: 1_700_000_000 }),
  scalerMutant("list/agrees-with-get", "lists other times than it gets", (scaler) => ({
    listResources: async (options) =>
      (await scaler.listResources(options)).map((each) => ({ ...each, updatedAt: each.updatedAt + 1 })),
  })),
  scalerMutant("list/get-answers-what-was-asked", "answers names in the platform's case", (scaler) => ({
    async getResource(ref, options) {
      const resource = await scaler.getResource(ref, options);
      return resource && { ...resource, ref: { ...resource.ref, name: resource.ref.name.toUpperCase() } };
    },
  })),
  scalerMutant("list/get-of-nothing-is-undefined", "rejects for what is not there", (scaler) => ({
    async getResource(ref, options) {
      const resource = await scaler.getResource(ref, options);
      if (resource === undefined) throw new ScalerError("SCALER_NOT_FOUND", "there is nothing");
      return resource;
    },
  })),
];

/** Says something wrong of the second resource, everywhere alike. */
function neighbourMutant(breaks: string, how: string, wrong: Partial<Resource>): Mutant {
  return scalerMutant(breaks, how, (_, platform) => {
    platform.toResource = (record) =>
      record.ref.name === "db" ? { ...faithful(platform, record), ...wrong } : faithful(platform, record);
  });
}

function faithful(platform: MemoryPlatform, record: MemoryRecord): Resource {
  return MemoryPlatform.prototype.toResource.call(platform, record);
}
