import { FakeClock } from "@dormouse/core/testing";
import * as fc from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";
import { type Book, Totals } from "./book.ts";

let clock: FakeClock;
let totals: Totals;
let book: Book;

beforeEach(() => {
  clock = new FakeClock();
  totals = new Totals();
  book = totals.openBook(clock);
});

describe("the licence", () => {
  it("is false at the start, and nothing enters without it", () => {
    expect(book.licensed).toBe(false);
    expect(book.enter(true)).toBe(false);
    expect(totals.inFlight).toBe(0);
  });

  it("comes from a claim that no fence has voided", () => {
    expect(book.grant(book.fences)).toBe(true);
    expect(book.enter(true)).toBe(true);
  });

  it("does not come from a claim that was sent before a fence", () => {
    const sentAt = book.fences;
    book.fence();
    expect(book.grant(sentAt)).toBe(false);
    expect(book.licensed).toBe(false);
  });

  it("goes with a fence, also with a late or repeated one, and comes back by a new claim", () => {
    book.grant(book.fences);
    book.fence();
    book.fence();
    expect(book.enter(true)).toBe(false);
    expect(book.grant(book.fences)).toBe(true);
  });

  it("goes while requests are in flight without losing their count", () => {
    book.grant(book.fences);
    book.enter(true);
    book.fence();
    expect(book.busy(0)).toBe(1);
    book.leave(true);
    expect(book.busy(0)).toBe(0);
  });
});

describe("activity", () => {
  it("ages from the opening where nothing ever came", async () => {
    await clock.advance(1_000);
    expect(book.idleForMs(0)).toBe(1_000);
    expect(book.lastActivityAt(0)).toBeUndefined();
  });

  it("is now while anything is held or in flight", async () => {
    book.hold();
    await clock.advance(5_000);
    expect(book.idleForMs(0)).toBe(0);
    book.unhold();
    await clock.advance(1_000);
    expect(book.idleForMs(0)).toBe(1_000);
  });

  it("counts an open stream as use for ever by default, and one that was silent for streamIdleAfter not", async () => {
    book.grant(book.fences);
    book.enter(true);
    const mark = book.openStream();
    await clock.advance(60_000);
    expect(book.busy(0)).toBe(1);
    expect(book.busy(60_000)).toBe(0);
    mark.movedAt = clock.monotonic();
    expect(book.busy(60_000)).toBe(1);
  });

  it("does not come from a request that is no activity", async () => {
    book.grant(book.fences);
    await clock.advance(1_000);
    book.enter(false);
    book.leave(false);
    expect(book.idleForMs(0)).toBe(1_000);
  });

  it("survives a wall clock that jumps", async () => {
    book.active();
    await clock.advance(2_000);
    clock.jumpWallClock(-3_600_000);
    expect(book.idleForMs(0)).toBe(2_000);
  });
});

it("keeps the totals equal to the sum of all books, whatever happens", () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(2), fc.constantFrom("enter", "leave", "hold", "unhold", "fence", "grant"))),
      (steps) => {
        const sums = new Totals();
        const books = [0, 1, 2].map(() => sums.openBook(clock));
        for (const [index, step] of steps) apply(books[index] as Book, step);
        expect(sums.held).toBe(books.reduce((sum, one) => sum + one.held, 0));
        expect(sums.inFlight).toBe(books.reduce((sum, one) => sum + one.inFlight, 0));
      },
    ),
  );
});

function apply(one: Book, step: string): void {
  if (step === "enter") one.enter(true);
  if (step === "leave" && one.inFlight > 0) one.leave(true);
  if (step === "hold") one.hold();
  if (step === "unhold" && one.held > 0) one.unhold();
  if (step === "fence") one.fence();
  if (step === "grant") one.grant(one.fences);
}
