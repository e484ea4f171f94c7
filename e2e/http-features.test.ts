import { createHash } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ask } from "./harness/ask.ts";
import { staysAwake } from "./harness/host-config.ts";
import { RawConnection } from "./harness/raw-connection.ts";
import { service, Stage } from "./harness/stage.ts";

let stage: Stage;

beforeAll(async () => {
  stage = await Stage.open((gates) => ({
    resources: [
      service(gates, "features", { program: "features", policy: staysAwake }),
      ...["cold-expect", "cold-chunks", "cold-head", "cold-pipeline"].map((name) =>
        service(gates, name, { env: { START_GATE: name }, policy: staysAwake }),
      ),
      service(gates, "cold-hints", { program: "features", policy: staysAwake }),
    ],
  }));
});

afterAll(async () => stage[Symbol.asyncDispose]());

/** Runs with a connection of its own. */
async function connected(body: (connection: RawConnection) => Promise<void>): Promise<void> {
  const connection = await RawConnection.open(stage.host.origin);
  try {
    await body(connection);
  } finally {
    await connection[Symbol.asyncDispose]();
  }
}

const get = (path: string, host = "features.test", rest = ""): string =>
  `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n${rest}\r\n`;

describe("an answer", () => {
  it("to HEAD has the service's headers and no body", async () => {
    await connected(async (connection) => {
      await connection.send("HEAD /head HTTP/1.1\r\nHost: features.test\r\nConnection: close\r\n\r\n");
      const text = await connection.untilClosed();
      expect(text).toMatch(/^HTTP\/1\.1 200 /);
      expect(text.toLowerCase()).toContain("content-length: 12345");
      expect(text.toLowerCase()).toContain("x-service: features");
      expect(text.endsWith("\r\n\r\n")).toBe(true);
    });
  });

  it.each(["features.test", "cold-hints.test"])("comes after its 103 early hints (%s)", async (host) => {
    await connected(async (connection) => {
      await connection.send(get("/early", host));
      const text = await connection.untilClosed();
      expect(text).toMatch(
        /^HTTP\/1\.1 103 [^\r]*\r\n(?:[^\r]+\r\n)*link: <\/style\.css>[^\r]*\r\n\r\nHTTP\/1\.1 200 /i,
      );
      expect(text).toContain("after the hints");
    });
  });

  it("keeps its trailers", async () => {
    await connected(async (connection) => {
      await connection.send(get("/trailers", "features.test", "TE: trailers\r\n"));
      const text = await connection.untilClosed();
      expect(text.toLowerCase()).toContain("transfer-encoding: chunked");
      expect(text.replaceAll(/[0-9a-f]+\r\n|\r\n/gi, "")).toContain("one two");
      expect(text).toMatch(/\r\n0\r\nx-checksum: abc123\r\n\r\n$/i);
    });
  });

  it("comes chunk by chunk, as the service sends it", async () => {
    const { gates } = stage;
    await connected(async (connection) => {
      await connection.send(get("/chunks"));
      gates.open("first");
      await connection.receive(/first\./);
      expect(connection.received).not.toContain("second");
      gates.open("second");
      await connection.receive(/second\./);
      expect(connection.received).not.toContain("third");
      gates.open("third");
      expect(await connection.untilClosed()).toMatch(/third\.\r\n0\r\n\r\n$/);
    });
  });

  it.each([
    ["/nothing", 204],
    ["/unchanged", 304],
  ])("without a body stays without one (%s)", async (path, status) => {
    await connected(async (connection) => {
      await connection.send(get(path));
      const text = await connection.untilClosed();
      expect(text).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
      expect(text.toLowerCase()).not.toContain("transfer-encoding");
      expect(text.endsWith("\r\n\r\n")).toBe(true);
    });
  });

  it("keeps each of its cookies", async () => {
    const { headers } = await ask(stage.host.origin, { host: "features.test", path: "/cookies" });
    expect(headers["set-cookie"]).toEqual(["a=1; Path=/", "b=2; Path=/"]);
  });

  it("to HTTP/1.0 is one that such a client understands", async () => {
    await connected(async (connection) => {
      await connection.send("GET /trailers HTTP/1.0\r\nHost: features.test\r\n\r\n");
      const text = await connection.untilClosed();
      expect(text).toMatch(/^HTTP\/1\.[01] 200 /);
      expect(text.toLowerCase()).not.toContain("transfer-encoding");
      expect(text.endsWith("one two")).toBe(true);
    });
  });

  it("to a request that offers h2c is plain HTTP/1.1", async () => {
    await connected(async (connection) => {
      const offer = "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n";
      await connection.send(`GET /cookies HTTP/1.1\r\nHost: features.test\r\n${offer}\r\n`);
      const [, status] = await connection.receive(/^HTTP\/1\.1 (\d+) [^]*two cookies/);
      expect(status).toBe("200");
    });
  });
});

