import { describe, expect, it } from "vitest";
import { eventually } from "./eventually.ts";
import { bodyOf, RawConnection, sendRaw } from "./raw-http.ts";
import { openRawTarget, openTarget, openTestFront } from "./test-front.ts";
import { watchUncaught } from "./watch-uncaught.ts";

watchUncaught();

describe("an upgrade to another protocol", () => {
  const upgrade = "POST /x HTTP/1.1\r\nHost: app.example\r\nX-Case: 1\r\nConnection: Upgrade\r\nUpgrade: foo/2\r\n\r\n";

  it("is passed on and carries bytes both ways", async () => {
    let head = "";
    const target = await openRawTarget((socket) => {
      socket.once("data", (chunk: Buffer) => {
        head = String(chunk);
        socket.write("HTTP/1.1 101 Fine\r\nX-Case: 2\r\nConnection: Upgrade\r\nUpgrade: foo/2\r\n\r\nfirst");
        socket.on("data", (more: Buffer) => void socket.write(String(more).toUpperCase()));
      });
    });
    const { port, gate } = await openTestFront();
    const client = await RawConnection.open(port);
    client.write(`${upgrade}early`);
    await eventually(() => expect(gate.held).toBe(1));
    gate.wake(target);
    const text = await client.until("EARLY");
    expect(text).toMatch(/^HTTP\/1.1 101 Fine\r\nX-Case: 2\r\n/);
    expect(text).toContain("X-Dormouse-Cold-Start: true\r\nServer-Timing: wake-claim;dur=1, ");
    expect(bodyOf(text)).toBe("firstEARLY");
    client.write("late");
    await client.until("LATE");
    expect(head).toMatch(/^POST \/x HTTP\/1.1\r\nHost: app.example\r\nX-Case: 1\r\n/);
    expect(head).toContain("Upgrade: foo/2\r\n");
    expect(gate.passages[0]?.moves).toBeGreaterThan(1);
    client.socket.end();
    await eventually(() => expect(gate.inFlight).toBe(0));
    await eventually(() => expect(target.sockets.size).toBe(0));
    client.destroy();
  });

  it.each([
    ["with a length", "HTTP/1.1 426 Upgrade Required\r\nX-Case: 1\r\nContent-Length: 2\r\n\r\nno", "no"],
    [
      "in chunks",
      "HTTP/1.1 404 Not Found\r\nX-Case: 1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\n0\r\n\r\n",
      "2\r\nno\r\n0\r\n\r\n",
    ],
  ])("that the service refuses reaches the client, %s", async (_name, bytes, body) => {
    const target = await openRawTarget((socket) => void socket.once("data", () => socket.write(bytes)));
    const { port, records, gate } = await openTestFront({ targets: [target] });
    const text = await sendRaw(port, upgrade);
    expect(text).toContain("X-Case: 1\r\n");
    expect(text).toContain("Connection: close\r\n");
    expect(bodyOf(text)).toBe(body);
    await eventually(() => expect(records[0]?.status).toBe(Number(bytes.slice(9, 12))));
    expect(gate.inFlight).toBe(0);
  });

  it.each(["HTTP/1.1 404 N\x01o\r\nContent-Length: 0\r\n\r\n", "HTTP/1.1 99 Low\r\n\r\n"])(
    "refused by garbage is answered 502: %j",
    async (bytes) => {
      const target = await openRawTarget((socket) => void socket.once("data", () => socket.end(bytes)));
      const { port, gate } = await openTestFront({ targets: [target] });
      expect(await sendRaw(port, upgrade)).toMatch(/^HTTP\/1.1 502 .*"code":"DLX_TARGET_UNREACHABLE"/s);
      await eventually(() => expect(gate.inFlight).toBe(0));
    },
  );

  it("behind a request that is still to be answered ends the connection", async () => {
    const target = await openTarget(() => {});
    const { port, gate } = await openTestFront({ targets: [target] });
    expect(await sendRaw(port, `GET / HTTP/1.1\r\nHost: a\r\n\r\n${upgrade}`)).toBe("");
    await eventually(() => expect(gate.inFlight).toBe(0));
    expect(gate.passages).toHaveLength(1);
  });

  it("that breaks off is answered 502, and so is one whose refusal breaks off: by a broken connection", async () => {
    const silent = await openRawTarget((socket) => void socket.once("data", () => socket.destroy()));
    const { port, gate } = await openTestFront({ targets: [silent] });
    expect(await sendRaw(port, upgrade)).toMatch(/^HTTP\/1.1 502 /);
    const half = await openRawTarget((socket) => {
      socket.once("data", () =>
        socket.write("HTTP/1.1 404 No\r\nContent-Length: 10\r\n\r\nhalf", () => socket.destroy()),
      );
    });
    gate.wake(half);
    expect(bodyOf(await sendRaw(port, upgrade))).toBe("half");
    await eventually(() => expect(gate.inFlight).toBe(0));
  });
});
