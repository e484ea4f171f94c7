import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";

const megabytes = 256;

const program = `
const blocks = Array.from({ length: ${megabytes} }, (_, index) => Buffer.alloc(1_048_576, index));
console.log(blocks.length);
setInterval(() => { for (const block of blocks) block[Math.floor(Math.random() * block.length)] += 1; }, 50);
process.stdin.resume().on("end", () => process.exit());
`;

/** A neighbour that takes memory and goes on using it. It ends with whoever started it. */
export class MemoryHog implements AsyncDisposable {
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  /** Resolves once it has its memory. */
  static async open(): Promise<MemoryHog> {
    const child = spawn(process.execPath, ["--eval", program], { stdio: ["pipe", "pipe", "inherit"] });
    await once(child.stdout, "data");
    return new MemoryHog(child);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const exited = once(this.#child, "exit");
    this.#child.kill("SIGKILL");
    await exited;
  }
}
