import { FakeClock } from "@dormouse/core/testing";
import { describe, expect, it, vi } from "vitest";
import { eventually } from "./eventually.ts";
import { RawConnection } from "./raw-http.ts";
import { openSilentTarget, openTarget, openTestFront } from "./test-front.ts";

const get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
const last = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";

describe("limits of time", () => {
  it("answers 504 where the first byte of a response is late, and ends the request", async () => {
    const { target, connections } = await openSilentTarget();
    const clock = new FakeClock();
    const { port, records } = await openTestFront({ targets: [target], clock, policy: { responseTimeout: 5_000 } });
    const client = await RawConnection.open(port);
    client.write(get);
    await eventually(() => expect(connections[0]?.text).toContain("\r\n\r\n"));
    await clock.advance(4_999);
    expect(client.text).toBe("");
    await clock.advance(1);
    expect(await client.until(/\}\n$/)).toMatch(/^HTTP\/1.1 504 .*"code":"DLX_TARGET_TIMEOUT"/s);
    await eventually(() => expect(target.sockets.size).toBe(0));
    await eventually(() => expect(records[0]?.status).toBe(504));
    expect(clock.pendingTimers).toBe(0);
    client.destroy();
  });

  it("leaves a response alone that has begun, however long it takes", async () => {
    const { target, connections } = await openSilentTarget();
    const clock = new FakeClock();
    const { port } = await openTestFront({ targets: [target], clock, policy: { responseTimeout: 5_000 } });
    const client = await RawConnection.open(port);
    client.write(get);
    await eventually(() => expect(connections[0]?.text).toContain("\r\n\r\n"));
    connections[0]?.socket.write("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nha");
    await client.until("ha");
    expect(clock.pendingTimers).toBe(0);
    await clock.advance(3_600_000);
    connections[0]?.socket.write("lf");
    await client.until("half");
    client.destroy();
  });

  it("answers 408 to a body that stops coming, and ends the request", async () => {
    const { target, connections } = await openSilentTarget();
    const clock = new FakeClock();
    const { port, records } = await openTestFront({ targets: [target], clock, config: { bodyIdleTimeout: 1_000 } });
    const client = await RawConnection.open(port);
    client.write("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc");
    await eventually(() => expect(connections[0]?.text).toContain("abc"));
    await clock.advance(900);
    client.write("def");
    await eventually(() => expect(connections[0]?.text).toContain("abcdef"));
    await clock.advance(900);
    expect(client.text).toBe("");
    await clock.advance(200);
    expect(await client.untilClosed()).toMatch(/^HTTP\/1.1 408 .*"code":"DLX_BAD_REQUEST"/s);
    await eventually(() => expect(target.sockets.size).toBe(0));
    await eventually(() => expect(records[0]?.status).toBe(408));
  });

  it("lets go of a client that takes nothing of its answer for too long", async () => {
    const target = await openTarget((_request, response) => void response.end(Buffer.alloc(64 * 1_048_576)));
    const clock = new FakeClock();
    const { port, records } = await openTestFront({ targets: [target], clock, config: { bodyIdleTimeout: 1_000 } });
    const client = await RawConnection.open(port);
    client.socket.pause();
    client.write(get);
    await eventually(() => expect(clock.pendingTimers).toBe(1));
    await vi.waitFor(
      async () => {
        await clock.advance(1_100);
        expect(target.sockets.size).toBe(0);
      },
      { timeout: 20_000, interval: 200 },
    );
    await eventually(() => expect(records[0]?.status).toBe(499));
    expect(clock.pendingTimers).toBe(0);
    client.destroy();
  });

  it("leaves a slow reader alone that takes a little now and then", async () => {
    const size = 32 * 1_048_576;
    const target = await openTarget((_request, response) => void response.end(Buffer.alloc(size)));
    const clock = new FakeClock();
    const { port, records } = await openTestFront({ targets: [target], clock, config: { bodyIdleTimeout: 1_000 } });
    const client = await RawConnection.open(port);
    client.socket.pause();
    client.write(last);
    await eventually(() => expect(clock.pendingTimers).toBe(1));
    const timer = setInterval(() => void clock.advance(100), 10);
    for (let i = 0; i < 20; i += 1) {
      const before = client.length;
      client.socket.resume();
      await eventually(() => expect(client.length).toBeGreaterThan(before));
      client.socket.pause();
      if (client.length >= size) break;
    }
    client.socket.resume();
    await client.untilClosed().finally(() => clearInterval(timer));
    expect(client.length).toBeGreaterThan(size);
    await eventually(() => expect(records[0]?.status).toBe(200));
  });

  it("has no limit for a body while its request is held", async () => {
    const clock = new FakeClock();
    const { port, gate } = await openTestFront({ clock, config: { bodyIdleTimeout: 1_000 } });
    const client = await RawConnection.open(port);
    client.write("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc");
    await eventually(() => expect(gate.held).toBe(1));
    await clock.advance(600_000);
    expect(gate.held).toBe(1);
    client.destroy();
  });
});
