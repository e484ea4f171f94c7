/** What a watch has got and its reader has not taken yet, bounded by bytes. */
export class ChangeQueue {
  readonly #mostBytes: number;
  readonly #waiting: { readonly change: unknown; readonly bytes: number }[] = [];
  #bytes = 0;
  #end: { readonly error: Error | undefined } | undefined;
  #wake = (): void => {};

  constructor(mostBytes: number) {
    this.#mostBytes = mostBytes;
  }

  /** False where there is no room: then nothing is kept. @param bytes that it took on its way */
  push(change: unknown, bytes: number): boolean {
    if (this.#bytes + bytes > this.#mostBytes) return false;
    this.#bytes += bytes;
    this.#waiting.push({ change, bytes });
    this.#wake();
    return true;
  }

  /** Ends reading once all has been taken, or at once with an error. */
  end(error: Error | undefined): void {
    this.#end ??= { error };
    this.#wake();
  }

  /** Each change, for one reader. */
  async *read(): AsyncGenerator<unknown, void, undefined> {
    for (;;) {
      if (this.#end?.error !== undefined) throw this.#end.error;
      const next = this.#waiting.shift();
      if (next !== undefined) {
        this.#bytes -= next.bytes;
        yield next.change;
      } else if (this.#end !== undefined) return;
      else await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }
}
