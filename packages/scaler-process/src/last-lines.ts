const mostLines = 20;
const mostBytes = 4_096;

/** The last lines of a stream: at most 20 and 4 KiB. */
export class LastLines {
  readonly #lines: Buffer[] = [];

  /** Takes in a line; longer ones lose their end. */
  push(line: Buffer): void {
    // A copy: the line is a view into a chunk that would stay in memory with it.
    this.#lines.push(Buffer.from(line.subarray(0, mostBytes)));
    if (this.#lines.length > mostLines) this.#lines.shift();
  }

  /** The lines that are kept, oldest first. */
  toText(): readonly string[] {
    let bytes = 0;
    const fitting = this.#lines.toReversed().filter((line) => (bytes += line.length + 1) <= mostBytes + 1);
    return fitting.toReversed().map((line) => line.toString("utf8"));
  }
}
