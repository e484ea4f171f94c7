import { createServer } from "node:http";
import { type ConfigError, isConfigError, type Logger, type Route, silentLogger } from "@dormouse/core";
import { FakeClock, freePort } from "@dormouse/core/testing";
import { describe, expect, it, onTestFinished } from "vitest";
import { openFront } from "../src/exchange/open-front.ts";
import { eventually } from "./eventually.ts";
import { RawConnection, sendRaw } from "./raw-http.ts";
import { appRef, appRoute, openTarget, openTestFront, testConfig } from "./test-front.ts";

const get = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
const keepAlive = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

/** Takes a port, so that nobody else can have it. Once freed, nobody is given it without asking for it. */
async function occupy(): Promise<{ listen: string; free: () => Promise<void> }> {
  const server = createServer();
  const port = await freePort();
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  const free = (): Promise<void> => new Promise((resolve) => server.close(() => resolve()));
  onTestFinished(free);
  return { listen: `127.0.0.1:${port}`, free };
}

function portOf(listen: string | undefined): number {
  return Number(listen?.split(":").at(-1));
}

async function failure(work: Promise<unknown>): Promise<ConfigError> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!isConfigError(error)) throw new Error(`no ConfigError but ${String(error)}`);
  return error;
}

function collectWarnings(): { logger: Logger; problems: string[] } {
  const problems: string[] = [];
  const logger = {
    ...silentLogger,
    warn: (fields: object) => void problems.push(String(Reflect.get(fields, "problem"))),
  };
  return { logger, problems };
}

async function isListening(listen: string | undefined): Promise<boolean> {
  return RawConnection.open(portOf(listen)).then(
    (connection) => (connection.destroy(), true),
    () => false,
  );
}

describe("the shared listeners", () => {
  it("may be several, and say where they really are", async () => {
    const target = await openTarget((_request, response) => void response.end("ok"));
    const { front } = await openTestFront({
      targets: [target],
      config: { listen: ["127.0.0.1:0", "127.0.0.2:0", "[::1]:0"] },
    });
    expect(front.addresses.map(({ listen }) => listen.replace(/:\d+$/, ""))).toEqual([
      "127.0.0.1",
      "127.0.0.2",
      "[::1]",
    ]);
    expect(await sendRaw(portOf(front.addresses[0]?.listen), get)).toContain("ok");
    const response = await fetch(`http://${front.addresses[2]?.listen}/`);
    expect(await response.text()).toBe("ok");
  });

  it("that cannot be had are an error with place and mend, and nothing is left open", async () => {
    const { listen, free } = await occupy();
    const own = await occupy();
    await own.free();
    const config = testConfig({ listen: [own.listen, listen] });
    const recorder = { record: () => {} };
    const policyOf = (): never => {
      throw new Error("not asked for");
    };
    const options = {
      clock: new FakeClock(),
      logger: silentLogger,
      config,
      gateOf: () => undefined,
      policyOf,
      starting: () => false,
      recorder,
    };
    const error = await failure(openFront(options));
    expect(error.issues).toEqual([
      {
        place: "dlx.listen",
        problem: `cannot be had: ${listen} is taken by another process or listener`,
        mend: "free the port or write another address, for example 127.0.0.1:0 for any free port",
      },
    ]);
    expect(await isListening(own.listen)).toBe(false);
    await free();
  });

  it("that are no address of this machine are an error that says so", async () => {
    const { front } = await openTestFront();
    const error = await failure(front.reconfigure(testConfig({ listen: "192.0.2.1:0" })));
    expect(error.issues[0]?.problem).toBe("cannot be had: 192.0.2.1:0 is no address of this machine");
  });

  it("open anew before the old ones close, and a running request ends on the old one", async () => {
    let answer = (): void => {};
    const target = await openTarget((_request, response) => {
      answer = () => void response.end("ok");
    });
    const { front, port } = await openTestFront({ targets: [target] });
    const slow = await RawConnection.open(port);
    slow.write(keepAlive);
    const idle = await RawConnection.open(port);
    idle.write(keepAlive);
    await eventually(() => expect(target.sockets.size).toBe(2));
    await front.reconfigure(testConfig({ listen: "127.0.0.2:0" }));
    expect(front.addresses[0]?.listen).toMatch(/^127.0.0.2:/);
    expect(await isListening(`127.0.0.1:${port}`)).toBe(false);
    answer();
    expect(await idle.untilClosed()).toMatch(/Connection: close\r\n.*ok/s);
    slow.destroy();
  });

  it("stay as they are where a new one cannot be had", async () => {
    const target = await openTarget((_request, response) => void response.end("ok"));
    const { listen } = await occupy();
    const { front, port, config } = await openTestFront({ targets: [target] });
    const before = front.addresses;
    await failure(front.reconfigure({ ...config, listen: ["127.0.0.3:0", listen], trustedProxies: ["127.0.0.1"] }));
    expect(front.addresses).toEqual(before);
    expect(await sendRaw(port, get)).toContain("ok");
  });

  it("keep their connections when only limits change, and take the new ones", async () => {
    const seen: unknown[] = [];
    const target = await openTarget((request, response) => {
      seen.push(request.headers["x-forwarded-for"]);
      response.end("ok");
    });
    const { front, port, config } = await openTestFront({ targets: [target] });
    const client = await RawConnection.open(port);
    const ask = (more = ""): void =>
      client.write(`GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 192.0.2.1\r\n${more}\r\n`);
    ask();
    await eventually(() => expect(seen).toEqual(["127.0.0.1"]));
    await front.reconfigure({ ...config, trustedProxies: ["127.0.0.0/8"], maxHeaderSize: 2_048 });
    ask();
    await eventually(() => expect(seen).toEqual(["127.0.0.1", "192.0.2.1, 127.0.0.1"]));
    client.destroy();
    expect(await sendRaw(port, `GET / HTTP/1.1\r\nHost: a\r\nX: ${"x".repeat(3_000)}\r\n\r\n`)).toMatch(
      /^HTTP\/1.1 431 /,
    );
  });

  it("refuse the request of a connection too many, and close far too many at once", async () => {
    let asked = 0;
    const target = await openTarget((_request, response) => void response.end(`ok ${(asked += 1)}`));
    const { port } = await openTestFront({ targets: [target], config: { maxConnections: 2 } });
    const [one, two] = [await RawConnection.open(port), await RawConnection.open(port)];
    const three = await RawConnection.open(port);
    const four = await RawConnection.open(port);
    expect(await four.untilClosed()).toBe("");
    three.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    const refusal = await three.untilClosed();
    expect(refusal).toMatch(/^HTTP\/1\.1 503 .*\r\nConnection: close\r\n.*"DLX_OVERLOADED"/is);
    expect(asked).toBe(0);
    one.destroy();
    await eventually(async () => expect(await sendRaw(port, get)).toContain("ok"));
    two.write(get);
    expect(await two.untilClosed()).toContain("ok");
  });
});

