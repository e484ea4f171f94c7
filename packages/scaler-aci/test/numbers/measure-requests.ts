import type { LocalRef, Milliseconds } from "@dormouse/core";
import { callAsDlx } from "./call-as-dlx.ts";
import { openFleet } from "./open-fleet.ts";

/** How many requests something took. */
export interface RequestCount {
  readonly what: string;
  readonly reads: number;
  readonly writes: number;
  /** Most requests within one second. */
  readonly mostPerSecond: number;
  /** Answers that refused a request for its rate. */
  readonly refused: number;
  /** Virtual time that it took. */
  readonly tookMs: Milliseconds;
}

/** Groups of the fleet. */
export const fleetSize = 200;

/** From an accepted start to Running: what small images take. */
const startMs: Milliseconds = 20_000;
const hourMs: Milliseconds = 3_600_000;

/** Every number of the table in docs/azure.md, in its order. Virtual time; the same each time. */
export async function measureRequests(): Promise<readonly RequestCount[]> {
  return [
    await measureStart(),
    await measureSleepingHour(),
    await measureWakingHour(),
    await measureWakes(1, "a wake, from the request to the target"),
    await measureWakes(fleetSize, `${fleetSize} wakes at once`),
    await measureSleep(),
  ];
}

/** From the start of a host to the first whole list. */
async function measureStart(): Promise<RequestCount> {
  const fleet = await openFleet(fleetSize, startMs);
  try {
    return await fleet.measure(`start of a host, ${fleetSize} groups`, async () => fleet.watch());
  } finally {
    await fleet.close();
  }
}

/** Nobody asks for anything. */
async function measureSleepingHour(): Promise<RequestCount> {
  const fleet = await openFleet(fleetSize, startMs);
  try {
    await fleet.run(async () => fleet.watch());
    return await fleet.measure(`an hour, ${fleetSize} groups asleep`, async () => fleet.clock.sleep(hourMs));
  } finally {
    await fleet.close();
  }
}

/** All are awake, and a DLX follows their targets. Two minutes of the hour are measured. */
async function measureWakingHour(): Promise<RequestCount> {
  const fleet = await openFleet(fleetSize, startMs);
  const part = 30;
  try {
    await fleet.startAll();
    await fleet.run(async () => fleet.watch());
    const counted = await fleet.measure(`an hour, ${fleetSize} groups awake`, async () =>
      callAsDlx(fleet).follow(fleet.refs, hourMs / part),
    );
    return { ...counted, reads: counted.reads * part, writes: counted.writes * part, tookMs: hourMs };
  } finally {
    await fleet.close();
  }
}

/** So many wakes that begin in the same moment, until each has a target. */
async function measureWakes(count: number, what: string): Promise<RequestCount> {
  const fleet = await openFleet(fleetSize, startMs);
  try {
    await fleet.run(async () => fleet.watch());
    await fleet.run(async () => fleet.clock.sleep(60_000));
    const dlx = callAsDlx(fleet);
    const refs: readonly LocalRef[] = fleet.refs.slice(0, count);
    return await fleet.measure(what, async () => void (await Promise.all(refs.map(async (ref) => dlx.wake(ref)))));
  } finally {
    await fleet.close();
  }
}

/** As the autoscaler does it: a look to decide, a look before the stop, the stop, a look after it. */
async function measureSleep(): Promise<RequestCount> {
  const fleet = await openFleet(fleetSize, startMs);
  try {
    await fleet.startAll();
    await fleet.run(async () => fleet.watch());
    const [ref] = fleet.refs;
    if (ref === undefined) throw new Error("the fleet is empty");
    return await fleet.measure("a sleep", async () => {
      await fleet.scaler.getResource(ref);
      await fleet.scaler.getResource(ref);
      await fleet.scaler.setScale(ref, 0);
      await fleet.scaler.getResource(ref);
    });
  } finally {
    await fleet.close();
  }
}
