import { expect, it, onTestFinished } from "vitest";
import { PortAllocator } from "./port-allocator.ts";
import { ReservedPorts } from "./reserved-ports.ts";

// Two ports besides the lock.
function open(from: number) {
  const allocator = new PortAllocator({ from, to: from + 2 }, new Set());
  onTestFinished(() => allocator[Symbol.asyncDispose]());
  return { allocator, ports: new ReservedPorts(allocator) };
}

const wanted = (...keys: string[]) => new Map<string, number | undefined>(keys.map((key) => [key, undefined]));

it("keeps a resource's port for as long as the resource exists", async () => {
  const { ports } = open(17_800);
  const first = await ports.prepare(wanted("a", "b"));
  ports.commit(first);
  expect(Object.fromEntries(first)).toEqual({ a: 17_801, b: 17_802 });
  const second = await ports.prepare(new Map([...wanted("b"), ["c", 3_000]]));
  ports.commit(second);
  expect(Object.fromEntries(second)).toEqual({ b: 17_802, c: 3_000 });
  ports.drop("a");
  expect((await ports.prepare(wanted("d"))).get("d")).toBe(17_801);
});

it("takes nothing where not all can have one", async () => {
  const { ports } = open(17_810);
  ports.commit(await ports.prepare(wanted("a")));
  await expect(ports.prepare(wanted("a", "b", "c"))).rejects.toMatchObject({ code: "SCALER_START_FAILED" });
  expect((await ports.prepare(wanted("a", "b"))).get("b")).toBe(17_812);
});

it("gives a port up that may not be given any more", async () => {
  const { allocator, ports } = open(17_820);
  ports.commit(await ports.prepare(wanted("a")));
  allocator.configure({ from: 17_820, to: 17_822 }, new Set([17_821]));
  const next = await ports.prepare(wanted("a"));
  ports.commit(next);
  expect(next.get("a")).toBe(17_822);
});
