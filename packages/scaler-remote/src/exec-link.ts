import { backoffMs, type Milliseconds, type ScalerContext, toScalerError } from "@dormouse/core";
import { BoundedLog } from "./bounded-log.ts";
import { checkCommand } from "./check-command.ts";
import { ExecSession } from "./exec-session.ts";
import type { RemoteCall } from "./protocol.ts";
import { toDisposedError, toDownError } from "./remote-error.ts";
import type { Greet, Params, RemoteLink } from "./remote-link.ts";
import type { ExecOptions } from "./remote-options.ts";

const restart = { firstMs: 200, longestMs: 30_000 } as const;

/** A program that ran for so long is started again as soon as one that never failed. */
const steadyAfterMs: Milliseconds = 60_000;

/** What a link to a program is made of. */
export interface ExecLinkParts {
  readonly exec: ExecOptions;
  readonly messageBytes: number;
  readonly context: ScalerContext;
  readonly greet: Greet;
}

type State =
  | { readonly kind: "up"; readonly session: ExecSession }
  | { readonly kind: "down"; readonly error: Error; readonly until: Milliseconds }
  | { readonly kind: "closed" };

/** Starts the program and says hello. Rejects where it does not come up the first time, and leaves nothing running. */
export async function openExecLink(parts: ExecLinkParts): Promise<RemoteLink> {
  await checkCommand(parts.exec);
  const log = new BoundedLog(parts.context.logger, parts.context.clock);
  try {
    return new ExecLink(parts, log, await startSession(parts, log, new AbortController().signal));
  } catch (error) {
    log[Symbol.dispose]();
    throw error;
  }
}

async function startSession(parts: ExecLinkParts, log: BoundedLog, signal: AbortSignal): Promise<ExecSession> {
  const { exec, messageBytes, context, greet } = parts;
  const session = await ExecSession.start({ exec, messageBytes, clock: context.clock, log });
  try {
    await greet((call, params, inner) => session.peer.request(call, params, inner), signal);
    return session;
  } catch (error) {
    await session.stop();
    throw error;
  }
}

/** A program that is kept running: where it ends it is started again, at first soon and then up to 30 s later. */
class ExecLink implements RemoteLink {
  readonly #parts: ExecLinkParts;
  readonly #log: BoundedLog;
  readonly #closing = new AbortController();
  readonly #kept: Promise<void>;
  #state: State;

  constructor(parts: ExecLinkParts, log: BoundedLog, session: ExecSession) {
    this.#parts = parts;
    this.#log = log;
    this.#state = { kind: "up", session };
    this.#kept = this.#keep(session);
  }

  async call(call: RemoteCall, params: Params, signal: AbortSignal): Promise<unknown> {
    return this.#session().peer.request(call, params, signal);
  }

  async *watch(params: Params, signal: AbortSignal): AsyncGenerator<unknown, void, undefined> {
    yield* this.#session().peer.watch("watchResources", params, signal);
  }

  onTimeout(): void {
    const { silence } = this.#parts.exec;
    if (this.#state.kind !== "up") return;
    const { session } = this.#state;
    if (session.peer.silentForMs >= silence)
      session.break(`has answered nothing for ${String(Math.round(silence / 1_000))} s`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const state = this.#state;
    this.#state = { kind: "closed" };
    this.#closing.abort(toDisposedError());
    if (state.kind === "up") {
      state.session.peer.close(toDisposedError());
      await state.session.stop();
    }
    await this.#kept;
    this.#log[Symbol.dispose]();
  }

  #session(): ExecSession {
    const state = this.#state;
    if (state.kind === "up") return state.session;
    if (state.kind === "closed") throw toDisposedError();
    throw toDownError(state.error, state.until - this.#parts.context.clock.monotonic());
  }

  /** Until closed. Never rejects. */
  async #keep(first: ExecSession): Promise<void> {
    const { clock, logger } = this.#parts.context;
    let session: ExecSession | undefined = first;
    for (let failures = 0; ; failures += 1) {
      const since = clock.monotonic();
      const error = session === undefined ? undefined : await session.ended;
      if (this.#closing.signal.aborted) return;
      if (error !== undefined) {
        logger.warn({ error: error.message }, "the remote has ended");
        if (clock.monotonic() - since >= steadyAfterMs) failures = 0;
        this.#goDown(error, failures);
      }
      session = await this.#startAgain(failures);
    }
  }

  #goDown(error: Error, failures: number): void {
    const waitMs = backoffMs(failures, restart);
    this.#state = { kind: "down", error, until: this.#parts.context.clock.monotonic() + waitMs };
  }

  /** Waits, and starts the program; undefined where that failed or the link was closed meanwhile. */
  async #startAgain(failures: number): Promise<ExecSession | undefined> {
    const { clock, logger } = this.#parts.context;
    const { signal } = this.#closing;
    try {
      if (this.#state.kind === "down") await clock.sleep(Math.max(0, this.#state.until - clock.monotonic()), signal);
      const session = await startSession(this.#parts, this.#log, signal);
      if (!signal.aborted) {
        this.#state = { kind: "up", session };
        logger.info({}, "the remote runs again");
        return session;
      }
      await session.stop();
    } catch (error) {
      if (signal.aborted) return undefined;
      const failure = toScalerError(error);
      logger.warn({ error: failure.message }, "the remote could not be started again");
      this.#goDown(failure, failures + 1);
    }
    return undefined;
  }
}
