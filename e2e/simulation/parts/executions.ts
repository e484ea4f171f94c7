import type { FakeClock } from "@dormouse/core/testing";
import type { Milliseconds } from "@dormouse/core";
import type { TimeLine } from "../engine/time-line.ts";
import type { Instance } from "../platform/instance.ts";
import type { RequestLedger } from "../world/request-ledger.ts";

/** What applications execute, whoever sent it to them. */
export class Executions {
  readonly #clock: FakeClock;
  readonly #ledger: RequestLedger;
  readonly #timeLine: TimeLine | undefined;
  readonly #cut: (request: string, instance: Instance, cause: string) => void;
  /** When resources had something to do, by name. */
  readonly #busy = new Map<string, { readonly from: Milliseconds; to: Milliseconds }[]>();
  readonly #running = new Map<string, number>();

  /** @param cut told of a request that was being executed as its instance went */
  constructor(
    clock: FakeClock,
    ledger: RequestLedger,
    timeLine: TimeLine | undefined,
    cut: (request: string, instance: Instance, cause: string) => void,
  ) {
    this.#clock = clock;
    this.#ledger = ledger;
    this.#timeLine = timeLine;
    this.#cut = cut;
  }

  /** Bytes on their way. */
  carry(ms: Milliseconds, arrived: () => void): void {
    this.#clock.setTimer(ms, arrived);
  }

  /** @param ended called once: with nothing, or with why no answer came */
  execute(id: string, instance: Instance, ended: (failure: string | undefined) => void): void {
    const request = this.#ledger.find(id);
    if (request === undefined) throw new Error(`nobody sent a request ${id}`);
    const { resource, workMs } = request.plan;
    request.executions.push({ instance: instance.id, at: this.#clock.monotonic(), failure: undefined });
    this.#timeLine?.add(instance.id, `executes ${id}`);
    this.#count(resource, 1);
    let isOver = false;
    const end = (failure: string | undefined): void => {
      if (isOver) return;
      isOver = true;
      instance.executing.delete(execution);
      this.#count(resource, -1);
      ended(failure);
    };
    const execution = {
      request: id,
      cut: (cause: string) => {
        if (isOver) return;
        this.#cut(id, instance, cause);
        end(`${instance.id} is gone: ${cause}`);
      },
    };
    instance.executing.add(execution);
    this.#clock.setTimer(workMs, () => end(undefined));
  }

  /** No answer of its last execution comes back. */
  failed(id: string, failure: string): void {
    const last = this.#ledger.find(id)?.executions.at(-1);
    if (last !== undefined) last.failure = failure;
  }

  /** Whether a resource had anything to do between two moments, monotonic ms. */
  wasBusy(resource: string, since: Milliseconds, until: Milliseconds): boolean {
    return (this.#busy.get(resource) ?? []).some(({ from, to }) => from <= until && to >= since);
  }

  #count(resource: string, by: 1 | -1): void {
    const now = this.#clock.monotonic();
    const running = (this.#running.get(resource) ?? 0) + by;
    const times = this.#busy.get(resource) ?? [];
    this.#running.set(resource, running);
    this.#busy.set(resource, times);
    if (by === 1 && running === 1) times.push({ from: now, to: Number.POSITIVE_INFINITY });
    const last = times.at(-1);
    if (running === 0 && last !== undefined) last.to = now;
  }
}
