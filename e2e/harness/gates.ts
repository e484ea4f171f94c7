import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/**
 * A folder of gates at which fixture services wait until a test opens them, and of the ledgers that they write. So a test
 * decides when a service listens and when it answers, instead of guessing how long either takes.
 */
export class Gates implements Disposable {
  readonly folder = mkdtempSync(join(tmpdir(), "dormouse-gates-"));

  open(name: string): void {
    writeFileSync(join(this.folder, name), "");
  }

  close(name: string): void {
    rmSync(join(this.folder, name), { force: true });
  }

  isOpen(name: string): boolean {
    return existsSync(join(this.folder, name));
  }

  /** Path of a ledger. */
  ledger(name: string): string {
    return join(this.folder, `${name}.ledger`);
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
