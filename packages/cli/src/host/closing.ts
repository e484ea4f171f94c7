import type { Logger } from "@dormouse/core";

interface Part {
  readonly name: string;
  close(): Promise<void>;
}

/** What has been opened so far, closed again in the opposite order: on a stop, and where a start fails half-way. */
export class Closing implements AsyncDisposable {
  readonly #logger: Logger;
  readonly #parts: Part[] = [];

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** Takes over a part; gives it back for use. */
  add<Opened extends AsyncDisposable>(name: string, opened: Opened): Opened {
    this.addStep(name, () => Promise.resolve(opened[Symbol.asyncDispose]()));
    return opened;
  }

  addStep(name: string, close: () => Promise<void>): void {
    this.#parts.push({ name, close });
  }

  /** Closes everything, each once. One part that fails does not keep the next from closing. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (let part = this.#parts.pop(); part !== undefined; part = this.#parts.pop()) {
      try {
        await part.close();
      } catch (error) {
        this.#logger.warn({ error, part: part.name }, "could not close cleanly");
      }
    }
  }
}
