import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onInterrupt } from "./interrupts.ts";

/** An empty folder that is gone with all that is in it once it is disposed, or the run is interrupted. */
export class TemporaryFolder implements Disposable {
  readonly path = mkdtempSync(join(tmpdir(), "dormouse-faults-"));
  readonly #interrupt = onInterrupt(() => this[Symbol.dispose]());

  [Symbol.dispose](): void {
    this.#interrupt[Symbol.dispose]();
    rmSync(this.path, { recursive: true, force: true });
  }
}