describe("dedicated listeners", () => {
  const dedicated = (listen: string): Route => ({ ref: appRef, listen, origin: "policy of local/default/app" });

  it("lead whatever comes to their resource", async () => {
    const target = await openTarget((request, response) => void response.end(`${request.headers.host} ${request.url}`));
    const { front, port } = await openTestFront({ targets: [target], routes: [dedicated("127.0.0.1:0")] });
    expect(front.addresses).toHaveLength(2);
    expect(front.addresses[1]?.resource).toBe("local/default/app");
    const text = await sendRaw(
      portOf(front.addresses[1]?.listen),
      "GET /any HTTP/1.1\r\nHost: what.ever\r\nConnection: close\r\n\r\n",
    );
    expect(text).toContain("what.ever /any");
    expect(await sendRaw(port, get)).toMatch(/^HTTP\/1.1 404 /);
  });

  it("come and go with their routes", async () => {
    const { front } = await openTestFront();
    const { listen, free } = await occupy();
    await free();
    expect(await front.setRoutes([appRoute, dedicated(listen)])).toEqual([]);
    expect(await isListening(listen)).toBe(true);
    expect(await front.setRoutes([appRoute, dedicated(listen)])).toEqual([]);
    expect(await isListening(listen)).toBe(true);
    await front.setRoutes([appRoute]);
    expect(await isListening(listen)).toBe(false);
  });

  it("go on leading to their resource for stopGrace once their route has gone, since others learn of it later", async () => {
    const clock = new FakeClock();
    const target = await openTarget((_request, response) => void response.end("ok"));
    const { front } = await openTestFront({ clock, targets: [target], config: { stopGrace: 4_000 } });
    const { listen, free } = await occupy();
    await free();
    await front.setRoutes([appRoute, dedicated(listen)]);
    await front.setRoutes([appRoute]);
    expect(front.addresses).toHaveLength(1);
    await clock.advance(3_900);
    expect(await sendRaw(portOf(listen), get)).toContain("ok");
    await front.setRoutes([appRoute, dedicated(listen)]);
    await clock.advance(4_000);
    expect(await isListening(listen)).toBe(true);
    await front.setRoutes([appRoute]);
    await clock.advance(4_000);
    await eventually(async () => expect(await isListening(listen)).toBe(false));
  });

  it("that cannot be had are returned, left out with one warning, and tried again", async () => {
    const clock = new FakeClock();
    const { logger, problems } = collectWarnings();
    const { front } = await openTestFront({ clock, logger });
    const { listen, free } = await occupy();
    const issues = await front.setRoutes([appRoute, dedicated(listen)]);
    expect(issues).toEqual([
      {
        place: "policy of local/default/app: listen",
        problem: `cannot be had: ${listen} is taken by another process or listener`,
        mend: "free the port or write another address, for example 127.0.0.1:0 for any free port",
      },
    ]);
    await clock.advance(5_000);
    await eventually(() => expect(clock.pendingTimers).toBe(1));
    expect(problems).toHaveLength(1);
    await free();
    await clock.advance(5_000);
    await eventually(async () => expect(await isListening(listen)).toBe(true));
    expect(front.addresses.map((address) => address.resource)).toEqual([undefined, "local/default/app"]);
  });
});

