import { type LocalRef, type Logger, toScalerError } from "@dormouse/core";

/** Tells of resources whose status cannot be had: once when that begins, once for each other reason, and once when it ends. */
export class StatusLog {
  readonly #logger: Logger;
  /** Codes of those that fail now. */
  readonly #failing = new Map<string, string>();

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  read(ref: LocalRef): void {
    const key = keyOf(ref);
    if (this.#failing.delete(key)) this.#logger.info({ resource: key }, "its status can be read again");
  }

  failed(ref: LocalRef, reason: unknown): void {
    const { code, message } = toScalerError(reason);
    const key = keyOf(ref);
    if (this.#failing.get(key) === code) return;
    this.#failing.set(key, code);
    const text =
      code === "SCALER_NOT_FOUND"
        ? "it is gone, as its API says; if it is not, correct url and status.path"
        : "its status cannot be read";
    this.#logger.warn({ resource: key, code, error: message }, text);
  }
}

function keyOf({ namespace, name }: LocalRef): string {
  return `${namespace}/${name}`;
}
