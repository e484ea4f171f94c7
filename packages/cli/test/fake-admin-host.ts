import { type DlxPeer, EventJournal, type ScaleEvent, ScalerError } from "@dormouse/core";
import { FakeClock } from "@dormouse/core/testing";
import type { AdminHost } from "../src/admin/admin-host.ts";
import type { ResourceReport } from "../src/admin/resource-report.ts";

/** A report of a resource that a test says something about. */
export function someReport(over: Partial<ResourceReport> = {}): ResourceReport {
  return {
    ref: "local/default/hello",
    state: "awake",
    since: 1_700_000_000_000,
    desired: 1,
    ready: 1,
    wakeReplicas: 1,
    held: 0,
    inFlight: 0,
    requests: 0,
    ...over,
  };
}

/** An event that a test says something about. */
export function someEvent(over: Partial<ScaleEvent> = {}): ScaleEvent {
  const phases = { claim: 0.4321987, start: 400 };
  return {
    id: 1,
    at: 1_700_000_000_000,
    kind: "wake",
    resource: "local/default/hello",
    by: "request",
    reason: "a request is held",
    outcome: "done",
    from: 0,
    to: 1,
    tookMs: 412.3456789,
    phases,
    ...over,
  };
}

/** What the admin API is served from, in memory; a test looks at what was asked. */
export class FakeAdminHost implements AdminHost {
  readonly process = "p1";
  role: AdminHost["role"] = "up";
  readonly clock = new FakeClock();
  readonly journal = new EventJournal(this.clock);
  readonly asked: unknown[] = [];
  ready = true;
  refreshes = 0;
  reports: readonly ResourceReport[] = [someReport()];
  failure: Error | undefined;

  peer: DlxPeer | undefined = {
    id: "p1",
    readActivity: async () => ({ process: "p1", startedAt: 1, uptimeMs: 2, resources: [] }),
    fence: async (ref, attempt) => {
      this.asked.push({ fence: ref.name, attempt });
      return { process: "p1", attempt, inFlight: 0, held: 0 };
    },
  };

  alive = true;

  liveness(): ReturnType<AdminHost["liveness"]> {
    return this.alive ? { alive: true, reasons: [] } : { alive: false, reasons: ["no tick"] };
  }

  async refresh(): Promise<void> {
    this.refreshes += 1;
  }

  readiness(): ReturnType<AdminHost["readiness"]> {
    return this.ready ? { ready: true, reasons: [] } : { ready: false, reasons: ["stopping"] };
  }

  list(): ReturnType<AdminHost["list"]> {
    return { role: this.role, resources: this.reports, config: { file: "d.yaml", loadedAt: 1 }, unlisted: [] };
  }

  resource(ref: Parameters<AdminHost["resource"]>[0]): ReturnType<AdminHost["resource"]> {
    return this.reports.find((report) => report.ref === `${ref.scaler}/${ref.namespace}/${ref.name}`);
  }

  why(ref: Parameters<AdminHost["why"]>[0]): ReturnType<AdminHost["why"]> {
    const report = this.resource(ref);
    if (report === undefined) return undefined;
    const traffic = { held: 0, inFlight: 0, requests: 0, idleForMs: 0, targets: 0 };
    return {
      ref: report.ref,
      state: report.state,
      since: report.since,
      replicas: { desired: 1, ready: 1, onWake: 1 },
      traffic,
      routes: [],
      entrances: [],
      because: [],
      next: { kind: "sleep", inMs: 1 },
      warnings: [],
    };
  }

  wake(ref: Parameters<AdminHost["wake"]>[0], order: Parameters<AdminHost["wake"]>[1]): Promise<ScaleEvent> {
    return this.#scale("wake", ref.name, order);
  }

  sleep(ref: Parameters<AdminHost["sleep"]>[0], order: Parameters<AdminHost["sleep"]>[1]): Promise<ScaleEvent> {
    return this.#scale("sleep", ref.name, order);
  }

  async metrics(): Promise<string> {
    return "some_metric 1\n";
  }

  async #scale(
    kind: "wake" | "sleep",
    name: string,
    { by, reason }: Parameters<AdminHost["wake"]>[1],
  ): Promise<ScaleEvent> {
    this.asked.push({ [kind]: name, by, reason });
    if (this.failure !== undefined) throw this.failure;
    return someEvent({ kind });
  }
}

/** A scaler's failure for `failure` above. */
export function scalerFailure(): ScalerError {
  return new ScalerError("SCALER_START_FAILED", "exit code 1: no such file");
}
