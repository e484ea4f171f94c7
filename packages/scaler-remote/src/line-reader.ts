const newline = 0x0a;

/** Pieces of one line beyond this are joined: each costs more than its bytes. */
const mostParts = 1_000;

/** Cuts a stream of bytes into lines, of which it keeps no more than `mostBytes`. */
export class LineReader {
  readonly #mostBytes: number;
  readonly #take: (line: Buffer, wasCut: boolean) => void;
  #parts: Buffer[] = [];
  #length = 0;
  #wasCut = false;

  /** @param take gets each line that is not empty, without its end */
  constructor(mostBytes: number, take: (line: Buffer, wasCut: boolean) => void) {
    this.#mostBytes = mostBytes;
    this.#take = take;
  }

  /** Whether the line that is coming in has more bytes than are kept. */
  get isCutting(): boolean {
    return this.#wasCut;
  }

  /** Takes in the next bytes. */
  push(chunk: Buffer): void {
    let start = 0;
    for (let end = chunk.indexOf(newline); end >= 0; end = chunk.indexOf(newline, start)) {
      this.#keep(chunk.subarray(start, end));
      this.end();
      start = end + 1;
    }
    this.#keep(chunk.subarray(start));
  }

  /** Gives out what came since the last line's end. */
  end(): void {
    const line = Buffer.concat(this.#parts, this.#length);
    const wasCut = this.#wasCut;
    this.#parts = [];
    this.#length = 0;
    this.#wasCut = false;
    const length = line.at(-1) === 0x0d ? line.length - 1 : line.length;
    if (length > 0) this.#take(line.subarray(0, length), wasCut);
  }

  #keep(part: Buffer): void {
    const room = this.#mostBytes - this.#length;
    if (part.length > room) this.#wasCut = true;
    const kept = part.subarray(0, room);
    if (kept.length === 0) return;
    this.#parts.push(kept);
    this.#length += kept.length;
    if (this.#parts.length > mostParts) this.#parts = [Buffer.concat(this.#parts, this.#length)];
  }
}
