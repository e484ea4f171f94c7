import { EventJournal, ResourceCatalog, type ResourcePort, silentLogger, SleepGate, systemClock } from "@dormouse/core";
import { type MemoryScaler, openMemoryScaler } from "@dormouse/core/testing";
import { describe, expect, it, onTestFinished } from "vitest";
import { type Dlx, openDlx } from "../src/dlx.ts";
import { eventually } from "./eventually.ts";
import { bodyOf, sendRaw } from "./raw-http.ts";
import { openDeadTarget, openRawTarget, openTarget, testConfig } from "./test-front.ts";

const ref = { namespace: "default", name: "app" };
const key = "memory/default/app";

interface Diverted {
  readonly memory: MemoryScaler;
  readonly dlx: Dlx;
  /** Ports of the listeners, by name of the resource's port. */
  readonly listeners: Readonly<Record<string, number>>;
}

/** A DLX and a sleeping resource whose ports have a listener each, and whose instances are at these real ports. */
async function openDiverted(instances: Readonly<Record<string, number>>): Promise<Diverted> {
  const ports = Object.keys(instances).map((name, index): ResourcePort => ({
    name,
    number: 80 + index,
    protocol: "http",
    listen: `127.0.0.${index + 1}:0`,
  }));
  const { memory, guarded } = await openMemoryScaler({
    clock: systemClock,
    resources: [{ name: "app", ports, policy: { enabled: false } }],
    startMs: 20,
    addressOf: (_ref, _instance, port) => ({ host: "127.0.0.1", port: instances[port.name] ?? 1 }),
  });
  const catalog = new ResourceCatalog({ clock: systemClock, logger: silentLogger });
  catalog.follow(guarded);
  await eventually(() => expect(catalog.get(key)).toBeDefined());
  const dlx = await openDlx({
    catalog,
    clock: systemClock,
    logger: silentLogger,
    journal: new EventJournal(systemClock),
    config: testConfig(),
    sleepGate: new SleepGate(systemClock),
  });
  onTestFinished(async () => {
    await dlx[Symbol.asyncDispose]();
    await catalog[Symbol.asyncDispose]();
    await guarded[Symbol.asyncDispose]();
  });
  const bound = dlx.addresses.filter(({ resource }) => resource === key);
  const listeners = ports.map(({ name, listen = "" }) => {
    const found = bound.find((address) => address.listen.startsWith(listen.slice(0, -1)));
    return [name, Number(found?.listen.split(":").at(-1))] as const;
  });
  return { memory, dlx, listeners: Object.fromEntries(listeners) };
}

function ask(port: number | undefined, host: string, head = "Connection: close"): Promise<string> {
  return sendRaw(port ?? 0, `GET /x HTTP/1.1\r\nHost: any.thing\r\n${head}\r\n\r\n`, host);
}

const upgrade = "Connection: Upgrade\r\nUpgrade: foo";

async function openApp(): Promise<{ readonly http: number; readonly admin: number }> {
  const http = await openTarget((_request, response) => void response.end("http"));
  const admin = await openTarget((_request, response) => void response.end("admin"));
  return { http: http.port, admin: admin.port };
}

describe("a resource that the platform has diverted, its policy not enabled", () => {
  it("is woken by a request on any of its listeners, each of which leads to its own port, cold and warm", async () => {
    const { memory, dlx, listeners } = await openDiverted(await openApp());
    const [admin, http] = await Promise.all([
      ask(listeners["admin"], "127.0.0.2"),
      ask(listeners["http"], "127.0.0.1"),
    ]);
    expect([bodyOf(admin), bodyOf(http)]).toEqual(["admin", "http"]);
    expect(admin).toContain("X-Dormouse-Cold-Start: true");
    const warm = await ask(listeners["admin"], "127.0.0.2");
    expect(bodyOf(warm)).toBe("admin");
    expect(warm).toContain("X-Dormouse-Cold-Start: false");
    expect(bodyOf(await ask(listeners["http"], "127.0.0.1"))).toBe("http");
    expect(memory.calls.filter(({ call }) => call === "setScale")).toHaveLength(1);
    expect(dlx.status(key).requests).toBe(4);
  });

  it("carries an upgrade to the port that it came for", async () => {
    const { http } = await openApp();
    const socket = await openRawTarget((client) => {
      client.once("data", () =>
        client.end("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: foo\r\n\r\nadmin speaks"),
      );
    });
    const { listeners } = await openDiverted({ http, admin: socket.port });
    expect(bodyOf(await ask(listeners["admin"], "127.0.0.2", upgrade))).toBe("admin speaks");
  });

  it("answers 502 for a port that is dead, upgrades too, while the other goes on without a new claim", async () => {
    const { http } = await openApp();
    const dead = await openDeadTarget();
    const { memory, dlx, listeners } = await openDiverted({ http, admin: dead.port });
    const refused = [ask(listeners["admin"], "127.0.0.2"), ask(listeners["admin"], "127.0.0.2", upgrade)];
    await eventually(() => expect(dlx.status(key).licensed).toBe(true));
    await eventually(() => expect(dlx.status(key).held).toBe(2));
    expect(bodyOf(await ask(listeners["http"], "127.0.0.1"))).toBe("http");
    const claims = memory.calls.filter(({ call }) => call === "setScale").length;
    for (const text of await Promise.all(refused)) {
      expect(text).toMatch(/^HTTP\/1.1 502 /);
      expect(text).toContain("DLX_TARGET_UNREACHABLE");
    }
    expect(bodyOf(await ask(listeners["http"], "127.0.0.1"))).toBe("http");
    expect(memory.calls.filter(({ call }) => call === "setScale")).toHaveLength(claims);
    expect(dlx.status(key).targets).toHaveLength(1);
  });

  it("listens elsewhere as soon as the platform says so", async () => {
    const { memory, dlx } = await openDiverted(await openApp());
    memory.remove(ref);
    await eventually(() => expect(dlx.addresses.some(({ resource }) => resource === key)).toBe(false));
    memory.add({ name: "app", ports: [{ name: "http", number: 80, protocol: "http", listen: "127.0.0.3:0" }] });
    await eventually(() => expect(dlx.addresses.at(-1)?.listen).toMatch(/^127\.0\.0\.3:/));
  });
});
