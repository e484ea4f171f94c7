import { type Milliseconds, ScalerError } from "@dormouse/core";
import type { FakeClock } from "@dormouse/core/testing";
import type { SeededRandom } from "../../harness/seeded-random.ts";
import type { SimulatedProcess } from "../engine/simulated-process.ts";
import type { Instance } from "./instance.ts";
import type { Way } from "./resource-options.ts";

/** Where a client's requests go as its own node has heard: each of these is an endpoint, and any may be taken. */
export interface NodeView {
  readonly hasDlxs: boolean;
  readonly instances: readonly Instance[];
}

/** Who last routed, as it is written on the slice and on the Service. */
interface RouteRecord {
  readonly to: Way;
  readonly version: number;
}

export interface ServiceOptions {
  readonly clock: FakeClock;
  readonly random: (name: string) => SeededRandom;
  readonly propagationMs: Milliseconds;
  /** Whether the platform knows a DLX that is ready. */
  readonly hasDlx: () => boolean;
  readonly instances: () => readonly Instance[];
  readonly wants: () => number;
  /** Nothing that was accepted so far can still end it. */
  readonly stays: (instance: Instance) => boolean;
  /** `routing: direct` is written. */
  readonly isDirect: () => boolean;
  /** What is shown of the route has changed. */
  readonly changed: () => void;
  readonly note: (what: string) => void;
}

const nodes = 3;
/** The keeper's look, and how long it lets all DLXs be away before the instances serve by themselves. */
const keepEveryMs = 500;
const withoutDlxMs = 3_000;
/** How late a watch may show where traffic goes. */
const showsLateMs = { mostly: 60, seldom: 2_500 };

/**
 * The traffic of a resource as a Kubernetes Service routes it: an extra slice that lists the DLXs, and a key in the
 * Service's selector that takes its own instances out. Both carry the version of who wrote them and are written one after
 * the other, controllers follow late, each node hears of it in its own time, and a keeper puts in order what is not.
 */
