import { type CatalogEntry, isScalerError, type Target } from "@dormouse/core";
import type { ReachedTarget } from "./passage.ts";

/*
 * A resource may have several ports. One of them is its main port (the policy's, else its first): a dial of that decides
 * whether an instance takes requests. Of each further port that requests come for only the address is needed, by the id
 * of its instance.
 */

/** What a scaler says of further ports, by name: their targets by the id of the instance, or that there is no such port. Left out: it did not say. */
export type PortAnswers = ReadonlyMap<string, ReadonlyMap<string, Target> | "missing">;

/** The name of a resource's main port; undefined where the resource names none. */
export function mainPortOf({ resource }: Pick<CatalogEntry, "resource">): string | undefined {
  return resource.policy.port ?? resource.ports[0]?.name;
}

/** Asks for the targets of further ports. Never rejects: a port that cannot be resolved must not disturb the others. */
export async function resolvePorts(
  { scaler, ref }: CatalogEntry,
  ports: Iterable<string>,
  signal: AbortSignal,
): Promise<PortAnswers> {
  const answers = new Map<string, ReadonlyMap<string, Target> | "missing">();
  const ask = async (port: string): Promise<void> => {
    try {
      const targets = await scaler.resolveTargets(ref, port, { signal });
      answers.set(port, new Map(targets.map((target) => [target.id, target])));
    } catch (error) {
      if (isScalerError(error) && error.code === "SCALER_BAD_ARGUMENT") answers.set(port, "missing");
    }
  };
  await Promise.all([...ports].map(ask));
  return answers;
}

/**
 * Where a further port of a reached instance is: behind the address that answered, where the scaler gives both ports the
 * same host.
 *
 * @param candidate what was dialled
 */
export function toPortTarget(reached: ReachedTarget, candidate: Pick<Target, "host">, other: Target): ReachedTarget {
  const address = other.host === candidate.host ? reached.address : other.host;
  return { id: reached.id, address, port: other.port };
}
