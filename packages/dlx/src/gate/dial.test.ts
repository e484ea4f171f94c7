import dns from "node:dns";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { afterEach, expect, it, vi } from "vitest";
import { dial } from "./dial.ts";

afterEach(() => void vi.restoreAllMocks());

/** Longer than a connection may take. */
const lookupMs = 250;

function slowLookup(): void {
  const real = dns.lookup;
  vi.spyOn(dns, "lookup").mockImplementation(((_host: string, options: object, callback: () => void) => {
    setTimeout(() => real("127.0.0.1", options, callback), lookupMs);
  }) as typeof dns.lookup);
}

it("waits for a slow look-up of the target's name", async () => {
  slowLookup();
  const server = createServer((socket) => socket.destroy()).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const target = { id: "a", host: "app.example", port };
  const begin = performance.now();
  expect(await dial(target, undefined, new AbortController().signal)).toEqual({ id: "a", address: "127.0.0.1", port });
  expect(performance.now() - begin).toBeGreaterThanOrEqual(lookupMs - 10);
  server.close();
});

it("gives up at once when it is told to, in the middle of a look-up too", async () => {
  slowLookup();
  const abort = new AbortController();
  const dialled = dial({ id: "a", host: "app.example", port: 1 }, undefined, abort.signal);
  abort.abort(new Error("enough"));
  await expect(dialled).rejects.toThrow("enough");
});
