import { isDeepStrictEqual } from "node:util";
import { callWithDeadline, type Clock, contractVersion, type Milliseconds } from "@dormouse/core";
import { type RemoteCapabilities, resultSchemas } from "./protocol.ts";
import { toAnswerError, toContractError, toLieError } from "./remote-error.ts";
import type { FirstCall } from "./remote-link.ts";

/** What is told to every remote that is met. */
export interface GreeterParts {
  readonly clock: Clock;
  /** Id of the scaler. */
  readonly scaler: string;
  /** The remote's own options. */
  readonly options: Readonly<Record<string, unknown>>;
  readonly timeoutMs: Milliseconds;
}

/** Says hello to a remote, and holds it to what it said the first time: capabilities are constant. */
export class Greeter {
  readonly #parts: GreeterParts;
  #capabilities: RemoteCapabilities | undefined;

  constructor(parts: GreeterParts) {
    this.#parts = parts;
  }

  /** What the remote can do; known once it has been greeted. */
  get capabilities(): RemoteCapabilities {
    if (this.#capabilities === undefined) throw new Error("nobody has been greeted yet");
    return this.#capabilities;
  }

  /** Rejects with a ConfigError where the options are wrong, with `PLUGIN_CONTRACT`, or with `SCALER_INTERNAL`. */
  async greet(call: FirstCall, signal: AbortSignal): Promise<void> {
    const { clock, scaler, options, timeoutMs } = this.#parts;
    const params = { contract: contractVersion, scaler, options, deadlineMs: timeoutMs };
    const answer = await callWithDeadline({ clock, afterMs: timeoutMs, signal, what: "hello" }, (inner) =>
      call("hello", params, inner),
    );
    const hello = resultSchemas.hello.safeParse(answer);
    if (!hello.success) throw toAnswerError("hello", hello.error);
    const { contract, name, capabilities } = hello.data;
    if (contract !== contractVersion) throw toContractError(name, contract, contractVersion);
    if (this.#capabilities !== undefined && !isDeepStrictEqual(this.#capabilities, capabilities)) {
      const both = `${JSON.stringify(this.#capabilities)} before, ${JSON.stringify(capabilities)} now`;
      throw toLieError("hello", `capabilities must stay what they are, and are others: ${both}; restart the host`);
    }
    this.#capabilities = capabilities;
  }
}
