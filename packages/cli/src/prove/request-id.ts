import { randomBytes } from "node:crypto";

const anyId = /dormouse-prove-[0-9a-f]{8}-\d{7}/g;

/** Ids of one run: each tells the run and the number, and none is part of another. */
export class RequestIds {
  /** What each id of this run begins with. */
  readonly prefix = `dormouse-prove-${randomBytes(4).toString("hex")}-`;
  #last = 0;

  next(): string {
    this.#last += 1;
    return `${this.prefix}${String(this.#last).padStart(7, "0")}`;
  }
}

/** The ids in a text, of this run and of any other, each once. */
export function idsIn(text: string): ReadonlySet<string> {
  return new Set(text.match(anyId));
}
