import dns from "node:dns";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { afterEach, expect, it, vi } from "vitest";
import { acceptsConnection } from "./accepts-connection.ts";

afterEach(() => void vi.restoreAllMocks());

it("waits for a slow look-up of the host's name, for longer than for a connection", async () => {
  const real = dns.lookup;
  vi.spyOn(dns, "lookup").mockImplementation(((_host: string, options: object, callback: () => void) => {
    setTimeout(() => real("127.0.0.1", options, callback), 1_200);
  }) as typeof dns.lookup);
  const server = createServer((socket) => socket.destroy()).listen(0, "127.0.0.1");
  await once(server, "listening");
  expect(await acceptsConnection("app.example", (server.address() as AddressInfo).port)).toBe(true);
  server.close();
});
