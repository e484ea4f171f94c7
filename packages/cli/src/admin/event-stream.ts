import type { Clock, EventJournal, Milliseconds, ScaleEvent, Timer } from "@dormouse/core";
import { roundNumbers } from "../round-numbers.ts";

/** Connections that follow the events at once. */
const mostSubscribers = 100;
/** Events that one slow reader may be behind; then its stream ends, and it comes back with `Last-Event-ID`. */
const mostPending = 1_000;
/** A comment this often keeps intermediaries from closing a quiet stream, and finds readers that have gone. */
const heartbeatMs: Milliseconds = 15_000;

export interface EventStreamsOptions {
  readonly clock: Clock;
  readonly journal: EventJournal;
  /** Id of this process: event numbers begin anew with each. */
  readonly process: string;
}

/** The host's events as server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html). */
export class EventStreams implements Disposable {
  readonly #options: EventStreamsOptions;
  readonly #open = new Set<EventStream>();

  constructor(options: EventStreamsOptions) {
    this.#options = options;
  }

  /** How many follow the events now. */
  get subscribers(): number {
    return this.#open.size;
  }

  /**
   * A stream of what happens from now on; undefined where too many are open already.
   * @param lastEventId id of the last event that the reader has; what came after it goes first. `0`: all that are kept
   */
  open(lastEventId: string | undefined): ReadableStream<Uint8Array> | undefined {
    if (this.#open.size >= mostSubscribers) return undefined;
    const stream = new EventStream(this.#options, () => void this.#open.delete(stream));
    this.#open.add(stream);
    return stream.begin(this.#missedSince(lastEventId));
  }

  [Symbol.dispose](): void {
    for (const stream of this.#open) stream.end();
  }

  #missedSince(lastEventId: string | undefined): readonly ScaleEvent[] {
    const { journal, process } = this.#options;
    if (lastEventId === undefined) return [];
    const [owner, number] = lastEventId.split(":");
    const after = owner === process ? Number(number) : 0;
    return journal.list(Number.isSafeInteger(after) ? after : 0);
  }
}

class EventStream {
  readonly #options: EventStreamsOptions;
  readonly #onEnd: () => void;
  readonly #pending: Uint8Array[] = [];
  readonly #encoder = new TextEncoder();
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  #heartbeat: Timer | undefined;
  #subscription: Disposable | undefined;
  #ended = false;

  constructor(options: EventStreamsOptions, onEnd: () => void) {
    this.#options = options;
    this.#onEnd = onEnd;
  }

  begin(missed: readonly ScaleEvent[]): ReadableStream<Uint8Array> {
    this.#subscription = this.#options.journal.subscribe((event) => this.#push(this.#format(event)));
    this.#push("retry: 2000\n\n");
    for (const event of missed) this.#push(this.#format(event));
    this.#beat();
    return new ReadableStream<Uint8Array>({
      start: (controller) => void (this.#controller = controller),
      pull: () => this.#flush(),
      cancel: () => this.end(),
    });
  }

  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#subscription?.[Symbol.dispose]();
    this.#heartbeat?.cancel();
    this.#onEnd();
    try {
      this.#controller?.close();
    } catch {
      // The reader has cancelled it already.
    }
  }

  #format(event: ScaleEvent): string {
    return `id: ${this.#options.process}:${event.id}\nevent: ${event.kind}\ndata: ${JSON.stringify(event, roundNumbers)}\n\n`;
  }

  #push(text: string): void {
    if (this.#pending.length >= mostPending) return this.end();
    this.#pending.push(this.#encoder.encode(text));
    this.#flush();
  }

  #flush(): void {
    while (this.#pending.length > 0 && (this.#controller?.desiredSize ?? 0) > 0) {
      const next = this.#pending.shift();
      if (next !== undefined) this.#controller?.enqueue(next);
    }
  }

  #beat(): void {
    const beat = (): void => {
      this.#push(": still here\n\n");
      if (!this.#ended) this.#beat();
    };
    this.#heartbeat = this.#options.clock.setTimer(heartbeatMs, beat, { unref: true });
  }
}
