import { createServer, type Server } from "node:net";
import { once } from "node:events";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { freePort, isFree } from "./harness/free-port.ts";
import { run } from "./harness/host-config.ts";
import { type Ended, runUp } from "./harness/run-dormouse.ts";

let admin: number;
let dlx: number;
let occupied: number;
let stranger: Server;

beforeAll(async () => {
  [admin, dlx, occupied] = [await freePort(), await freePort(), await freePort()];
  stranger = createServer().listen(occupied, "127.0.0.1");
  await once(stranger, "listening");
});

afterAll(async () => {
  stranger.close();
  await once(stranger, "close");
});

interface Bad {
  readonly name: string;
  /** What replaces or joins the parts of a good configuration. */
  readonly with: () => Readonly<Record<string, unknown>>;
  readonly files?: Readonly<Record<string, string>>;
  /** Where it says the mistake is. */
  readonly place: RegExp;
  /** What it says to do about it, or what would be right. */
  readonly mend: RegExp;
}

const good = { name: "good", command: run("echo"), policy: { hosts: ["good.test"] } };

const processes = (...resources: readonly object[]) => ({ use: "process", id: "local", options: { resources } });

const scalers = (...resources: readonly object[]) => ({ scalers: [processes(good, ...resources)] });

/** The good scaler first: nothing of it may have been started when the other one fails. */
const withPlugin = (use: string) => ({ scalers: [processes(good), { use, id: "other" }] });

const plugin = (parts: string): string => `
  const schema = { "~standard": { version: 1, vendor: "test", validate: (value) => ({ value: value ?? {} }) } };
  const capabilities = { replicas: "one", watch: false, routing: false, compareAndSet: true, settleWithinMs: 0 };
  const whole = {
    capabilities,
    listResources: async () => [],
    getResource: async () => undefined,
    setScale: async () => ({ version: "1" }),
    resolveTargets: async () => [],
    [Symbol.asyncDispose]: async () => {},
  };
  export const scaler = { kind: "scaler", contract: 1, name: "other", options: schema, create: async () => whole, ${parts} };
`;

const cases: readonly Bad[] = [
  {
    name: "an unknown key",
    with: () => ({ scalres: [] }),
    place: /dormouse\.yaml:\d+:\d+: scalres/,
    mend: /scalers/,
  },
  {
    name: "an unknown key of a policy",
    with: () => scalers({ name: "other", command: run("echo"), policy: { idelAfter: "5s" } }),
    place: /scalers\[0\]\.options\.resources\[1\]\.policy\.idelAfter/,
    mend: /idleAfter/,
  },
  {
    name: "a wrong duration",
    with: () => ({ defaults: { idleAfter: "5 minutes" } }),
    place: /defaults\.idleAfter/,
    mend: /"5m"/,
  },
  {
    name: "two resources with one route",
    with: () => scalers({ name: "twin", command: run("echo"), policy: { hosts: ["GOOD.test"] } }),
    place: /resources\[[01]\]/,
    mend: /good\.test/i,
  },
  {
    name: "a plugin that is missing",
    with: () => withPlugin("./no-such-plugin.mjs"),
    place: /scalers\[1\]\.use/,
    mend: /no-such-plugin/,
  },
  {
    name: "a plugin package that is not installed",
    with: () => withPlugin("@dormouse-test/no-such-scaler"),
    place: /scalers\[1\]\.use/,
    mend: /install/i,
  },
  {
    name: "a plugin that throws on import",
    with: () => withPlugin("./plugin.mjs"),
    files: { "plugin.mjs": 'throw new Error("no licence for this plugin");' },
    place: /scalers\[1\]\.use/,
    mend: /no licence for this plugin/,
  },
  {
    name: "a plugin of another contract version",
    with: () => withPlugin("./plugin.mjs"),
    files: { "plugin.mjs": plugin("contract: 2") },
    place: /scalers\[1\]\.use/,
    mend: /\b1\b.*\b2\b|\b2\b.*\b1\b/,
  },
  {
    name: "a plugin that exports something else",
    with: () => withPlugin("./plugin.mjs"),
    files: { "plugin.mjs": "export const scaler = 42;" },
    place: /scalers\[1\]\.use/,
    mend: /scaler/,
  },
  {
    name: "a plugin that opens nonsense",
    with: () => withPlugin("./plugin.mjs"),
    files: { "plugin.mjs": plugin('create: async () => "nonsense"') },
    place: /scalers\[1\]/,
    mend: /no object|of the contract's form/,
  },
  {
    name: "a plugin that lists nonsense",
    with: () => withPlugin("./plugin.mjs"),
    files: { "plugin.mjs": plugin("create: async () => ({ ...whole, listResources: async () => [{ ref: 1 }] })") },
    place: /scalers\[1\]/,
    mend: /listResources/,
  },
  {
    name: "a port of the DLX that is occupied",
    with: () => ({ dlx: { listen: `127.0.0.1:${occupied}` } }),
    place: /dlx\.listen/,
    mend: /\b\d{5}\b/,
  },
  {
    name: "a port of the admin API that is occupied",
    with: () => ({ admin: { listen: `127.0.0.1:${occupied}` } }),
    place: /admin\.listen/,
    mend: /\b\d{5}\b/,
  },
  {
    name: "a dedicated listener that is occupied",
    with: () => scalers({ name: "other", command: run("echo"), policy: { listen: [`127.0.0.1:${occupied}`] } }),
    place: /error: .*local\/default\/other: listen/,
    mend: /\b\d{5}\b/,
  },
  {
    name: "a command that does not exist",
    with: () => scalers({ name: "other", command: ["./there-is-no-such-program"] }),
    place: /resources\[1\]\.command/,
    mend: /there-is-no-such-program/,
  },
];

describe("a configuration with", () => {
  it.each(cases)("$name is refused by one message with place and mend, and nothing is started", async (bad) => {
    const config = {
      admin: { listen: `127.0.0.1:${admin}` },
      dlx: { listen: `127.0.0.1:${dlx}` },
      scalers: [processes(good)],
      ...bad.with(),
    };
    expectRefused(await runUp({ ...bad.files, "dormouse.yaml": JSON.stringify(config, undefined, 2) }), bad);
    expect(await Promise.all([isFree(admin), isFree(dlx)])).toEqual([true, true]);
  });

  it("YAML that is none is refused with its line", async () => {
    const ended = await runUp({ "dormouse.yaml": "scalers:\n  - use: process\n   id: local\n" });
    expectRefused(ended, { place: /dormouse\.yaml:[23]:\d+/, mend: /indent|YAML|mapping|map/i });
  });

  it("nothing in it is refused with what to write", async () => {
    expectRefused(await runUp({ "dormouse.yaml": "" }), { place: /dormouse\.yaml/, mend: /dormouse init/ });
  });
});

function expectRefused({ code, stdout, stderr, left }: Ended, { place, mend }: Pick<Bad, "place" | "mend">): void {
  expect({ code, left, stdout, stderr }).toMatchObject({ code: 2, left: [] });
  const text = stdout + stderr;
  expect(text).toMatch(place);
  expect(text).toMatch(mend);
  expect(text.split("\n").filter((line) => place.test(line))).toHaveLength(1);
  expect(text).not.toMatch(/^\s+at /m); // no stack trace
}
