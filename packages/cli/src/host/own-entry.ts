import {
  callWithDeadline,
  backoffMs,
  type CallOptions,
  type Clock,
  type DlxPeer,
  type Logger,
  type Milliseconds,
  type PeerDiscovery,
  toScalerError,
} from "@dormouse/core";
import type { Dlx } from "@dormouse/dlx";

/** How long one list may take. */
const deadlineMs: Milliseconds = 5_000;

export interface OwnEntryOptions {
  readonly peers: PeerDiscovery;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * Whether this host's DLX is in the list of DLXs, so that every sleep asks and fences it. Until then it holds what comes
 * and is not ready; once it was listed it counts as listed until its process ends.
 */
export class OwnEntry implements AsyncDisposable {
  readonly #options: OwnEntryOptions;
  readonly #life = new AbortController();
  #ended: Promise<void> = Promise.resolve();
  #dlx: Pick<Dlx, "process" | "peer"> | undefined;
  #isListed = false;

  constructor(options: OwnEntryOptions) {
    this.#options = options;
  }

  get isListed(): boolean {
    return this.#isListed;
  }

  /** Id under which the others know this DLX; empty until it is open. */
  get id(): string {
    return this.#options.peers.self ?? this.#dlx?.process ?? "";
  }

  /** The list as the DLX itself needs it: the platform's until it is in there, from then on from memory. */
  get asPeers(): PeerDiscovery {
    const self = (): string => this.id;
    return {
      get self() {
        return self();
      },
      listPeers: (options) => this.#list(options),
      [Symbol.asyncDispose]: async () => {},
    };
  }

  /** Looks again and again until it is listed, also while no request needs it. */
  start(dlx: Pick<Dlx, "process" | "peer">): void {
    this.#dlx = dlx;
    this.#ended = this.#untilListed(this.#life.signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#life.abort();
    await this.#ended;
  }

  async #untilListed(signal: AbortSignal): Promise<void> {
    const { clock, logger } = this.#options;
    for (let attempt = 0; !signal.aborted; attempt += 1) {
      try {
        if (await this.#look({ signal })) return logger.info({ peer: this.id }, "this DLX is listed");
      } catch (error) {
        const { code, message } = toScalerError(error, "SCALER_UNAVAILABLE");
        if (!signal.aborted) logger.warn({ code, error: message }, "the DLXs cannot be listed; requests are held");
      }
      await clock.sleep(backoffMs(attempt, { firstMs: 50, longestMs: 2_000 }), signal).catch(() => {});
    }
  }

  async #look(options?: CallOptions): Promise<boolean> {
    await this.#list(options);
    return this.#isListed;
  }

  async #list(options?: CallOptions): Promise<readonly DlxPeer[]> {
    if (this.#isListed && this.#dlx !== undefined) return [{ ...this.#dlx.peer, id: this.id }];
    const { peers, clock } = this.#options;
    const limit = { clock, afterMs: deadlineMs, signal: options?.signal, what: "the list of DLXs" };
    const listed = await callWithDeadline(limit, (signal) => peers.listPeers({ signal }));
    this.#isListed ||= listed.some(({ id }) => id === this.id);
    return listed;
  }
}
