import { describe, expect, it } from "vitest";
import type { Sent } from "../harness/traffic.ts";
import { addTallies, type Book, type Strike, toTally } from "./tally.ts";

const boundMs = 1_000;

function sent(id: string, one: Partial<Sent> = {}): Sent {
  return {
    id,
    outcome: "answered",
    method: "POST",
    status: 200,
    beganAt: 100,
    tookMs: 50,
    cold: false,
    body: {},
    ...one,
  };
}

function tally(book: Partial<Book>, strikes: readonly Strike[] = []) {
  const whole = { name: "a", sent: [], executed: [], mayRefuse: [], ...book };
  return toTally([whole], strikes, boundMs, strikes.length, []);
}

const broken = { outcome: "lost", status: undefined } as unknown as Partial<Sent>;
const refused = (code: string): Partial<Sent> => ({ outcome: "refused", status: 502, code });
const host = { victim: "host", at: 120, open: 1 } as const;
const service = { victim: "service", at: 120, open: 1 } as const;

it("finds nothing wrong where each request was answered and executed once", () => {
  const found = tally({ sent: [sent("1"), sent("2", { method: "GET" })], executed: ["2", "1"] });
  expect(found).toMatchObject({ requests: 2, answered: 2, lost: 0, doubled: 0, cut: 0, replayed: 0, longestMs: 50 });
  expect(found.problems).toEqual([]);
});

describe("lost", () => {
  it("is a broken connection that no strike explains", () => {
    expect(tally({ sent: [sent("1", broken)] })).toMatchObject({
      lost: 1,
      cut: 0,
      problems: [expect.stringContaining("lost POST 1")],
    });
    expect(tally({ sent: [sent("1", broken)] }, [service])).toMatchObject({ lost: 1 });
    expect(tally({ sent: [sent("1", broken)] }, [{ ...host, at: 99 }])).toMatchObject({ lost: 1 });
    expect(tally({ sent: [sent("1", broken)] }, [{ ...host, at: 151 }])).toMatchObject({ lost: 1 });
  });

  it("is an answer that nobody should get, whatever was struck", () => {
    expect(tally({ sent: [sent("1", { outcome: "lost", status: 500 })] }, [host])).toMatchObject({ lost: 1, cut: 0 });
  });

  it("is not what was open when the host was killed, but no more than that", () => {
    expect(tally({ sent: [sent("1", broken)] }, [host])).toMatchObject({ lost: 0, cut: 1, problems: [] });
    const two = tally({ sent: [sent("1", broken), sent("2", broken)] }, [host]);
    expect(two).toMatchObject({ lost: 0, cut: 2, problems: ["2 requests were cut, but only 1 were open then"] });
  });

  it("is not what found no connection, unless it was executed", () => {
    const none = { victim: "connections", at: 90, until: 110, open: 5 } as const;
    expect(tally({ sent: [sent("1", broken)] }, [none])).toMatchObject({ lost: 0, cut: 1 });
    expect(tally({ sent: [sent("1", broken)], executed: ["1"] }, [none])).toMatchObject({ lost: 1, cut: 0 });
  });
});

describe("doubled", () => {
  it("is a POST that was executed twice, whatever was struck", () => {
    expect(tally({ sent: [sent("1")], executed: ["1", "1"] }, [service])).toMatchObject({ doubled: 1, replayed: 0 });
  });

  it("is a GET that was executed twice with no service that died, or three times", () => {
    const get = sent("1", { method: "GET" });
    expect(tally({ sent: [get], executed: ["1", "1"] })).toMatchObject({ doubled: 1 });
    expect(tally({ sent: [get], executed: ["1", "1"] }, [service])).toMatchObject({ doubled: 0, replayed: 1 });
    expect(tally({ sent: [get], executed: ["1", "1", "1"] }, [service])).toMatchObject({ doubled: 1, replayed: 0 });
  });

  it("is also what a client sent that is not in the books", () => {
    expect(tally({ executed: ["raw", "raw"] })).toMatchObject({ doubled: 1 });
  });
});

describe("problems", () => {
  const problemsOf = (...given: Parameters<typeof tally>): readonly string[] => tally(...given).problems;

  it("are answers to requests that were never executed", () => {
    expect(problemsOf({ sent: [sent("1")] })).toEqual(["a: 1 was answered and never executed"]);
    expect(problemsOf({ sent: [sent("1")], executed: undefined })).toEqual([]);
  });

  it("are refusals that the fault does not explain", () => {
    const one = { sent: [sent("1", refused("DLX_WAKE_TIMEOUT"))] };
    expect(problemsOf(one)).toHaveLength(1);
    expect(problemsOf({ ...one, mayRefuse: ["DLX_WAKE_TIMEOUT"] })).toEqual([]);
  });

  it("are 502s of which no service's end was the reason, and those of a GET, which is sent again", () => {
    const post = { sent: [sent("1", refused("DLX_TARGET_UNREACHABLE"))], mayRefuse: ["DLX_TARGET_UNREACHABLE"] };
    const get = { ...post, sent: [sent("1", { ...refused("DLX_TARGET_UNREACHABLE"), method: "GET" })] };
    expect(problemsOf(post)).toHaveLength(1);
    expect(problemsOf(post, [service])).toEqual([]);
    expect(problemsOf(get, [service])).toHaveLength(1);
  });

  it("are requests that took longer than they may", () => {
    expect(problemsOf({ sent: [sent("1", { tookMs: 1_001 })], executed: ["1"] })).toEqual([
      "a request took 1001 ms; at most 1000 are explained",
    ]);
  });

  it("are named five times, and then counted", () => {
    const many = Array.from({ length: 8 }, (_, index) => sent(String(index)));
    expect(problemsOf({ sent: many })).toHaveLength(6);
    expect(problemsOf({ sent: many }).at(-1)).toBe("… and 3 more like this");
  });
});

it("adds up", () => {
  const one = tally({ sent: [sent("1", { tookMs: 2_000 })], executed: ["1"] }, [host]);
  const other = tally({ sent: [sent("2", refused("X"))], mayRefuse: ["X"] }, [service]);
  expect(addTallies(one, other)).toMatchObject({
    times: 2,
    requests: 2,
    answered: 1,
    refused: { X: 1 },
    longestMs: 2_000,
    problems: [expect.stringContaining("2000 ms")],
  });
});
