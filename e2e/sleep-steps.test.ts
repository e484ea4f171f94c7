import type { SleepStep } from "@dormouse/autoscaler";
import { scaler as processScaler } from "@dormouse/scaler-process";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { ScalerPlugin, ScaleEvent } from "@dormouse/core";
import { Gates } from "./harness/gates.ts";
import { staysAwake } from "./harness/host-config.ts";
import { routedScaler } from "./harness/routed-scaler.ts";
import { service } from "./harness/stage.ts";
import { SteppingHost } from "./harness/stepping-host.ts";
import { Traffic } from "./harness/traffic.ts";
import { until } from "./harness/until.ts";

type Ending = Pick<ScaleEvent, "outcome"> & { readonly code?: string };

interface Case {
  readonly step: SleepStep;
  /** How the sleep ends if a request came and was answered while it waited before this step. */
  readonly afterAnswered: Ending;
  /** How it ends if that request has not been answered yet. */
  readonly whileInFlight: Ending;
}

const done = { outcome: "done" } as const;
const inFlight = { outcome: "kept", code: "in-flight" } as const;
const claimed = { outcome: "kept", code: "conflict" } as const;

const before = { afterAnswered: done, whileInFlight: inFlight };

/** The fence takes the licence, so that a request after it claims, which voids the stop; after the stop it wakes. */
const cases: readonly Case[] = [
  { step: "read", afterAnswered: done, whileInFlight: { outcome: "refused", code: "in-flight" } },
  { step: "mark", ...before },
  { step: "divert", ...before },
  { step: "drain", ...before },
  { step: "list", ...before },
  { step: "fence", ...before },
  { step: "stop", afterAnswered: claimed, whileInFlight: claimed },
  { step: "done", afterAnswered: done, whileInFlight: done },
];

/** Where traffic is diverted, the drain waits for what is in flight until its limit. */
const routedCases = cases.map((one) =>
  ["mark", "divert", "drain"].includes(one.step)
    ? { ...one, whileInFlight: { outcome: "kept", code: "drain-timeout" } as const }
    : one,
);

const scalers: readonly { readonly name: string; readonly plugin: ScalerPlugin; readonly steps: readonly Case[] }[] = [
  { name: "process", plugin: processScaler, steps: cases.filter(({ step }) => step !== "divert") },
  { name: "process with routing", plugin: routedScaler, steps: routedCases },
];

describe.each(scalers)("a sleep by the scaler $name that waits just before its step", ({ plugin, steps }) => {
  let gates: Gates;
  let host: SteppingHost;
  let traffic: Traffic;

  beforeEach(async () => {
    gates = new Gates();
    const policy = { ...staysAwake, routing: "always", drainTimeout: "300ms" };
    host = await SteppingHost.open(plugin, [service(gates, "echo", { policy })]);
    traffic = new Traffic({ origin: host.origin, host: "echo.test" });
    await traffic.send(); // from here on it is awake; what became of it is looked at in the end
  });

  afterEach(async () => {
    await traffic[Symbol.asyncDispose]();
    await host[Symbol.asyncDispose]();
    gates[Symbol.dispose]();
  });

  it.each(steps)(
    "$step: a request is answered meanwhile, and the sleep ends $afterAnswered.outcome",
    async ({ step, afterAnswered }) => {
      const pause = host.pauseAt(step);
      const sleep = host.sleep("echo");
      await pause.reached;
      expect(await traffic.send({ method: "POST", body: "meanwhile" })).toMatchObject({ outcome: "answered" });
      pause.resume();
      expect(await sleep).toMatchObject(afterAnswered);
      await expectConsistent(afterAnswered.outcome === "done" && step !== "done" ? "asleep" : "awake");
    },
  );

  it.each(steps)(
    "$step: a request in flight goes on, and the sleep ends $whileInFlight.outcome",
    async ({ step, whileInFlight }) => {
      const pause = host.pauseAt(step);
      const sleep = host.sleep("echo");
      await pause.reached;
      const request = traffic.send({ method: "POST", path: "/?gate=answer", body: "long" });
      await until("the request reached the service", () => host.status("echo").inFlight === 1);
      pause.resume();
      expect(await sleep).toMatchObject(whileInFlight);
      expect(host.status("echo")).toMatchObject({ inFlight: 1 });
      gates.open("answer");
      expect(await request).toMatchObject({ outcome: "answered" });
      await expectConsistent("awake");
    },
  );

  it.each(steps)("$step: requests of many clients that keep coming are all answered", async ({ step }) => {
    const pause = host.pauseAt(step);
    const sleep = host.sleep("echo");
    await pause.reached;
    const crowds = [traffic.burst(20, { method: "POST", body: "one of many" })];
    pause.resume();
    for (let round = 0; round < 5; round += 1) crowds.push(traffic.burst(10));
    expect(["done", "kept", "refused"]).toContain((await sleep).outcome);
    await Promise.all(crowds);
    await expectConsistent(undefined);
  });

  /** Nothing was lost, doubled or refused, and the next request finds the resource in the state that is expected, if one is. */
  async function expectConsistent(state: "asleep" | "awake" | undefined): Promise<void> {
    if (state !== undefined) await host.untilState("echo", state);
    const next = await traffic.send();
    expect(next).toMatchObject({ outcome: "answered", ...(state === "asleep" && { cold: true }) });
    expect(traffic.of("lost")).toEqual([]);
    expect(traffic.of("refused")).toEqual([]);
    expect(traffic.discrepancies([gates.ledger("echo")])).toEqual([]);
  }
});
