import { defaultPolicy, type GuardedScaler, type Logger, openScaler, type Resource, systemClock } from "@dormouse/core";
import { scaler as plugin } from "../src/index.ts";
import type { FakeAzure } from "./fake/open-azure.ts";

/** A line of the log. */
interface Told {
  readonly fields: object;
  readonly message: string;
}

/** A scaler on a fake Azure as a host has it, with what it told the log. */
export interface OpenScaler extends AsyncDisposable {
  readonly scaler: GuardedScaler;
  readonly told: readonly Told[];
}

/** Opens it with the fake's options. @param changes options that differ */
export async function openOn(azure: FakeAzure, changes: Readonly<Record<string, unknown>> = {}): Promise<OpenScaler> {
  const told: Told[] = [];
  const tell = (fields: object, message: string): void => void told.push({ fields, message });
  const logger: Logger = { debug: () => {}, info: tell, warn: tell, error: tell, child: () => logger };
  const context = { id: "aci", clock: systemClock, logger, defaults: defaultPolicy };
  const scaler = await openScaler(plugin, { ...azure.options, ...changes }, context);
  return { scaler, told, [Symbol.asyncDispose]: async () => scaler[Symbol.asyncDispose]() };
}

/** The refs of the tests' groups. */
export const web = { namespace: "shop", name: "web" };
export const other = { namespace: "shop", name: "other" };

/** Looks until it holds, for at most twenty seconds. @returns what was seen last */
export async function until<Seen>(look: () => Promise<Seen>, holds: (seen: Seen) => boolean): Promise<Seen> {
  for (const endsAt = Date.now() + 20_000; ; await systemClock.sleep(10)) {
    const seen = await look();
    if (holds(seen)) return seen;
    if (Date.now() > endsAt) throw new Error(`it did not come about; last seen: ${JSON.stringify(seen)}`);
  }
}

/** The resource once it is as wanted. */
export async function untilResource(
  { scaler }: OpenScaler,
  holds: (resource: Resource) => boolean,
  ref = web,
): Promise<Resource> {
  const seen = await until(
    async () => scaler.getResource(ref),
    (resource) => resource !== undefined && holds(resource),
  );
  if (seen === undefined) throw new Error("it is gone");
  return seen;
}

/** What a call rejects with. */
export async function rejectionOf(
  call: Promise<unknown>,
): Promise<Error & { readonly code?: string; readonly retryable?: boolean; readonly retryAfterMs?: number }> {
  try {
    await call;
  } catch (error) {
    if (error instanceof Error) return error;
    throw error;
  }
  throw new Error("the call resolved");
}
