import { createServer } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { PortAllocator, type PortRange } from "./port-allocator.ts";

// Below the machine's ephemeral ports, and not the range that the other tests take theirs from.
const range: PortRange = { from: 18_000, to: 18_999 };

function open(changed: PortRange = range, excluded: readonly number[] = []): PortAllocator {
  const allocator = new PortAllocator(changed, new Set(excluded));
  onTestFinished(() => allocator[Symbol.asyncDispose]());
  return allocator;
}

async function listen(host: string, port: number): Promise<void> {
  const server = createServer();
  onTestFinished(() => void server.close());
  await new Promise<void>((resolve, reject) => server.once("error", reject).listen({ host, port }, resolve));
}

const take = (allocator: PortAllocator, count: number): Promise<number[]> =>
  Promise.all(Array.from({ length: count }, () => allocator.take()));

describe("ports", () => {
  it("are never given twice, neither by one allocator nor by two", async () => {
    const ports = (await Promise.all([take(open(), 150), take(open(), 150)])).flat();
    expect(new Set(ports).size).toBe(300);
    expect(ports.every((port) => port >= range.from && port <= range.to)).toBe(true);
  });

  it.each(["127.0.0.1", "::1", "0.0.0.0", "::"])("are not those on which somebody listens at %s", async (host) => {
    const small = { from: 17_900, to: 17_903 };
    await listen(host, 17_902);
    expect(new Set(await take(open(small), 2))).toEqual(new Set([17_901, 17_903]));
  });

  it("are not those of somebody else by configuration", async () => {
    expect(await take(open({ from: 17_910, to: 17_912 }, [17_911]), 1)).toEqual([17_912]);
  });

  it("run out with a reason", async () => {
    const allocator = open({ from: 17_920, to: 17_922 });
    await take(allocator, 2);
    await expect(allocator.take()).rejects.toMatchObject({ code: "SCALER_START_FAILED" });
    allocator.release(17_921);
    expect(await allocator.take()).toBe(17_921);
  });

  it("that are reserved are nobody else's, and are given to who has them reserved while they are free", async () => {
    const allocator = open({ from: 17_970, to: 17_973 });
    const reserved = await allocator.reserve();
    expect(await take(allocator, 2)).not.toContain(reserved);
    expect(await allocator.take(reserved)).toBe(reserved);
    await expect(allocator.take(reserved)).rejects.toMatchObject({ code: "SCALER_START_FAILED" });
    allocator.release(reserved);
    await expect(allocator.take()).rejects.toMatchObject({ code: "SCALER_START_FAILED" });
    allocator.drop(reserved);
    expect(await allocator.take()).toBe(reserved);
  });

  it("that are reserved give way to others where they are in use or somebody listens", async () => {
    const allocator = open({ from: 17_980, to: 17_983 });
    expect(await allocator.reserve()).toBe(17_981);
    await listen("127.0.0.1", 17_981);
    expect(await allocator.take(17_981)).toBe(17_982);
    expect(await allocator.take(17_982)).toBe(17_983);
  });

  it("that were left rest as long as there are others", async () => {
    const allocator = open({ from: 17_930, to: 17_933 });
    const taken: number[] = [];
    for (let round = 0; round < 6; round += 1) {
      const port = await allocator.take();
      taken.push(port);
      allocator.release(port);
    }
    expect(taken).toEqual([17_931, 17_932, 17_933, 17_931, 17_932, 17_933]);
  });

  it("go to another allocator once theirs is closed", async () => {
    const small = { from: 17_940, to: 17_941 };
    const first = open(small);
    expect(await first.take()).toBe(17_941);
    const second = open(small);
    await expect(second.take()).rejects.toMatchObject({ code: "SCALER_START_FAILED" });
    await first[Symbol.asyncDispose]();
    expect(await second.take()).toBe(17_941);
  });

  it("follow a new range", async () => {
    const allocator = open({ from: 17_950, to: 17_951 });
    expect(await allocator.take()).toBe(17_951);
    allocator.configure({ from: 17_960, to: 17_961 }, new Set());
    expect(await allocator.take()).toBe(17_961);
  });
});