export class ServiceTraffic {
  readonly #options: ServiceOptions;
  #slice: { readonly hasDlxs: boolean; readonly record: RouteRecord | undefined } | undefined = {
    hasDlxs: false,
    record: undefined,
  };
  #service: { readonly hasKey: boolean; readonly record: RouteRecord | undefined } = {
    hasKey: false,
    record: undefined,
  };
  #endpoints: readonly Instance[] = [];
  readonly #views: NodeView[] = Array.from({ length: nodes }, () => ({ hasDlxs: false, instances: [] }));
  #shown: Way | undefined = "resource";
  #restoredAt: Milliseconds | undefined;
  #withoutDlxSince: Milliseconds | undefined;
  #draws = 0;
  /** Monotonic ms at which somebody last took something of it away. */
  tamperedAt = Number.NEGATIVE_INFINITY;

  constructor(options: ServiceOptions) {
    this.#options = options;
    this.#keep();
  }

  get route(): Way {
    return this.#slice?.hasDlxs === true ? "dlx" : "resource";
  }

  get restoredAt(): Milliseconds | undefined {
    return this.#restoredAt;
  }

  /** As a watch shows it, which lags. */
  get shown(): Way | undefined {
    return this.#shown;
  }

  get views(): readonly NodeView[] {
    return this.#views;
  }

  /** Instances have come, gone or changed: the controllers hear of it a moment later. */
  instancesChanged(): void {
    this.#after(this.#lag(5, 250), () => {
      const { instances } = this.#options;
      this.#endpoints = this.#service.hasKey ? [] : instances().filter((instance) => instance.isInTraffic);
      this.#tellNodes();
    });
  }

  async routeTo(to: Way, version: number, by: SimulatedProcess): Promise<void> {
    if (to === "dlx") await this.#divert(version, by);
    else await this.#restore(version, by);
  }

  /** Somebody deletes the slice, or takes the key out of the selector. */
  tamper(what: "slice" | "key"): void {
    this.tamperedAt = this.#options.clock.monotonic();
    this.#options.note(`somebody takes its ${what} away`);
    if (what === "slice") this.#slice = undefined;
    else this.#service = { ...this.#service, hasKey: false };
    this.#changed();
  }

  async #divert(version: number, by: SimulatedProcess): Promise<void> {
    const record = { to: "dlx", version } as const;
    this.#refuseOlder(this.#slice?.record, version);
    if (!this.#options.hasDlx()) throw new ScalerError("SCALER_UNAVAILABLE", "there is no ready DLX");
    this.#slice = { hasDlxs: true, record };
    this.#changed();
    await this.#nextWrite(by);
    this.#refuseOlder(this.#service.record, version);
    this.#service = { hasKey: true, record };
    this.#changed();
  }

  /** Makes before it breaks: the DLXs leave once as many instances as are wanted are in the traffic beside them. */
  async #restore(version: number, by: SimulatedProcess): Promise<void> {
    const { clock, wants } = this.#options;
    const record = { to: "resource", version } as const;
    if (wants() === 0) throw new ScalerError("SCALER_UNAVAILABLE", "it wants no instances");
    this.#refuseOlder(this.#slice?.record, version);
    this.#slice = { hasDlxs: this.#slice?.hasDlxs === true, record };
    this.#changed();
    await this.#nextWrite(by);
    this.#refuseOlder(this.#service.record, version);
    this.#service = { hasKey: false, record };
    this.#changed();
    const until = clock.monotonic() + 8_000;
    while (!this.#isInPlace()) {
      if (clock.monotonic() > until) throw new ScalerError("SCALER_UNAVAILABLE", "not all are in the traffic yet");
      await clock.sleep(this.#lag(30, 300));
    }
    await this.#nextWrite(by);
    this.#refuseOlder(this.#slice?.record, version);
    this.#slice = { hasDlxs: false, record };
    this.#restoredAt = clock.monotonic();
    this.#changed();
  }

  #isInPlace(): boolean {
    const { stays, wants } = this.#options;
    return this.#endpoints.every(stays) && this.#endpoints.length >= Math.max(1, wants());
  }

  /** Each write is a call of its own: a process that dies makes no further one. */
  async #nextWrite(by: SimulatedProcess): Promise<void> {
    await this.#options.clock.sleep(this.#lag(1, 120));
    if (by.isDead) throw new ScalerError("SCALER_UNAVAILABLE", `${by.name} is dead`);
  }

  #refuseOlder(record: RouteRecord | undefined, version: number): void {
    if (record !== undefined && record.version > version)
      throw new ScalerError("SCALER_CONFLICT", "a newer version has routed");
  }

  /** Puts in order what is not, level-triggered; where the traffic should go is not its to say. */
  #keep(): void {
    this.#after(keepEveryMs, () => this.#keep());
    const { hasDlx, instances, wants, isDirect, clock } = this.#options;
    const isServed = hasDlx();
    this.#withoutDlxSince = isServed ? undefined : (this.#withoutDlxSince ?? clock.monotonic());
    const isDlxs = (this.#slice?.record ?? this.#service.record)?.to === "dlx";
    if (this.#slice === undefined) this.#set("slice", { hasDlxs: isDlxs && isServed, record: this.#service.record });
    else if (isDlxs && isServed && !this.#slice.hasDlxs) this.#set("slice", { ...this.#slice, hasDlxs: true });
    const hasInstances = instances().length > 0;
    const isAbandoned =
      this.#withoutDlxSince !== undefined && clock.monotonic() - this.#withoutDlxSince > withoutDlxMs && hasInstances;
    const mayStay = isDlxs && !isAbandoned && !(isDirect() && !hasInstances && wants() === 0);
    const isMissing = isDlxs && isServed && hasInstances && !isDirect();
    if (this.#service.hasKey && !mayStay) this.#set("key", false);
    else if (!this.#service.hasKey && isMissing) this.#set("key", true);
  }

  #set(what: "slice", slice: { readonly hasDlxs: boolean; readonly record: RouteRecord | undefined }): void;
  #set(what: "key", hasKey: boolean): void;
  #set(what: "slice" | "key", value: never): void {
    if (what === "slice") this.#slice = value;
    else this.#service = { ...this.#service, hasKey: value };
    this.#changed();
  }

  #changed(): void {
    const { note } = this.#options;
    const { to, version } = this.#slice?.record ?? { to: "nobody's order", version: 0 };
    const slice = this.#slice === undefined ? "no slice" : this.#slice.hasDlxs ? "DLXs listed" : "no DLXs listed";
    note(`${slice}, ${this.#service.hasKey ? "key" : "no key"}, to ${to} by version ${String(version)}`);
    this.instancesChanged();
    this.#tellNodes();
    const lateMs = this.#random().chance(0.1) ? showsLateMs.seldom : showsLateMs.mostly;
    this.#after(this.#lag(1, lateMs), () => this.#show());
  }

  #show(): void {
    const shown = this.#amountsTo();
    if (shown === this.#shown) return;
    this.#shown = shown;
    this.#options.changed();
  }

  /** What the objects amount to; undefined: something between. */
  #amountsTo(): Way | undefined {
    const isDlxs = this.#slice?.hasDlxs === true && this.#slice.record?.to === "dlx";
    if (isDlxs) return this.#service.hasKey || this.#options.instances().length === 0 ? "dlx" : undefined;
    return this.#slice?.hasDlxs !== true && !this.#service.hasKey ? "resource" : undefined;
  }

  #tellNodes(): void {
    const { propagationMs } = this.#options;
    for (let node = 0; node < nodes; node += 1) {
      this.#after(this.#lag(propagationMs / 4, propagationMs), () => {
        this.#views[node] = { hasDlxs: this.#slice?.hasDlxs === true, instances: this.#endpoints };
      });
    }
  }

  #after(ms: Milliseconds, act: () => void): void {
    this.#options.clock.setTimer(ms, act);
  }

  #lag(least: Milliseconds, most: Milliseconds): Milliseconds {
    return this.#random().between(least, most);
  }

  #random(): SeededRandom {
    this.#draws += 1;
    return this.#options.random(`service ${String(this.#draws)}`);
  }
}
