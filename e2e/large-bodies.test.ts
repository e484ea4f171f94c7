import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import { Agent, request } from "undici";
import { afterAll, beforeAll, expect, it } from "vitest";
import { staysAwake } from "./harness/host-config.ts";
import { memoryOf } from "./harness/processes.ts";
import { service, Stage } from "./harness/stage.ts";
import { patternBlocks } from "./services/pattern-blocks.ts";

const size = 500_000_000;

/** What the host may need above what it had before: buffers and garbage, but no share of a body of 500 MB. */
const memoryBound = 150_000_000;

let stage: Stage;
const agent = new Agent({ headersTimeout: 0, bodyTimeout: 0 });

beforeAll(async () => {
  stage = await Stage.open((gates) => ({
    resources: ["up", "down"].map((name) =>
      service(gates, name, { program: "big", env: { START_GATE: name }, policy: staysAwake }),
    ),
  }));
});

afterAll(async () => {
  await agent.destroy();
  await stage[Symbol.asyncDispose]();
});

it("takes an upload of 500 MB through a cold start whole and in bounded memory", async () => {
  const { host, gates } = stage;
  const before = memoryOf(host.pid);
  const sent = createHash("sha256");
  const answer = request(`${host.origin}/`, {
    dispatcher: agent,
    method: "POST",
    headers: { host: "up.test", "content-length": String(size) },
    body: Readable.from(upload((block) => sent.update(block))),
  });
  await host.untilResource("up", ({ held }) => held === 1);
  gates.open("up");
  const { statusCode, headers, body } = await answer;

  expect(statusCode).toBe(200);
  expect(headers["x-dormouse-cold-start"]).toBe("true");
  expect(await body.json()).toEqual({ bytes: size, sha256: sent.digest("hex") });
  expect(memoryOf(host.pid).peak - before.now).toBeLessThan(memoryBound);
});

it("gives a download of 500 MB through a cold start whole and in bounded memory", async () => {
  const { host, gates } = stage;
  const before = memoryOf(host.pid);
  const answer = request(`${host.origin}/${size}`, { dispatcher: agent, headers: { host: "down.test" } });
  await host.untilResource("down", ({ held }) => held === 1);
  gates.open("down");
  const { statusCode, headers, body } = await answer;
  const received = createHash("sha256");
  let bytes = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    received.update(chunk);
    bytes += chunk.length;
  }

  expect(statusCode).toBe(200);
  expect(headers["x-dormouse-cold-start"]).toBe("true");
  expect(bytes).toBe(size);
  const expected = createHash("sha256");
  for (const block of patternBlocks(size)) expected.update(block);
  expect(received.digest("hex")).toBe(expected.digest("hex"));
  expect(memoryOf(host.pid).peak - before.now).toBeLessThan(memoryBound);
});

function* upload(onBlock: (block: Buffer) => void): Generator<Buffer> {
  for (const block of patternBlocks(size)) {
    onBlock(block);
    yield block;
  }
}
