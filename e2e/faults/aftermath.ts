import type { Host, ResourceView } from "../harness/host.ts";
import { descriptorsOf, memoryOf } from "../harness/processes.ts";
import { until } from "../harness/until.ts";

/** What a host takes of its machine. */
export interface HostSize {
  readonly descriptors: number;
  readonly memory: number;
}

/** Descriptors that come and go by themselves: a probe, a look into `/proc`, a connection to the admin API. */
const moreDescriptors = 8;

/** Bytes that a host may keep after some thousand requests: the garbage of its heap. */
const moreMemory = 200_000_000;

/** What it takes now. */
export function sizeOf({ pid }: Host): HostSize {
  return { descriptors: descriptorsOf(pid), memory: memoryOf(pid).now };
}

/** Resolves once everything sleeps, nothing is held or in flight, and the host has let go of all that the load made it take. */
export async function untilAsBefore(host: Host, before: HostSize): Promise<void> {
  let last: readonly ResourceView[] = [];
  await until(
    () => `everything slept and nothing was open: ${JSON.stringify(last)}`,
    async () => {
      last = await resourcesOf(host);
      return last.every(({ state, held, inFlight }) => state === "asleep" && held === 0 && inFlight === 0);
    },
  );
  await until(
    () => `descriptors were back at ${before.descriptors}: ${descriptorsOf(host.pid)} are open`,
    () => descriptorsOf(host.pid) <= before.descriptors + moreDescriptors,
  );
  const { memory } = sizeOf(host);
  if (memory > before.memory + moreMemory)
    throw new Error(`the host has grown from ${before.memory} to ${memory} bytes`);
  await expectNoActivity(host);
}

async function resourcesOf({ admin }: Host): Promise<readonly ResourceView[]> {
  const answer = await fetch(`${admin}/v1/resources`);
  return ((await answer.json()) as { readonly resources: readonly ResourceView[] }).resources;
}

interface Activity {
  readonly resources: readonly { readonly ref: string; readonly held: number; readonly inFlight: number }[];
}

/** The DLX's own counts, on which a sleep rests. */
async function expectNoActivity({ admin }: Host): Promise<void> {
  const activity = (await (await fetch(`${admin}/v1/activity`)).json()) as Activity;
  const busy = activity.resources.filter(({ held, inFlight }) => held !== 0 || inFlight !== 0);
  if (busy.length > 0) throw new Error(`the DLX still counts ${JSON.stringify(busy)}`);
}
