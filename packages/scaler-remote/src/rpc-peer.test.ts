import { FakeClock } from "@dormouse/core/testing";
import { beforeEach, describe, expect, it } from "vitest";
import { RpcPeer } from "./rpc-peer.ts";

let clock: FakeClock;
let sent: { readonly id?: number; readonly method: string; readonly params: object }[];
let strange: string[];
let broken: string[];
let isReading: boolean;
let peer: RpcPeer;

beforeEach(() => {
  clock = new FakeClock(0);
  [sent, strange, broken, isReading] = [[], [], [], true];
  peer = new RpcPeer({
    clock,
    messageBytes: 1_000,
    send: (line) => {
      if (isReading) sent.push(JSON.parse(line) as (typeof sent)[number]);
      return isReading;
    },
    onStrange: (problem) => void strange.push(problem),
    onBroken: (problem) => void broken.push(problem),
  });
});

const never = new AbortController().signal;
const say = (message: unknown): void => peer.take(Buffer.from(JSON.stringify(message)));
const answer = (id: number, result: unknown = {}): void => say({ jsonrpc: "2.0", id, result });

describe("a peer", () => {
  it("gives each answer to its own call, in whatever order they come", async () => {
    const calls = [peer.request("one", {}, never), peer.request("two", {}, never)];
    answer(2, "second");
    answer(1, "first");
    expect(await Promise.all(calls)).toEqual(["first", "second"]);
  });

  it("tells the other end once that a call was given up, and keeps nothing of it", async () => {
    const abort = new AbortController();
    const call = peer.request("one", {}, abort.signal);
    abort.abort();
    await expect(call).rejects.toMatchObject({ code: "SCALER_ABORTED" });
    expect(sent.map(({ method, params }) => [method, params])).toEqual([
      ["one", {}],
      ["$/cancel", { id: 1 }],
    ]);
    answer(1);
    expect(strange).toEqual([]);
    answer(1);
    expect(strange).toHaveLength(1);
  });

  it("refuses a call that the other end does not take in, and one more than it may have open", async () => {
    isReading = false;
    await expect(peer.request("one", {}, never)).rejects.toMatchObject({ code: "SCALER_UNAVAILABLE" });
    isReading = true;
    const open = Array.from({ length: 10_000 }, () => peer.request("many", {}, never).catch(() => "ended"));
    await expect(peer.request("more", {}, never)).rejects.toMatchObject({ code: "SCALER_UNAVAILABLE" });
    peer.close(new Error("enough"));
    expect(new Set(await Promise.all(open))).toEqual(new Set(["ended"]));
  });

  it("counts silence from the first call that waits, and never for a watch", async () => {
    const watch = peer.watch("watch", {}, never).next();
    await clock.advance(100_000);
    expect(peer.silentForMs).toBe(0);
    const call = peer.request("one", {}, never);
    await clock.advance(5_000);
    expect(peer.silentForMs).toBe(5_000);
    say({ jsonrpc: "2.0", method: "$/change", params: { id: 1, change: "first" } });
    expect(peer.silentForMs).toBe(0);
    await clock.advance(2_000);
    expect(peer.silentForMs).toBe(2_000);
    answer(2);
    await clock.advance(2_000);
    expect(peer.silentForMs).toBe(0);
    expect([await call, (await watch).value]).toEqual([{}, "first"]);
  });

  it("counts silence on where every call has been given up", async () => {
    const abort = new AbortController();
    const call = peer.request("one", {}, abort.signal).catch(() => {});
    await clock.advance(3_000);
    abort.abort();
    await call;
    await clock.advance(3_000);
    expect(peer.silentForMs).toBe(6_000);
  });

  it.each([
    "no JSON",
    "[]",
    "null",
    '"text"',
    "{}",
    '{"id":1}',
    '{"id":"1","result":{}}',
    '{"id":7,"result":{}}',
    '{"id":1e300,"result":{}}',
    '{"method":"$/change"}',
    '{"method":"$/change","params":{"id":9,"change":{}},"jsonrpc":"2.0"}',
    "[".repeat(100_000),
  ])("finds a line strange that nobody waits for, and goes on: %.40s", async (line) => {
    const call = peer.request("one", {}, never);
    peer.take(Buffer.from(line));
    expect(strange).toHaveLength(1);
    answer(1, "fine");
    expect(await call).toBe("fine");
  });

  it.each([
    { id: 1, result: {} },
    { jsonrpc: "2.0", id: 1, error: "no" },
    { jsonrpc: "2.0", id: 1, error: { code: "x" } },
  ])("fails the call whose answer is not of its form: %j", async (message) => {
    const call = peer.request("one", {}, never);
    say(message);
    await expect(call).rejects.toMatchObject({ code: "SCALER_INTERNAL" });
  });

  it("calls the other end broken after a thousand strange lines in a row, not after more with answers between", () => {
    for (let line = 1; line <= 999; line += 1) peer.take(Buffer.from("debug"));
    void peer.request("one", {}, never);
    answer(1);
    for (let line = 1; line <= 999; line += 1) peer.take(Buffer.from("debug"));
    expect(broken).toEqual([]);
    peer.take(Buffer.from("debug"));
    expect(broken).toHaveLength(1);
  });

  it("rejects whatever is asked once it is closed", async () => {
    peer.close(new Error("it has ended"));
    await expect(peer.request("one", {}, never)).rejects.toThrow("it has ended");
    await expect(peer.watch("watch", {}, never).next()).rejects.toThrow("it has ended");
  });
});
