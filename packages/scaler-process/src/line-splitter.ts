const newline = 0x0a;
const carriageReturn = 0x0d;

/** Cuts a stream of bytes into lines and keeps at most `lineBytes` of each. */
export class LineSplitter {
  readonly #lineBytes: number;
  readonly #take: (line: Buffer, wasCut: boolean) => void;
  #parts: Buffer[] = [];
  #length = 0;
  #wasCut = false;

  /** @param take gets each line without its end; valid during the call only, copy what is kept */
  constructor(lineBytes: number, take: (line: Buffer, wasCut: boolean) => void) {
    this.#lineBytes = lineBytes;
    this.#take = take;
  }

  /** Takes in the next bytes. */
  push(chunk: Buffer): void {
    let start = 0;
    for (let end = chunk.indexOf(newline); end >= 0; end = chunk.indexOf(newline, start)) {
      this.#append(chunk.subarray(start, end));
      this.#endLine();
      start = end + 1;
    }
    this.#append(chunk.subarray(start));
  }

  /** Gives out the last line, where it has no end. */
  end(): void {
    if (this.#length > 0) this.#endLine();
  }

  #append(part: Buffer): void {
    const room = this.#lineBytes - this.#length;
    if (part.length > room) this.#wasCut = true;
    const kept = part.length > room ? part.subarray(0, room) : part;
    if (kept.length === 0) return;
    this.#parts.push(kept);
    this.#length += kept.length;
  }

  #endLine(): void {
    const [only] = this.#parts;
    const line = this.#parts.length === 1 && only !== undefined ? only : Buffer.concat(this.#parts, this.#length);
    const wasCut = this.#wasCut;
    this.#parts = [];
    this.#length = 0;
    this.#wasCut = false;
    this.#take(!wasCut && line.at(-1) === carriageReturn ? line.subarray(0, -1) : line, wasCut);
  }
}
