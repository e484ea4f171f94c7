import { connect } from "node:net";
import type { Clock, Milliseconds } from "@dormouse/core";
import type { SliceEndpoint, SliceObject } from "./objects.ts";
import type { AddressType } from "./slice-api.ts";

/** How long a DLX may take to accept a connection at a port that it has just been told of. */
const dialLimitMs: Milliseconds = 500;

/** DLXs in one slice; more than a slice may hold is none of any use. */
const mostEndpoints = 100;

/** The DLXs that the cluster calls ready, as endpoints of one family. */
export function readyDlxs(slices: readonly SliceObject[], addressType: AddressType): readonly SliceEndpoint[] {
  const found = new Map<string, SliceEndpoint>();
  for (const slice of slices) {
    if (slice.addressType !== addressType) continue;
    for (const { addresses, conditions, targetRef } of slice.endpoints ?? []) {
      const [address] = addresses;
      if (address === undefined || conditions?.ready === false) continue;
      found.set(address, {
        addresses: [address],
        conditions: { ready: true },
        ...(targetRef !== undefined && { targetRef }),
      });
    }
  }
  return [...found.values()]
    .toSorted((one, other) => addressOf(one).localeCompare(addressOf(other)))
    .slice(0, mostEndpoints);
}

/** Which of them accept connections at all of the ports: traffic must not be sent to a DLX that does not listen for it yet. */
export async function listening(
  endpoints: readonly SliceEndpoint[],
  ports: readonly number[],
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal | undefined },
): Promise<readonly SliceEndpoint[]> {
  const accepted = await Promise.all(
    endpoints.map(async (endpoint) => {
      const dials = await Promise.all(ports.map((port) => accepts(addressOf(endpoint), port, clock, signal)));
      return dials.every(Boolean);
    }),
  );
  return endpoints.filter((_, index) => accepted[index]);
}

function addressOf({ addresses }: SliceEndpoint): string {
  return addresses[0] ?? "";
}

function accepts(host: string, port: number, clock: Clock, signal: AbortSignal | undefined): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const end = (accepted: boolean) => (): void => {
      timer.cancel();
      signal?.removeEventListener("abort", onLate);
      socket.destroy();
      resolve(accepted);
    };
    const onLate = end(false);
    const timer = clock.setTimer(dialLimitMs, onLate);
    signal?.addEventListener("abort", onLate, { once: true });
    socket.once("connect", end(true)).on("error", onLate);
  });
}
