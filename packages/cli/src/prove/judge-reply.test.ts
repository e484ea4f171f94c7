import { describe, expect, it } from "vitest";
import { compareLedger } from "./compare-ledger.ts";
import { judgeReply } from "./judge-reply.ts";
import { percentile } from "./percentile.ts";
import type { Reply } from "./reply.ts";

const id = "dormouse-prove-01234567-0000001";
const other = "dormouse-prove-01234567-0000002";
const forwarded = { "x-dormouse-cold-start": "false" };

function whole(headers: Record<string, string>, text: string, status = 200): Reply {
  return { kind: "whole", status, headers, text };
}

describe("judgeReply", () => {
  const body = { kind: "body" } as const;

  it("takes any answer of the service with the request's own id for answered, whatever its status", () => {
    expect(judgeReply(id, whole(forwarded, `for ${id}`, 500), body)).toMatchObject({ kind: "answered", status: 500 });
  });

  it("reads what a cold request waited for", () => {
    const cold = { "x-dormouse-cold-start": "true", "server-timing": "db;dur=3, wake-start;dur=40.5, held;dur=50" };
    expect(judgeReply(id, whole(cold, id), body)).toMatchObject({ isCold: true, phases: { start: 40.5, held: 50 } });
  });

  it("takes an answer with another's id for swapped, one without any for lost", () => {
    expect(judgeReply(id, whole(forwarded, other), body)).toMatchObject({ kind: "swapped" });
    expect(judgeReply(id, whole(forwarded, `${id} ${other}`), body)).toMatchObject({ kind: "swapped" });
    expect(judgeReply(id, whole(forwarded, "hello"), body)).toMatchObject({ kind: "lost" });
  });

  it("takes a refusal with a code of ours for one, and everything else for lost", () => {
    const problem = { "content-type": "application/problem+json" };
    const text = JSON.stringify({ code: "DLX_HOLD_FULL", resource: "a/b/c" });
    expect(judgeReply(id, whole(problem, text, 503), body)).toEqual({
      kind: "refused",
      code: "DLX_HOLD_FULL",
      status: 503,
      resource: "a/b/c",
    });
    expect(judgeReply(id, whole(problem, '{"code":"E_TEAPOT"}', 503), body)).toMatchObject({ kind: "lost" });
    expect(judgeReply(id, whole({}, id), body)).toMatchObject({ kind: "lost" });
    expect(judgeReply(id, { kind: "broken", what: "ECONNRESET" }, body)).toEqual({ kind: "lost", what: "ECONNRESET" });
  });
});

describe("compareLedger", () => {
  it("finds what was executed twice and what was answered and never executed, and passes over the rest", () => {
    const text = `${id}\n${other}\n${id}\ndormouse-prove-ffffffff-0000001\nGET /\n`;
    const { doubled, missing } = compareLedger(text, "dormouse-prove-01234567-", new Set([id, "never"]));
    expect(doubled.map((one) => one.id)).toEqual([id]);
    expect(missing.map((one) => one.id)).toEqual(["never"]);
    expect(compareLedger(JSON.stringify([id, { id }]), "dormouse-prove-", new Set([id])).doubled).toHaveLength(1);
  });
});

it("gives a percentile by nearest rank, of nothing none", () => {
  expect(percentile([], 0.5)).toBeUndefined();
  expect([percentile([3, 1, 2], 0.5), percentile([3, 1, 2], 0.95), percentile([7], 0.5)]).toEqual([2, 3, 7]);
});
