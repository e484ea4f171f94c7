import { constants } from "node:fs";
import { open, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { toFolderError, toGarbledError } from "./runit-error.ts";
import { readSuperviseStatus, type SuperviseStatus } from "./supervise-status.ts";

/** A service's folder: the files by which runsv(8) tells its state and takes commands. */
export class ServiceFolder {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  /** Rejects with `SCALER_UNAVAILABLE` where no runsv is there to answer: the file alone would be what the last one left. */
  async status(): Promise<SuperviseStatus> {
    return this.#translated("status", async () => {
      await this.#write("ok", "");
      const status = readSuperviseStatus(await readFile(join(this.#path, "supervise/status")));
      if (status === undefined) throw toGarbledError(this.#path);
      return status;
    });
  }

  /** Names the present form of the service: another one once somebody has replaced or edited its `run`. */
  async specification(): Promise<string> {
    return this.#translated("run", async () => {
      const { ino, ctimeNs } = await stat(join(this.#path, "run"), { bigint: true });
      return `${ino}.${ctimeNs}`;
    });
  }

  async command(character: "u" | "d"): Promise<void> {
    await this.#translated("control", async () => this.#write("control", character));
  }

  /** Into one of runsv's pipes. Opening one without a reader fails at once, instead of waiting for one. */
  async #write(pipe: "control" | "ok", text: string): Promise<void> {
    const file = await open(join(this.#path, "supervise", pipe), constants.O_WRONLY | constants.O_NONBLOCK);
    try {
      if (text !== "") await file.write(text);
    } finally {
      await file.close();
    }
  }

  /** What is missing in a folder that is there is a runsv that has not begun. */
  async #translated<Result>(what: string, work: () => Promise<Result>): Promise<Result> {
    try {
      return await work();
    } catch (error) {
      const isThere = await stat(this.#path).then(
        () => true,
        () => false,
      );
      throw toFolderError(this.#path, what, error, isThere);
    }
  }
}
