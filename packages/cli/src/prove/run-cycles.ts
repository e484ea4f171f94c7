import { formatDuration, type Milliseconds } from "@dormouse/core";
import type { WhyReport } from "../admin/why-report.ts";
import { fallAsleep } from "./fall-asleep.ts";
import { forceSleep } from "./force-sleep.ts";
import { hasWoken } from "./resource-watch.ts";
import { NotProven, type Stage } from "./stage.ts";

/** How long requests go on after a wake, in ms. */
const onwardMs: Milliseconds = 2_000;

/** Time between two looks whether it is awake, in ms. */
const lookEveryMs = 50;

/** Most requests that meet a sleeping resource at once. */
const mostAtOnce = 50;

/** How the first requests after a sleep come, in turn. */
const aims = ["as it falls asleep", "around the sleep", "many at once", "some time later"] as const;
type Aim = (typeof aims)[number];

/** How far a run has come. */
export interface CycleCounts {
  /** Times it was seen to fall asleep. */
  asleep: number;
  /** Times it was seen to wake after that. */
  woken: number;
  /** Times a sleep was asked for and refused. */
  sleepsRefused: number;
}

/** Lets the resource sleep and wakes it by requests, so many times. Counts as it goes; rejects with why it could not go on. */
export async function runCycles(
  stage: Stage,
  { cycles, isForced }: { readonly cycles: number; readonly isForced: boolean },
  counts: CycleCounts,
): Promise<void> {
  await streamFor(stage, onwardMs);
  for (let cycle = 1; cycle <= cycles; cycle += 1) {
    const aim = aims[(cycle - 1) % aims.length] ?? aims[0];
    const name = `cycle ${cycle} of ${cycles}`;
    const told = { ...stage, tell: (line: string) => stage.tell(`${name}: ${line}`) };
    const before = await told.watch.look();
    const { cold } = told.traffic;
    if (isForced) counts.sleepsRefused += await forceSleep(told, `dormouse prove, ${name}`);
    else await fallAsleep(told, aim === "around the sleep");
    counts.asleep += 1;
    await wake(told, aim, () => told.traffic.cold > cold, before);
    counts.woken += 1;
  }
}

/** Sends requests until it is awake, and for a while on; resolves once all have ended. */
async function wake(stage: Stage, aim: Aim, wasCold: () => boolean, before: WhyReport): Promise<void> {
  const { traffic, clock, ratePerSecond, patienceMs, watch } = stage;
  stage.tell(`asleep; requests come ${aim}`);
  if (aim === "some time later") await watch.pause(Math.random() * 1_000);
  const first = aim === "many at once" ? traffic.burst(Math.min(mostAtOnce, Math.ceil(ratePerSecond))) : undefined;
  const deadline = clock.monotonic() + patienceMs;
  await whileStreaming(stage, async () => {
    while (!wasCold() && !hasWoken(before, await watch.look())) {
      if (clock.monotonic() >= deadline)
        throw new NotProven(`it did not wake within --patience ${formatDuration(patienceMs)}`);
      await watch.pause(lookEveryMs);
    }
    await watch.pause(onwardMs);
  });
  await first;
}

function streamFor(stage: Stage, ms: Milliseconds): Promise<void> {
  return whileStreaming(stage, () => stage.watch.pause(ms));
}

/** Sends requests as long as something goes on, then waits until all of them have ended. */
async function whileStreaming({ traffic, ratePerSecond }: Stage, work: () => Promise<void>): Promise<void> {
  const stop = new AbortController();
  const stream = traffic.stream(ratePerSecond, stop.signal);
  try {
    await work();
  } finally {
    stop.abort();
    await stream;
    await traffic.ended();
  }
}
