import { createServer } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { dialTarget } from "./dial-target.ts";

describe("dialTarget", () => {
  it("says yes where a connection is accepted, and no once nobody listens any more", async () => {
    const server = createServer((socket) => socket.destroy());
    onTestFinished(() => void server.close());
    const { promise, resolve } = Promise.withResolvers<void>();
    server.listen(0, "127.0.0.1", resolve);
    await promise;
    const address = server.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;

    expect(await dialTarget({ id: "one", host: "127.0.0.1", port })).toBe(true);
    await new Promise((closed) => server.close(closed));
    expect(await dialTarget({ id: "one", host: "127.0.0.1", port })).toBe(false);
  });

  it("says no where the host has no address", async () => {
    expect(await dialTarget({ id: "one", host: "nowhere.invalid", port: 80 })).toBe(false);
  });
});