describe("routes that compete", () => {
  it("are named in one warning, and the first one stays", async () => {
    const { logger, problems } = collectWarnings();
    const target = await openTarget((_request, response) => void response.end("first"));
    const { front, port } = await openTestFront({ targets: [target], logger });
    const routes = [appRoute, { ...appRoute, ref: { ...appRef, name: "other" }, origin: "elsewhere" }];
    await front.setRoutes(routes);
    await front.setRoutes(routes);
    expect(problems).toEqual(["any host/ leads to local/default/app (test) and to local/default/other (elsewhere)"]);
    expect(await sendRaw(port, get)).toContain("first");
  });
});

describe("a resource whose own traffic goes past the DLX", () => {
  it("is answered with Connection: close, so that its clients leave", async () => {
    const target = await openTarget((_request, response) => void response.end("ok"));
    const test = await openTestFront({ targets: [target] });
    const client = await RawConnection.open(test.port);
    client.write(keepAlive);
    expect(await client.until("ok")).toContain("Connection: keep-alive\r\n");
    test.isDirect = true;
    client.write(keepAlive);
    expect(await client.untilClosed()).toContain("Connection: close\r\n");
  });
});

describe("a drain", () => {
  it("lets held and running requests end, and takes no new connection", async () => {
    const answers: (() => void)[] = [];
    const target = await openTarget((_request, response) => {
      answers.push(() => void response.end("done"));
    });
    const { front, gate, port, records } = await openTestFront();
    const held = await RawConnection.open(port);
    held.write(keepAlive);
    await eventually(() => expect(gate.held).toBe(1));
    const drained = front.drain();
    expect(front.draining).toBe(true);
    await eventually(async () => expect(await isListening(`127.0.0.1:${port}`)).toBe(false));
    gate.wake(target);
    await eventually(() => expect(answers).toHaveLength(1));
    answers[0]?.();
    expect(await held.untilClosed()).toMatch(/Connection: close\r\n.*done/s);
    expect(await drained).toBe(0);
    expect(records.map((record) => record.status)).toEqual([200]);
  });

  it("closes idle connections at once, and a busy one with its answer", async () => {
    const answers: (() => void)[] = [];
    const target = await openTarget((request, response) => {
      if (request.url === "/slow") answers.push(() => void response.end("slow"));
      else response.end("fast");
    });
    const { front, port } = await openTestFront({ targets: [target] });
    const idle = await RawConnection.open(port);
    idle.write(keepAlive);
    await idle.until("fast");
    const busy = await RawConnection.open(port);
    busy.write("GET /slow HTTP/1.1\r\nHost: a\r\n\r\n");
    await eventually(() => expect(answers).toHaveLength(1));
    const drained = front.drain();
    await idle.untilClosed();
    answers[0]?.();
    expect(await busy.untilClosed()).toContain("slow");
    expect(await drained).toBe(0);
  });

  it("cuts off and counts what is left at its limit", async () => {
    const clock = new FakeClock();
    const target = await openTarget(() => {});
    const { front, gate, port, records } = await openTestFront({ clock, config: { drainTimeout: 3_000 } });
    const held = await RawConnection.open(port);
    held.write(keepAlive);
    await eventually(() => expect(gate.held).toBe(1));
    const running = await RawConnection.open(port);
    gate.awake = true;
    gate.targets = [target];
    running.write(keepAlive);
    await eventually(() => expect(gate.inFlight).toBe(1));
    const drained = front.drain();
    expect(front.drain()).toBe(drained);
    await clock.advance(2_900);
    expect(running.isClosed).toBe(false);
    await clock.advance(200);
    expect(await drained).toBe(2);
    expect(await held.untilClosed()).toBe("");
    expect(await running.untilClosed()).toBe("");
    await eventually(() => expect(front.active).toBe(0));
    expect(gate.held).toBe(0);
    expect(gate.inFlight).toBe(0);
    expect(records.map((record) => record.status)).toEqual([499, 499]);
    expect(clock.pendingTimers).toBe(0);
  });

  it("is over at once where nothing runs", async () => {
    const { front } = await openTestFront();
    expect(await front.drain()).toBe(0);
  });
});

describe("closing", () => {
  it("ends everything and leaves no timer behind", async () => {
    const clock = new FakeClock();
    const target = await openTarget(() => {});
    const { front, gate, port } = await openTestFront({
      clock,
      targets: [target],
      policy: { responseTimeout: 60_000 },
    });
    const client = await RawConnection.open(port);
    client.write("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nab");
    const other = await RawConnection.open(port);
    other.write(keepAlive);
    await eventually(() => expect(target.sockets.size).toBe(2));
    await front[Symbol.asyncDispose]();
    expect(await client.untilClosed()).toBe("");
    await other.untilClosed();
    await eventually(() => expect(target.sockets.size).toBe(0));
    await eventually(() => expect(gate.inFlight).toBe(0));
    expect(clock.pendingTimers).toBe(0);
    expect(front.addresses).toEqual([]);
    await front[Symbol.asyncDispose]();
  });
});
