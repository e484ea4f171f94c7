import { describe, expect, it } from "vitest";
import type { ForwardFailure } from "../forward/forwarder.ts";
import { type Attempts, decideReplay, type Replay } from "./replay-rule.ts";

const error = new Error("broken");
const unreachable: ForwardFailure = { kind: "unreachable", stale: false, error };
const broken: ForwardFailure = { kind: "broken", stale: false, error };
const stale: ForwardFailure = { kind: "broken", stale: true, error };

function decide(failure: ForwardFailure, attempts: Partial<Attempts>): Replay {
  return decideReplay(failure, {
    method: "GET",
    made: 1,
    written: 1,
    hasReplied: false,
    isBodyKept: true,
    ...attempts,
  });
}

describe("decideReplay", () => {
  it.each(["GET", "POST", "PATCH", "PURGE"])("sends a %s again of which nothing was written", (method) => {
    expect(decide(unreachable, { method, written: 0, isBodyKept: false })).toBe("other");
    expect(decide(broken, { method, written: 0 })).toBe("other");
  });

  it.each(["DELETE", "GET", "HEAD", "OPTIONS", "PUT", "TRACE"])("sends a %s again once", (method) => {
    expect(decide(broken, { method })).toBe("other");
    expect(decide(stale, { method })).toBe("same");
    expect(decide(unreachable, { method, made: 2 })).toBe("other");
    expect(decide(broken, { method, made: 2, written: 2 })).toBe("none");
  });

  it.each(["POST", "PATCH", "CONNECT", "LOCK", "get", ""])(
    "never sends a %s again that may have been executed",
    (method) => {
      expect(decide(broken, { method })).toBe("none");
      expect(decide(stale, { method })).toBe("none");
      expect(decide(unreachable, { method, made: 2 })).toBe("none");
    },
  );

  it("sends nothing again without its body, after a byte of a response, or that no target can read", () => {
    expect(decide(broken, { method: "PUT", isBodyKept: false })).toBe("none");
    expect(decide(broken, { hasReplied: true })).toBe("none");
    expect(decide(unreachable, { hasReplied: true, written: 0 })).toBe("none");
    expect(decide({ ...broken, kind: "garbage" }, {})).toBe("none");
    expect(decide({ ...broken, kind: "unsendable" }, { written: 0 })).toBe("none");
  });

  it("ends after eight attempts", () => {
    expect(decide(unreachable, { written: 0, made: 7 })).toBe("other");
    expect(decide(unreachable, { written: 0, made: 8 })).toBe("none");
  });
});
