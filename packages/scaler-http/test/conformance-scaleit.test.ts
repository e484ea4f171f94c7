import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { type TestPlatform, testScaler, type Undo } from "@dormouse/conformance";
import type { LocalRef } from "@dormouse/core";
import { describe, it } from "vitest";
import { scaler as plugin } from "../src/index.ts";
import { type TestAnswer, type TestRequest, TestServer } from "@dormouse/core/testing";

// The ScaleIt protocol as it is: a count, no versions, addresses that stand in the configuration, and errors now and then.
// Left out: nothing there tells of a change but a count's, of a start, or of an instance's end.
testScaler({ describe, it, plugin, open });

async function open(): Promise<TestPlatform> {
  const apps = await Promise.all(["one", "two"].map((name) => ScaleItApp.open(name)));
  const [one, two] = apps.map((app) => app.resource());
  const options = {
    minimum: 0,
    settleWithin: "100ms",
    retries: { attempts: 10, firstWait: "1ms", longestWait: "5ms" },
    timeout: "2s",
  };
  const each = async (work: (app: ScaleItApp) => Promise<Undo>): Promise<Undo> => {
    const undos = await Promise.all(apps.map(work));
    return async () => void (await Promise.all(undos.map((undo) => undo())));
  };
  return {
    options: { ...options, resources: [one, two] },
    optionsWithoutOther: { ...options, resources: [one] },
    ref: refOf("one"),
    other: refOf("two"),
    close: async () => void (await Promise.all(apps.map((app) => app.close()))),
    // Its addresses stand in front of the instances and accept connections always.
    reach: async ({ host, port }) => {
      const response = await fetch(`http://${host}:${String(port)}/`, { headers: { connection: "close" } });
      return response.ok;
    },
    stallPlatform: () => each(async (app) => app.api.stall()),
    cutPlatform: () => each((app) => app.api.cut()),
  };
}

function refOf(name: string): LocalRef {
  return { namespace: "default", name };
}

class ScaleItApp {
  readonly name: string;
  readonly api: TestServer;
  readonly #fronts: readonly Server[];
  readonly #failed = new Map<string, boolean>();
  readonly #count: { value: number };

  private constructor(name: string, api: TestServer, fronts: readonly Server[], count: { value: number }) {
    this.name = name;
    this.api = api;
    this.#fronts = fronts;
    this.#count = count;
  }

  static async open(name: string): Promise<ScaleItApp> {
    const count = { value: 0 };
    const fronts = await Promise.all([0, 1].map((index) => openFront(() => index < count.value)));
    const api = await TestServer.open((request) => app.#answer(request));
    const app: ScaleItApp = new ScaleItApp(name, api, fronts, count);
    return app;
  }

  resource(): object {
    const targets = this.#fronts.map((front) => `127.0.0.1:${String((front.address() as AddressInfo).port)}`);
    return { name: this.name, url: this.api.url, targets };
  }

  async close(): Promise<void> {
    await this.api.close();
    for (const front of this.#fronts) front.closeAllConnections();
    await Promise.all(this.#fronts.map((front) => new Promise((resolve) => front.close(resolve))));
  }

  /** Of two requests of one kind the first fails: before it was carried out, or, every other time, after. */
  #answer(request: TestRequest): TestAnswer {
    const fails = this.#failed.get(request.method) !== true;
    this.#failed.set(request.method, fails);
    const isLate = this.api.requests.length % 2 === 0;
    if (fails && !isLate) return { status: 500, body: "something went wrong" };
    const answer = this.#carryOut(request);
    return fails ? { status: 500, body: "something went wrong at the end" } : answer;
  }

  #carryOut({ method, path, body }: TestRequest): TestAnswer {
    if (method === "GET" && path === "/app/status")
      return { body: { cpu: { highPriority: 0.68 }, replicas: this.#count.value } };
    if (method !== "PUT" || path !== "/app/replicas") return { status: 404 };
    const { replicas } = JSON.parse(body) as { replicas: unknown };
    if (!Number.isSafeInteger(replicas) || Number(replicas) < 0) return { status: 400 };
    this.#count.value = Number(replicas);
    return { status: 204 };
  }
}

async function openFront(isUp: () => boolean): Promise<Server> {
  const server = createServer((_request, response) => response.writeHead(isUp() ? 200 : 503).end());
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return server;
}
