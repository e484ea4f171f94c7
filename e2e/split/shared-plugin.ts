// Plugins to be loaded by path: the scaler and the leader elector of a `SharedPlatform`.
import { isDeepStrictEqual } from "node:util";
import {
  contractVersion,
  definePort,
  defineScaler,
  type LocalRef,
  parsePolicy,
  type Policy,
  type Resource,
  ScalerError,
  type ScalerContext,
} from "@dormouse/core";
import type { SharedService } from "./shared-platform.ts";

/** How often the platform is looked at, and how often a lease is renewed, in ms. */
const every = { look: 40, renew: 200 };
/** A lease that was not renewed for so long is believed no more; the platform gives it away a little later. */
const leaseMs = 700;

/** The tests write them, so they are taken for what they should be. */
interface SharedOptions {
  readonly url: string;
  /** Of the elector. */
  readonly id: string;
  /** Of the scaler. */
  readonly policy?: unknown;
}

const validate = (value: unknown) => ({ value: value as SharedOptions });
const options = { "~standard": { version: 1, vendor: "dormouse-e2e", validate } } as const;

/** The platform as a scaler. */
export const scaler = defineScaler({
  contract: contractVersion,
  name: "shared",
  options,
  create: async ({ url, policy }, { defaults }: ScalerContext) => {
    const parsed = parsePolicy(policy, { ...defaults, enabled: true }, "policy");
    const read = async (signal: AbortSignal | undefined) =>
      toResource(await call<SharedService>(url, "/service", { method: "GET" }, signal), parsed);
    return {
      capabilities: { replicas: "many", watch: true, routing: false, compareAndSet: true, settleWithinMs: 0 } as const,
      listResources: async (options?: { signal?: AbortSignal }) => [await read(options?.signal)],
      getResource: async (ref: LocalRef, options?: { signal?: AbortSignal }) => {
        const resource = await read(options?.signal);
        return resource.ref.name === ref.name ? resource : undefined;
      },
      setScale: async (_: LocalRef, replicas: number, options?: { ifVersion?: string; signal?: AbortSignal }) => {
        const body = JSON.stringify({ replicas, ifVersion: options?.ifVersion });
        const { version } = await call<SharedService>(url, "/service", { method: "PUT", body }, options?.signal);
        return { version };
      },
      resolveTargets: async (_: LocalRef, __: string | undefined, options?: { signal?: AbortSignal }) => {
        const { targets } = await call<SharedService>(url, "/service", { method: "GET" }, options?.signal);
        return targets.map((target) => ({ ...target, host: "127.0.0.1" }));
      },
      async *watchResources(options?: { signal?: AbortSignal }) {
        let last: Resource | undefined;
        while (options?.signal?.aborted !== true) {
          const next = await read(options?.signal);
          if (!isDeepStrictEqual(last, next)) yield { kind: "snapshot", resources: [next] } as const;
          last = next;
          await new Promise((resolve) => setTimeout(resolve, every.look));
        }
      },
      [Symbol.asyncDispose]: async () => {},
    };
  },
});

/** Leads while it holds the platform's lease. */
export const leaderElector = definePort("leaderElector", {
  name: "shared",
  options,
  create: async ({ url, id }, { clock }) => {
    let heldUntil = -Infinity;
    let holder: string | undefined;
    const take = async (method: "PUT" | "DELETE", signal?: AbortSignal): Promise<void> => {
      const askedAt = clock.monotonic();
      const answer = await call<{ holder: string | null }>(
        url,
        "/lease",
        { method, body: JSON.stringify({ holder: id }) },
        signal,
      );
      holder = answer.holder ?? undefined;
      heldUntil = holder === id ? askedAt + leaseMs : -Infinity;
    };
    return {
      isLeader: () => clock.monotonic() < heldUntil,
      leader: () => holder,
      lead: async (signal: AbortSignal) => {
        while (!signal.aborted) {
          await take("PUT", signal).catch(() => {});
          await clock.sleep(every.renew, signal).catch(() => {});
        }
        heldUntil = -Infinity;
        await take("DELETE").catch(() => {});
      },
      [Symbol.asyncDispose]: async () => {},
    };
  },
});

function toResource(
  { name, desired, ready, wakeReplicas, version, updatedAt }: SharedService,
  policy: Policy,
): Resource {
  return {
    ref: { namespace: "default", name },
    desired,
    ready,
    wakeReplicas,
    version,
    ports: [{ name: "http", number: 80, protocol: "http" }],
    policy,
    createdAt: 0,
    updatedAt,
  };
}

async function call<Answer>(
  url: string,
  path: string,
  init: { readonly method: string; readonly body?: string },
  signal: AbortSignal | undefined,
): Promise<Answer> {
  const answer = await fetch(`${url}${path}`, { ...init, ...(signal !== undefined && { signal }) }).catch(
    (cause: unknown) => {
      throw new ScalerError("SCALER_UNAVAILABLE", "the platform does not answer", { cause });
    },
  );
  if (answer.status === 409) throw new ScalerError("SCALER_CONFLICT", "the service has another version");
  return (await answer.json()) as Answer;
}
