import { execFileSync } from "node:child_process";
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onInterrupt } from "./interrupts.ts";

const sizeKb = 512;

/** A disk that fills up soon: a tmpfs of its own. */
export class SmallDisk implements Disposable {
  readonly folder = mkdtempSync(join(tmpdir(), "dormouse-disk-"));
  readonly #interrupt = onInterrupt(() => this[Symbol.dispose]());
  #isGone = false;
  readonly #filler = join(this.folder, "filler");

  constructor() {
    execFileSync("mount", ["-t", "tmpfs", "-o", `size=${sizeKb}k,mode=0700`, "dormouse-faults", this.folder]);
  }

  /** Leaves not one byte. */
  fill(): void {
    const file = openSync(this.#filler, "w");
    try {
      for (let bytes = 4_096; bytes >= 1;) if (!hasWritten(file, bytes)) bytes = Math.floor(bytes / 2);
    } finally {
      closeSync(file);
    }
  }

  /** Makes room again. */
  free(): void {
    rmSync(this.#filler, { force: true });
  }

  [Symbol.dispose](): void {
    if (this.#isGone) return;
    this.#isGone = true;
    this.#interrupt[Symbol.dispose]();
    execFileSync("umount", ["--lazy", this.folder]);
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function hasWritten(file: number, bytes: number): boolean {
  try {
    return writeSync(file, Buffer.alloc(bytes)) === bytes;
  } catch {
    return false;
  }
}