describe("held through a cold start", () => {
  it("a client that expects 100-continue is asked for its body once the service takes it, and not before", async () => {
    const { host, gates } = stage;
    const body = "b".repeat(50_000);
    await connected(async (connection) => {
      const head = `POST /x HTTP/1.1\r\nHost: cold-expect.test\r\nContent-Length: ${body.length}\r\n`;
      await connection.send(`${head}Expect: 100-continue\r\nConnection: close\r\n\r\n`);
      await host.untilResource("cold-expect", ({ held }) => held === 1);
      expect(connection.received).toBe("");
      gates.open("cold-expect");
      await connection.receive(/^HTTP\/1\.1 100 Continue\r\n\r\n/);
      await connection.send(body);
      expect(await connection.untilClosed()).toMatch(/HTTP\/1\.1 200 [^]*"bytes":50000/);
      expect(connection.received).toContain(createHash("sha256").update(body).digest("hex"));
    });
  });

  it("a chunked body arrives whole, extensions and trailers aside", async () => {
    const { host, gates } = stage;
    await connected(async (connection) => {
      const head =
        "POST /x HTTP/1.1\r\nHost: cold-chunks.test\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n";
      await connection.send(`${head}5;name=value\r\nhello\r\n`);
      await host.untilResource("cold-chunks", ({ held }) => held === 1);
      gates.open("cold-chunks");
      await host.untilResource("cold-chunks", ({ inFlight }) => inFlight === 1);
      await connection.send("6\r\n world\r\n0\r\nX-Trailer: dropped\r\n\r\n");
      expect(await connection.untilClosed()).toMatch(/HTTP\/1\.1 200 [^]*"bytes":11/);
      expect(connection.received).toContain(createHash("sha256").update("hello world").digest("hex"));
    });
  });

  it("HEAD is answered without a body", async () => {
    const { host, gates } = stage;
    await connected(async (connection) => {
      await connection.send("HEAD / HTTP/1.1\r\nHost: cold-head.test\r\nConnection: close\r\n\r\n");
      await host.untilResource("cold-head", ({ held }) => held === 1);
      gates.open("cold-head");
      const text = await connection.untilClosed();
      expect(text).toMatch(/^HTTP\/1\.1 200 /);
      expect(text.toLowerCase()).toContain("x-dormouse-cold-start: true");
      expect(text.toLowerCase()).toMatch(/server-timing: \S/);
      expect(text.endsWith("\r\n\r\n")).toBe(true);
    });
  });

  it("requests sent one behind the other on one connection are answered in their order", async () => {
    const { host, gates } = stage;
    await connected(async (connection) => {
      const one = (path: string) => `POST ${path} HTTP/1.1\r\nHost: cold-pipeline.test\r\nContent-Length: 3\r\n\r\nabc`;
      await connection.send(one("/1") + one("/2") + get("/3", "cold-pipeline.test"));
      await host.untilResource("cold-pipeline", ({ held }) => held >= 1);
      gates.open("cold-pipeline");
      const text = await connection.untilClosed();
      const paths = [...text.matchAll(/"path":"(\/\d)"/g)].map(([, path]) => path);
      expect(paths).toEqual(["/1", "/2", "/3"]);
    });
  });
});
