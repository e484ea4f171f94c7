import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { afterAll, beforeAll, expect, it } from "vitest";
import { ask } from "./harness/ask.ts";
import { freePort } from "./harness/free-port.ts";
import { Host } from "./harness/host.ts";
import { quickSleep } from "./harness/host-config.ts";
import { until } from "./harness/until.ts";

/** An application behind an API of two calls; each fourth request fails, and none is answered while it is out. */
class Application {
  readonly counts: number[] = [];
  isOut = false;
  cpu = 0;
  #replicas = 0;
  #requests = 0;
  #instance: Server | undefined;
  readonly #api: Server;
  readonly #ports: { readonly api: number; readonly instance: number };

  constructor(ports: { readonly api: number; readonly instance: number }) {
    this.#ports = ports;
    this.#api = createServer((request, response) => void this.#answer(request, response));
    this.#api.listen(ports.api, "127.0.0.1");
  }

  async close(): Promise<void> {
    await this.#scale(0);
    this.#api.closeAllConnections();
    this.#api.close();
    await once(this.#api, "close");
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = "";
    for await (const chunk of request as AsyncIterable<Buffer>) body += chunk.toString();
    this.#requests += 1;
    if (this.isOut) return void response.destroy();
    if (this.#requests % 4 === 0) return void response.writeHead(500).end("something went wrong");
    if (request.method !== "PUT")
      return void response.end(JSON.stringify({ cpu: { highPriority: this.cpu }, replicas: this.#replicas }));
    await this.#scale((JSON.parse(body) as { readonly replicas: number }).replicas);
    response.writeHead(204).end();
  }

  async #scale(replicas: number): Promise<void> {
    if (replicas !== this.#replicas) this.counts.push(replicas);
    this.#replicas = replicas;
    if (replicas > 0 && this.#instance === undefined) {
      this.#instance = createServer((_request, response) => response.end("here"));
      this.#instance.listen(this.#ports.instance, "127.0.0.1");
      await once(this.#instance, "listening");
    }
    if (replicas > 0 || this.#instance === undefined) return;
    const ending = this.#instance;
    this.#instance = undefined;
    ending.closeAllConnections();
    ending.close();
    await once(ending, "close");
  }
}

let application: Application;
let host: Host;

beforeAll(async () => {
  const ports = { api: await freePort(), instance: await freePort() };
  application = new Application(ports);
  const url = `http://127.0.0.1:${String(ports.api)}`;
  const idleRules = [{ metric: "cpu", window: "300ms", threshold: 0.05, source: "http-json" }];
  host = await Host.start({
    resources: [],
    scalers: [
      {
        use: "http",
        id: "local",
        options: {
          url,
          minimum: 0,
          settleWithin: "100ms",
          retries: { attempts: 10, firstWait: "5ms", longestWait: "20ms" },
          resources: [
            {
              name: "app",
              targets: [`127.0.0.1:${String(ports.instance)}`],
              policy: { hosts: ["app.test"], ...quickSleep, idleRules },
            },
          ],
        },
      },
    ],
    autoscaler: {
      metrics: [
        { use: "dlx" },
        {
          use: "http-json",
          options: {
            metrics: { cpu: { url: `${url}/app/status`, path: "$.cpu.highPriority" } },
            maxAge: "10ms",
            retries: { attempts: 5, firstWait: "1ms", longestWait: "5ms" },
          },
        },
      ],
    },
  });
});

afterAll(async () => {
  await host[Symbol.asyncDispose]();
  await application.close();
});

async function asked(): Promise<string> {
  const { status, text } = await ask(host.origin, { host: "app.test" });
  return `${String(status)} ${text}`;
}

/** As the application has it: what a host lists may be a moment older. */
async function untilStopped(): Promise<void> {
  await until("the application was stopped", () => (application.counts.at(-1) ?? 0) === 0);
}

it("wakes what an HTTP API scales, and puts it to sleep, losing nothing to an API that fails now and then", async () => {
  for (let cycle = 0; cycle < 3; cycle += 1) {
    await untilStopped();
    const answers = await Promise.all(Array.from({ length: 20 }, () => asked()));
    expect(new Set(answers)).toEqual(new Set(["200 here"]));
  }
  await untilStopped();
  const { counts } = application;
  expect(counts.length).toBeGreaterThanOrEqual(6);
  expect(counts).toEqual(counts.map((_, index) => (index + 1) % 2));
});

it("keeps it awake while a number of the API says that it is busy", async () => {
  application.cpu = 0.8;
  expect(await asked()).toBe("200 here");
  await expect
    .poll(() => host.why("app"), { timeout: 20_000 })
    .toMatchObject({
      decision: { reason: expect.stringMatching(/rule-busy|rule-unknown/) as unknown },
    });
  const slept = application.counts.length;
  application.cpu = 0;
  await untilStopped();
  expect(application.counts.slice(slept)).toEqual([0]);
});

it("holds a request while the API is out of reach, and answers it once it is back", async () => {
  await untilStopped();
  application.isOut = true;
  const given = asked();
  await host.untilResource("app", ({ held }) => held === 1);
  application.isOut = false;
  expect(await given).toBe("200 here");
});
