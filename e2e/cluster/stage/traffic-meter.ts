import { setTimeout as sleep } from "node:timers/promises";
import { fetch } from "undici";
import type { ApiList, PodObject, TestApi } from "../../kubernetes/test-api.ts";

/** Over how much time traffic is measured, in seconds. */
export const meterSeconds = 3;

const everyMs = 300;

interface Reading {
  readonly at: number;
  /** Counters by Pod. */
  readonly totals: ReadonlyMap<string, number>;
  readonly inFlight: number;
}

/** Reads /metrics of a Deployment's Pods all the time, as Prometheus would. */
export class TrafficMeter implements AsyncDisposable {
  readonly #api: TestApi;
  readonly #namespace: string;
  readonly #readings: Reading[] = [];
  readonly #ended = new AbortController();
  readonly #running: Promise<void>;

  constructor(api: TestApi, namespace: string) {
    this.#api = api;
    this.#namespace = namespace;
    this.#running = this.#run();
  }

  /**
   * Requests that began in the last seconds, plus those that were in flight; undefined where not all of this time was
   * seen.
   */
  busy(): number | undefined {
    const since = Date.now() - meterSeconds * 1_000;
    const [first] = this.#readings;
    const newest = this.#readings.at(-1);
    if (first === undefined || newest === undefined || first.at > since || newest.at < Date.now() - 2_000)
      return undefined;
    const window = this.#readings.filter(({ at }) => at > since);
    let busy = Math.max(0, ...window.map(({ inFlight }) => inFlight));
    let before = this.#readings.findLast(({ at }) => at <= since) ?? first;
    for (const reading of window) {
      for (const [pod, total] of reading.totals) busy += Math.max(0, total - (before.totals.get(pod) ?? 0));
      before = reading;
    }
    return busy;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    while (!this.#ended.signal.aborted) {
      const reading = await this.#read().catch(() => undefined);
      // What is not known for a moment is not known for the whole window.
      if (reading === undefined) this.#readings.length = 0;
      else this.#readings.push(reading);
      while ((this.#readings[1]?.at ?? Infinity) < Date.now() - meterSeconds * 1_000) this.#readings.shift();
      await sleep(everyMs, undefined, { signal: this.#ended.signal }).catch(() => {});
    }
  }

  async #read(): Promise<Reading> {
    const { items } = await this.#api.get<ApiList<PodObject>>(
      `/api/v1/namespaces/${this.#namespace}/pods?labelSelector=app%3Dweb`,
    );
    const totals = new Map<string, number>();
    let inFlight = 0;
    for (const { metadata, status } of items) {
      const numbers = await readMetrics(status.podIP).catch(() => undefined);
      // A Pod that starts or ends does not answer; it takes no new requests.
      if (numbers === undefined) continue;
      totals.set(metadata.uid, numbers.total);
      inFlight += numbers.inFlight;
    }
    return { at: Date.now(), totals, inFlight };
  }
}

async function readMetrics(ip: string | undefined): Promise<{ readonly total: number; readonly inFlight: number }> {
  const answer = await fetch(`http://${ip ?? ""}:8080/metrics`, { signal: AbortSignal.timeout(1_000) });
  const text = await answer.text();
  const numberOf = (name: string): number => Number(new RegExp(`^${name} (\\d+)$`, "m").exec(text)?.[1]);
  return { total: numberOf("app_requests_total"), inFlight: numberOf("app_requests_in_flight") };
}
