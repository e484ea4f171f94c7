import { EventJournal, type LeaderElector, parseConfig, ResourceCatalog, silentLogger } from "@dormouse/core";
import { FakeClock, openMemoryScaler } from "@dormouse/core/testing";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ConfigStatus } from "./config-status.ts";
import type { AutoscalerPart, DlxPart } from "./host-engine.ts";
import type { HostRole } from "./host-role.ts";
import type { HostTraffic } from "./host-traffic.ts";
import { HostView } from "./host-view.ts";
import { WatchedLead } from "./watched-lead.ts";

const ref = { scaler: "memory", namespace: "default", name: "a" };
const order = { by: "operator", reason: "night", signal: new AbortController().signal };
const { autoscaler: autoscalerConfig } = parseConfig({ scalers: [{ use: "x" }] }, "d.yaml");

let clock: FakeClock;
let catalog: ResourceCatalog;
let isLeader: boolean;
let silent: HostTraffic["silent"];

beforeEach(async () => {
  clock = new FakeClock();
  isLeader = true;
  silent = [];
  catalog = new ResourceCatalog({ clock, logger: silentLogger });
  const { guarded } = await openMemoryScaler({ clock, resources: [{ name: "a", desired: 1 }] });
  catalog.follow(guarded);
  await vi.waitUntil(() => catalog.list().length === 1);
});

afterEach(() => catalog[Symbol.asyncDispose]());

const counted = { licensed: false, held: 4, inFlight: 0, requests: 9, idleForMs: 1_000, backoffLeftMs: 0, targets: [] };

function view(role: HostRole, parts: { dlxPart?: unknown; autoscalerPart?: unknown }): HostView {
  const traffic: HostTraffic = {
    status: () => counted,
    refresh: async () => {},
    get silent() {
      return silent;
    },
  };
  return new HostView({
    role,
    process: "p1",
    clock,
    journal: new EventJournal(clock),
    catalog,
    dlxPart: parts.dlxPart as DlxPart | undefined,
    autoscalerPart: parts.autoscalerPart as AutoscalerPart | undefined,
    traffic,
    autoscalerConfig: () => autoscalerConfig,
    configStatus: new ConfigStatus(clock, "d.yaml"),
    isStopping: () => false,
    telemetry: { read: async () => "" },
  });
}

/** An autoscaler whose sleeps are refused as a standby refuses them. */
function standby(over: Partial<LeaderElector> = {}) {
  const elector: LeaderElector = {
    isLeader: () => isLeader,
    lead: async () => {},
    [Symbol.asyncDispose]: async () => {},
    ...over,
  };
  const refusal = { id: 1, at: 0, kind: "sleep", resource: "memory/default/a", by: "operator", reason: "Not here." };
  const sleep = async () => ({ ...refusal, outcome: "refused", code: "not-leader" });
  return { autoscaler: { lastDecision: () => undefined, sleep }, lead: new WatchedLead(elector, clock) };
}

describe("a host with only an autoscaler", () => {
  it("shows what all DLXs have together, that it leads, and who does not answer", () => {
    silent = [{ id: "b", code: "SCALER_TIMEOUT" }];
    const host = view("autoscaler", { autoscalerPart: standby({ leader: () => "pod-x" }) });
    expect(host.list()).toMatchObject({
      role: "autoscaler",
      lead: { leads: true, leader: "pod-x" },
      silent: [{ id: "b", code: "SCALER_TIMEOUT" }],
      resources: [{ held: 4, requests: 9 }],
    });
    expect(host.why(ref)).toMatchObject({
      entrances: [],
      warnings: ["what b has is not counted, since it does not answer: SCALER_TIMEOUT"],
    });
    expect(host.peer).toBeUndefined();
  });

  it("is ready also while it stands by", () => {
    isLeader = false;
    expect(view("autoscaler", { autoscalerPart: standby() }).readiness()).toEqual({ ready: true, reasons: [] });
  });

  it("names the leader where a standby is asked for a sleep, as far as it is known", async () => {
    const knowing = view("autoscaler", { autoscalerPart: standby({ leader: () => "pod-x" }) });
    expect((await knowing.sleep(ref, order)).reason).toBe("Not here. The leader is pod-x.");
    expect((await view("autoscaler", { autoscalerPart: standby() }).sleep(ref, order)).reason).toBe("Not here.");
  });

  it("stops being alive once nothing asks who leads for long, since every tick does", async () => {
    const part = standby();
    const host = view("autoscaler", { autoscalerPart: part });
    await clock.advance(120_000 + 3 * autoscalerConfig.every);
    expect(host.liveness().alive).toBe(true);
    await clock.advance(1);
    expect(host.liveness()).toEqual({ alive: false, reasons: ["the autoscaler has not ticked for 135s"] });
    // Display is no tick.
    expect(host.list().lead?.leads).toBe(true);
    expect(host.liveness().alive).toBe(false);
    part.lead.isLeader();
    expect(host.liveness().alive).toBe(true);
  });

  it("leads nothing while its elector fails", () => {
    const fails = () => {
      throw new Error("no lease");
    };
    expect(view("autoscaler", { autoscalerPart: standby({ isLeader: fails, leader: fails }) }).list().lead).toEqual({
      leads: false,
    });
  });
});

describe("a host with only a DLX", () => {
  const peer = { id: "process-1" };
  const dlx = { peer, draining: false, addresses: [] };

  it("is not ready before the list of DLXs has it", () => {
    const ownEntry = { isListed: false, id: "pod-a" };
    const host = view("dlx", { dlxPart: { dlx, ownEntry } });
    expect(host.readiness()).toEqual({
      ready: false,
      reasons: ["the list of DLXs does not have this one yet: pod-a"],
    });
    ownEntry.isListed = true;
    expect(host.readiness().ready).toBe(true);
  });

  it("answers other hosts under the id that they know it by", () => {
    expect(view("dlx", { dlxPart: { dlx, ownEntry: { id: "pod-a" } } }).peer?.id).toBe("pod-a");
    expect(view("up", { dlxPart: { dlx } }).peer?.id).toBe("process-1");
  });

  it("explains a resource without deciding about it, and puts nothing to sleep", async () => {
    const host = view("dlx", { dlxPart: { dlx } });
    expect(host.why(ref)).toMatchObject({ next: { kind: "stay" } });
    expect(host.why(ref)?.decision).toBeUndefined();
    await expect(host.sleep(ref, order)).rejects.toMatchObject({ code: "SCALER_UNSUPPORTED" });
  });
});
