import { type Clock, ScalerError } from "@dormouse/core";
import type { Lease, LeaseSpec, LeaseStore } from "../src/lease/lease-store.ts";

/** What becomes of one call. */
export interface CallFate {
  /** Before the server takes it in. */
  readonly thereMs?: number;
  /** Before the caller hears of it. */
  readonly backMs?: number;
  /** Whether the caller hears of a failure, and whether the server took the call in all the same. */
  readonly fails?: "before" | "after";
}

/** One Lease as an API server keeps it, with what happens to calls on their way. */
export class MemoryLeaseStore {
  lease: Lease | undefined;
  /** Calls that the server took in, for example `update ann`. */
  readonly log: string[] = [];
  #version = 0;

  /** The store as one process reaches it. */
  connect(clock: Clock, fateOf: () => CallFate = () => ({})): LeaseStore {
    const call = async <T>(act: () => T, deadlineMs: number): Promise<T> => {
      const { thereMs = 0, backMs = 0, fails } = fateOf();
      const work = async (): Promise<T> => {
        if (thereMs > 0) await clock.sleep(thereMs);
        if (fails === "before") throw new ScalerError("SCALER_UNAVAILABLE", "connection refused");
        const result = act();
        if (backMs > 0) await clock.sleep(backMs);
        if (fails === "after") throw new ScalerError("SCALER_UNAVAILABLE", "connection reset");
        return result;
      };
      const late = clock.sleep(deadlineMs).then(() => {
        throw new ScalerError("SCALER_TIMEOUT", "late");
      });
      late.catch(() => {});
      return Promise.race([work(), late]);
    };
    return {
      read: ({ deadlineMs }) => call(() => this.lease, deadlineMs),
      create: (spec, { deadlineMs }) => call(() => this.#write(undefined, spec), deadlineMs),
      update: (before, spec, { deadlineMs }) =>
        call(() => this.#write(before.metadata.resourceVersion, spec), deadlineMs),
    };
  }

  get holder(): string | null | undefined {
    return this.lease?.spec?.holderIdentity;
  }

  #write(version: string | undefined, spec: LeaseSpec): Lease {
    if (this.lease?.metadata.resourceVersion !== version) throw new ScalerError("SCALER_CONFLICT", "changed");
    this.#version += 1;
    this.lease = { metadata: { resourceVersion: String(this.#version) }, spec };
    this.log.push(`${version === undefined ? "create" : "update"} ${String(spec.holderIdentity)}`);
    return this.lease;
  }
}
