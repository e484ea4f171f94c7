import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ask } from "./harness/ask.ts";
import { staysAwake } from "./harness/host-config.ts";
import { readLedger } from "./harness/ledger.ts";
import { RawConnection } from "./harness/raw-connection.ts";
import { service, Stage } from "./harness/stage.ts";
import { until } from "./harness/until.ts";

const host = "Host: target.test\r\n";
const chunked = "Transfer-Encoding: chunked\r\n";
const post = `POST /bad HTTP/1.1\r\n${host}`;
const get = `GET /bad HTTP/1.1\r\n${host}`;

/** Requests whose head alone is to be refused: what it is, its bytes, and the status, 400 where none is given. */
const badHeads: readonly (readonly [name: string, bytes: string, status?: 431])[] = [
  // RFC 9112 §6.1 and §6.3: how long the body is.
  ["both Content-Length and Transfer-Encoding", `${post}Content-Length: 5\r\n${chunked}\r\n0\r\n\r\n`],
  ["both, the other way round", `${post}${chunked}Content-Length: 5\r\n\r\n0\r\n\r\n`],
  ["two Content-Lengths that differ", `${post}Content-Length: 3\r\nContent-Length: 5\r\n\r\nabcde`],
  ["two Content-Lengths that agree", `${post}Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc`],
  ["a list as Content-Length", `${post}Content-Length: 3, 3\r\n\r\nabc`],
  ["a Content-Length with a sign", `${post}Content-Length: +3\r\n\r\nabc`],
  ["a negative Content-Length", `${post}Content-Length: -1\r\n\r\n`],
  ["a hexadecimal Content-Length", `${post}Content-Length: 0x3\r\n\r\nabc`],
  ["an empty Content-Length", `${post}Content-Length:\r\n\r\n`],
  ["a Content-Length beyond all bounds", `${post}Content-Length: 99999999999999999999\r\n\r\n`],
  ["Transfer-Encoding gzip, chunked", `${post}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`],
  ["Transfer-Encoding chunked, gzip", `${post}Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n`],
  ["Transfer-Encoding identity", `${post}Transfer-Encoding: identity\r\n\r\n`],
  ["an unknown Transfer-Encoding", `${post}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n`],
  ["Transfer-Encoding twice", `${post}${chunked}${chunked}\r\n0\r\n\r\n`],
  ["Transfer-Encoding chunked, chunked", `${post}Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n`],
  ["an empty Transfer-Encoding", `${post}Transfer-Encoding:\r\nContent-Length: 3\r\n\r\nabc`],
  ["Transfer-Encoding in HTTP/1.0", `POST /bad HTTP/1.0\r\n${host}${chunked}\r\n0\r\n\r\n`],
  // RFC 9112 §2.2 and §5: lines and fields.
  ["bare LF after the request line", `GET /bad HTTP/1.1\n${host}\r\n`],
  ["bare LF after a field", `GET /bad HTTP/1.1\r\nHost: target.test\n\r\n`],
  ["bare LF all over", "GET /bad HTTP/1.1\nHost: target.test\n\n"],
  ["bare CR in a field", `${get}X-Field: a\rb\r\n\r\n`],
  ["a field over two lines", `${get}X-Field: a\r\n b\r\n\r\n`],
  ["a first field that begins with a space", `GET /bad HTTP/1.1\r\n X-Field: a\r\n${host}\r\n`],
  ["a space before the colon", `${get}Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n`],
  ["a field without a colon", `${get}X-Field\r\n\r\n`],
  ["a field without a name", `${get}: value\r\n\r\n`],
  ["a field name with a space", `${get}X Field: value\r\n\r\n`],
  ["a field name with a character above ASCII", `${get}X-F\u00efeld: value\r\n\r\n`],
  ["a NUL in a value", `${get}X-Field: a\0b\r\n\r\n`],
  ["a control character in a value", `${get}X-Field: a\u0001b\r\n\r\n`],
  // RFC 9112 §3: the request line and Host.
  ["two Hosts", `${get}Host: other.test\r\n\r\n`],
  ["two Hosts that agree", `${get}${host}\r\n`],
  ["no Host", "GET /bad HTTP/1.1\r\n\r\n"],
  ["a Host that is no authority", "GET /bad HTTP/1.1\r\nHost: a b/c@d\r\n\r\n"],
  ["a Host with a path", "GET /bad HTTP/1.1\r\nHost: target.test/admin\r\n\r\n"],
  ["a Host with a user", "GET /bad HTTP/1.1\r\nHost: user@target.test\r\n\r\n"],
  ["a Host with two ports", "GET /bad HTTP/1.1\r\nHost: target.test:80:81\r\n\r\n"],
  ["a list as Host", "GET /bad HTTP/1.1\r\nHost: target.test, other.test\r\n\r\n"],
  ["CONNECT", "CONNECT target.test:443 HTTP/1.1\r\nHost: target.test:443\r\n\r\n"],
  ["CONNECT with a body behind it", `CONNECT target.test:80 HTTP/1.1\r\n${host}\r\n${get}\r\n`],
  ["a target of no form", `GET bad HTTP/1.1\r\n${host}\r\n`],
  ["a target with a fragment", `GET /bad#fragment HTTP/1.1\r\n${host}\r\n`],
  ["a target with a space", `GET /b ad HTTP/1.1\r\n${host}\r\n`],
  ["a target of another scheme", `GET ftp://target.test/bad HTTP/1.1\r\n${host}\r\n`],
  ["a target with a user", `GET http://user@target.test/bad HTTP/1.1\r\n${host}\r\n`],
  ["an asterisk for GET", `GET * HTTP/1.1\r\n${host}\r\n`],
  ["HTTP/0.9", "GET /bad\r\n\r\n"],
  ["HTTP/2 in clear text", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"],
  ["HTTP/1.2", `GET /bad HTTP/1.2\r\n${host}\r\n`],
  ["HTTP/3.0", `GET /bad HTTP/3.0\r\n${host}\r\n`],
  ["another protocol's name", `GET /bad HTTQ/1.1\r\n${host}\r\n`],
  ["a method in lower case", `get /bad HTTP/1.1\r\n${host}\r\n`],
  ["an unknown method", `FETCH /bad HTTP/1.1\r\n${host}\r\n`],
  ["a TLS handshake", "\u0016\u0003\u0001\u0002\0\u0001\0\u0001\u00fc\u0003\u0003"],
  ["noise", "\u00ff\u00fe\u00fd !!\r\n\r\n"],
  // RFC 6585 §5.
  ["a field of 20 kB", `${get}X-Field: ${"x".repeat(20_000)}\r\n\r\n`, 431],
  ["fields of 20 kB together", `${get}${`X-Field: ${"x".repeat(190)}\r\n`.repeat(100)}\r\n`, 431],
  ["a target of 20 kB", `GET /${"x".repeat(20_000)} HTTP/1.1\r\n${host}\r\n`, 431],
  ["a field name of 20 kB", `${get}${"x".repeat(20_000)}: a\r\n\r\n`, 431],
];

/** Bodies that break off being HTTP: their head is good, so that only a whole request would be too much. */
const badBodies: readonly (readonly [name: string, bytes: string])[] = [
  ["a chunk size that is no number", `${post}${chunked}\r\nZZ\r\nhello\r\n0\r\n\r\n`],
  ["a chunk size with a sign", `${post}${chunked}\r\n-5\r\nhello\r\n0\r\n\r\n`],
  ["a chunk size with a prefix", `${post}${chunked}\r\n0x5\r\nhello\r\n0\r\n\r\n`],
  ["a chunk size beyond all bounds", `${post}${chunked}\r\nFFFFFFFFFFFFFFFFF\r\nhello\r\n0\r\n\r\n`],
  ["a space after a chunk size", `${post}${chunked}\r\n5 \r\nhello\r\n0\r\n\r\n`],
  ["a chunk longer than its size", `${post}${chunked}\r\n3\r\nhello\r\n0\r\n\r\n`],
  ["bare LF after a chunk size", `${post}${chunked}\r\n5\nhello\r\n0\r\n\r\n`],
  ["bare LF after a chunk", `${post}${chunked}\r\n5\r\nhello\n0\r\n\r\n`],
  ["bare LF in a chunk extension", `${post}${chunked}\r\n5;a\nhello\r\n0\r\n\r\n`],
  ["a good chunk before a bad one", `${post}${chunked}\r\n5\r\nhello\r\nX\r\n\r\n0\r\n\r\n`],
  ["a trailer that is no field", `${post}${chunked}\r\n0\r\nbad trailer\r\n\r\n`],
  ["chunk extensions without an end", `${post}${chunked}\r\n5;${"x".repeat(100_000)}\r\nhello\r\n0\r\n\r\n`],
];

let stage: Stage;

beforeAll(async () => {
  stage = await Stage.open((gates) => ({
    resources: [
      service(gates, "target", { policy: staysAwake }),
      service(gates, "slow-start", { env: { START_GATE: "start" }, policy: staysAwake }),
    ],
    dlx: { headersTimeout: "1s" },
  }));
});

afterAll(async () => stage[Symbol.asyncDispose]());

describe.each(["asleep", "awake"] as const)("while the target is %s", (state) => {
  beforeAll(async () => {
    if (state === "awake") await ask(stage.host.origin, { host: "target.test", path: "/counted" });
    await stage.host.untilState("target", state);
  });

  it.each(badHeads.map(([name, bytes, status = 400]) => ({ name, bytes, status })))(
    "$name is refused and the connection closed",
    async ({ bytes, status }) => {
      const before = traces();
      expect(await exchange(bytes)).toMatch(refusalOf(status));
      expect(traces()).toEqual(before);
    },
  );

  it("a head without an end is refused as soon as it is too long", async () => {
    const before = traces();
    const connection = await RawConnection.open(stage.host.origin);
    try {
      await connection.send(get);
      let sent = 0;
      while (!connection.isClosed && sent < 10_000_000) {
        if (!(await connection.send("X-More: and more\r\n".repeat(50)))) break;
        sent += 900;
      }
      expect(sent).toBeLessThan(1_000_000);
      // What the kernel had taken when the connection closed may reset it, and the answer with it.
      const text = connection.failure === undefined ? await connection.untilClosed() : "reset";
      expect(text).toMatch(new RegExp(`^reset$|${refusalOf(431).source}`, "i"));
      expect(traces()).toEqual(before);
    } finally {
      await connection[Symbol.asyncDispose]();
    }
  });

  it("a head that does not come to its end in time is refused", async () => {
    const before = traces();
    expect(await exchange(get)).toMatch(refusalOf(408));
    expect(traces()).toEqual(before);
  });
});

describe.each(["target", "slow-start"] as const)("a body that is no HTTP, for %s", (name) => {
  it.each(badBodies)("%s: the connection is closed, and no whole request is executed", async (_name, bytes) => {
    const counted = ledger(name);
    const text = await exchange(bytes.replace("target.test", `${name}.test`));
    expect(text).toMatch(refusalOf(400));
    await stage.host.untilResource(name, ({ held, inFlight }) => held + inFlight === 0);
    expect(ledger(name)).toEqual(counted);
  });

  it("a body that ends too early: no whole request is executed", async () => {
    const counted = ledger(name);
    const to = post.replace("target.test", `${name}.test`);
    for (const bytes of [`${to}Content-Length: 100\r\n\r\nhello`, `${to}${chunked}\r\n5\r\nhello\r\n`]) {
      const connection = await RawConnection.open(stage.host.origin);
      await connection.send(bytes);
      await stage.host.untilResource(name, ({ held, inFlight }) => held + inFlight === 1);
      await connection[Symbol.asyncDispose]();
      await stage.host.untilResource(name, ({ held, inFlight }) => held + inFlight === 0);
    }
    expect(ledger(name)).toEqual(counted);
  });
});

describe("behind a good request on the same connection", () => {
  it("a bad one is refused after the good one was answered", async () => {
    const text = await exchange(`GET /good HTTP/1.1\r\n${host}\r\n${get}${host}\r\n`);
    expect(text).toMatch(/^HTTP\/1\.1 200 [^]*"path":"\/good"[^]*HTTP\/1\.1 400 /);
    expect(ledger().filter((line) => line.endsWith("/good"))).toHaveLength(1);
    expect(ledger().filter((line) => line.endsWith("/bad"))).toEqual([]);
  });

  it("noise is refused after all good ones before it were answered", async () => {
    const good = ["/one", "/two"].map((path) => `POST ${path} HTTP/1.1\r\n${host}Content-Length: 3\r\n\r\nabc`);
    const text = await exchange(`${good.join("")}noise\r\n\r\n`);
    expect([...text.matchAll(/"path":"(\/[a-z]+)"/g)].map(([, path]) => path)).toEqual(["/one", "/two"]);
    for (const path of ["/one", "/two"]) expect(ledger().filter((line) => line === `POST ${path}`)).toHaveLength(1);
  });

  it("a request that hides in a refused one's body is not executed", async () => {
    const hidden = `GET /hidden HTTP/1.1\r\n${host}\r\n`;
    for (const bytes of [
      `${post}Content-Length: ${hidden.length}\r\n${chunked}\r\n0\r\n\r\n${hidden}`,
      `${post}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n${hidden}`,
      `POST /bad HTTP/1.0\r\n${host}${chunked}\r\n0\r\n\r\n${hidden}`,
      `${get}${host}\r\n${hidden}`,
    ])
      expect(await exchange(bytes)).toMatch(/^HTTP\/1\.1 400 (?:(?!HTTP\/)[^])*$/);
    expect(ledger().filter((line) => line.includes("/hidden"))).toEqual([]);
  });
});

describe("what looks odd and is allowed", () => {
  it.each([
    ["an empty line before the request line", `\r\nGET /odd HTTP/1.1\r\n${host}Connection: close\r\n\r\n`],
    ["no space after the colon", "GET /odd HTTP/1.1\r\nHost:target.test\r\nConnection:close\r\n\r\n"],
    ["a field without a value", `GET /odd HTTP/1.1\r\n${host}X-Empty:\r\nConnection: close\r\n\r\n`],
    [
      "a chunk extension",
      `POST /odd HTTP/1.1\r\n${host}${chunked}Connection: close\r\n\r\n5;a=b\r\nhello\r\n0\r\n\r\n`,
    ],
    [
      "Transfer-Encoding in capitals",
      `POST /odd HTTP/1.1\r\n${host}TRANSFER-ENCODING: CHUNKED\r\nConnection: close\r\n\r\n0\r\n\r\n`,
    ],
    ["HTTP/1.0 without keep-alive", `GET /odd HTTP/1.0\r\n${host}\r\n`],
  ])("%s", async (_name, bytes) => {
    const before = ledger().length;
    expect(await exchange(bytes)).toMatch(/^HTTP\/1\.1 200 [^]*"path":"\/odd"/);
    expect(ledger().slice(before)).toEqual([expect.stringContaining("/odd")]);
  });
});

it("keeps its port for others whatever came before", async () => {
  expect(await ask(stage.host.origin, { host: "target.test" })).toMatchObject({ status: 200 });
  stage.gates.open("start");
  expect(await ask(stage.host.origin, { host: "slow-start.test", path: "/at-last" })).toMatchObject({ status: 200 });
  await until("only the good request reached it", () => ledger("slow-start").length > 0);
  expect(ledger("slow-start")).toEqual(["GET /at-last"]);
});

/** Sends the bytes and gives everything that came until the connection was closed. */
async function exchange(bytes: string): Promise<string> {
  const connection = await RawConnection.open(stage.host.origin);
  try {
    await connection.send(bytes);
    return await connection.untilClosed(10_000);
  } finally {
    await connection[Symbol.asyncDispose]();
  }
}

function refusalOf(status: number): RegExp {
  return new RegExp(`^HTTP/1\\.1 ${status} (?:[^\\r]*\\r\\n)*connection: close\\r\\n`, "i");
}

/** Each whole request that a service has read, by method and path. */
function ledger(name = "target"): readonly string[] {
  return readLedger(stage.gates.ledger(name));
}

/** What has come to the target, and what was done for it. */
function traces(): object {
  return { executed: ledger(), events: stage.host.events.all.length };
}
