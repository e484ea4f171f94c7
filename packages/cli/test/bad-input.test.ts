import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { defaultPolicy } from "@dormouse/core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { endBins, processesWith, runBin } from "./run-bin.ts";

vi.setConfig({ testTimeout: 120_000 });

let folder: string;
let occupied: Server;
let occupiedPort: number;

beforeAll(async () => {
  occupied = createServer();
  await new Promise<void>((resolve) => occupied.listen(0, "127.0.0.1", resolve));
  occupiedPort = (occupied.address() as { port: number }).port;
});

afterAll(() => void occupied.close());

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "dormouse-bad-"));
});

afterEach(async () => {
  await endBins();
  await rm(folder, { recursive: true, force: true });
});

/** A resource whose process can be told by its command line. */
function resource(name: string, rest = ""): string {
  return `        - { name: ${name}, command: [node, -e, "setInterval(() => {}, 1000) // ${folder}"]${rest} }`;
}

function config(resources: readonly string[], top: readonly string[] = [], use = "process"): string {
  const lines = ["admin: { listen: 127.0.0.1:0 }", "dlx: { listen: 127.0.0.1:0 }", "scalers:", `  - use: ${use}`];
  const options = resources.length === 0 ? [] : ["    options:", "      resources:", ...resources];
  return [
    ...lines.filter((line) => !top.some((other) => other.split(":")[0] === line.split(":")[0])),
    ...options,
    ...top,
  ].join("\n");
}

/** A plugin that a mistake is made in. */
function plugin(over: string): string {
  return `export const scaler = {
    contract: 1, kind: "scaler", name: "mine",
    options: { "~standard": { version: 1, vendor: "test", validate: (value) => ({ value }) } },
    async create() { return nothing; },
    ...(${over}),
  };
  const nothing = {
    capabilities: { replicas: "one", watch: false, routing: false, compareAndSet: true, settleWithinMs: 0 },
    async listResources() { return "nonsense"; }, async getResource() {}, async setScale() { return { version: "1" }; },
    async resolveTargets() { return []; }, async [Symbol.asyncDispose]() {},
  };`;
}

interface Mistake {
  readonly what: string;
  readonly yaml: () => string;
  readonly files?: Readonly<Record<string, string>>;
  /** The one line on stderr. */
  readonly says: RegExp;
  /** Not before a host really starts. */
  readonly onlyUp?: boolean;
}

const mistakes: readonly Mistake[] = [
  {
    what: "an unknown key",
    yaml: () => config([resource("a")], ["autoscaler: { evry: 1s }"]),
    says: /^error: d\.yaml:8:15: autoscaler\.evry: is no known key; did you mean "every"\?$/,
  },
  {
    what: "an unknown key in a plugin's options",
    yaml: () => config([resource("a", ", commnd: x")]),
    says: /^error: d\.yaml:7:\d+: scalers\[0\]\.options\.resources\[0\]\.commnd: is no known key; did you mean "command"\?$/,
  },
  {
    what: "a wrong duration",
    yaml: () => config([resource("a", ", policy: { idleAfter: 10 seconds }")]),
    says: /^error: d\.yaml:7:\d+: scalers\[0\]\.options\.resources\[0\]\.policy\.idleAfter: "10 seconds" is no duration; write a number with its unit/,
  },
  {
    what: "two resources with one route",
    yaml: () =>
      config([resource("a", ", policy: { hosts: [x.test] }"), resource("b", ", policy: { hosts: [X.test] }")]),
    says: /^error: d\.yaml:8:\d+: scalers\[0\]\.options\.resources\[1\]\.policy\.hosts: x\.test\/ leads to process\/default\/a already; give one of them another host/,
  },
  {
    what: "a circle of dependencies",
    yaml: () => config([resource("a", ", policy: { dependsOn: [b] }"), resource("b", ", policy: { dependsOn: [a] }")]),
    says: /^error: d\.yaml:7:\d+: .*\.dependsOn: leads in a circle: process\/default\/a → process\/default\/b → process\/default\/a; take one/,
  },
  {
    what: "a plugin that is missing",
    yaml: () => config([], [], "nomad"),
    says: /^error: d\.yaml:4:5: scalers\[0\]\.use: plugin "nomad" was not found: .*; npm install @dormouse\/scaler-nomad$/,
  },
  {
    what: "a plugin that throws on import",
    yaml: () => config([], [], "./mine.mjs"),
    files: { "mine.mjs": 'throw new Error("broken inside");' },
    says: /^error: d\.yaml:4:5: scalers\[0\]\.use: plugin "\.\/mine\.mjs" .*failed on import: broken inside$/,
  },
  {
    what: "a plugin of another contract version",
    yaml: () => config([], [], "./mine.mjs"),
    files: { "mine.mjs": plugin("{ contract: 2 }") },
    says: /^error: d\.yaml:4:5: scalers\[0\]\.use: plugin "\.\/mine\.mjs" is made for contract 2, and this Dormouse has contract 1; install a newer Dormouse/,
  },
  {
    what: "a plugin that exports nonsense",
    yaml: () => config([], [], "./mine.mjs"),
    files: { "mine.mjs": "export const scaler = { contract: 1 };" },
    says: /^error: d\.yaml:4:5: scalers\[0\]\.use: plugin "\.\/mine\.mjs" is not of the contract's form: kind must be "scaler"/,
  },
  {
    what: "a plugin that opens nonsense",
    yaml: () => config([], [], "./mine.mjs"),
    files: { "mine.mjs": plugin("{ create: async () => ({ capabilities: {} }) }") },
    says: /^error: d\.yaml:4:5: scalers\[0\]: plugin "mine" opened a scaler that is not of the contract's form: listResources is no function/,
  },
  {
    what: "a plugin that lists nonsense",
    yaml: () => config([], [], "./mine.mjs"),
    files: { "mine.mjs": plugin("{}") },
    says: /^error: d\.yaml:4:5: scalers\[0\]\.use: listResources of scaler "mine" answered outside the contract: .*; use a version of the plugin that keeps the contract, or leave it out$/,
  },
  {
    what: "an occupied port of the DLX",
    yaml: () => config([resource("a")], [`dlx: { listen: 127.0.0.1:${occupiedPort} }`]),
    says: /^error: d\.yaml:7:8: dlx\.listen: .*127\.0\.0\.1:\d+ is taken by another process.*; free the port or write another address/,
    onlyUp: true,
  },
  {
    what: "an occupied port of the admin API",
    yaml: () => config([resource("a")], [`admin: { listen: 127.0.0.1:${occupiedPort} }`]),
    says: /^error: d\.yaml:7:10: admin\.listen: 127\.0\.0\.1:\d+ is in use by another process; choose another port/,
    onlyUp: true,
  },
  {
    what: "a command that does not exist",
    yaml: () => config(['        - { name: a, command: [no-such-program, "1"] }']),
    says: /^error: d\.yaml:7:\d+: scalers\[0\]\.options\.resources\[0\]\.command.*no-such-program/,
  },
  {
    what: "an address that others can reach, without a token",
    yaml: () => config([resource("a")], ["admin: { listen: 0.0.0.0:0 }"]),
    says: /^error: d\.yaml:\d+:\d+: admin\.token: is missing, and 0\.0\.0\.0:0 can be reached from other machines; give \{ env: NAME \}/,
  },
  {
    what: "a secret that is not there",
    yaml: () => config([resource("a")], ["admin: { listen: 127.0.0.1:0, token: { env: MISSING } }"]),
    says: /^error: d\.yaml:7:31: admin\.token: the variable MISSING is not set; start with MISSING=… in the environment$/,
  },
  {
    what: "a file that is no YAML",
    yaml: () => "scalers: [",
    says: /^error: d\.yaml:1:\d+: is no YAML: /,
  },
];

describe.each(mistakes)("$what", ({ yaml, files = {}, says, onlyUp }) => {
  const commands = onlyUp === true ? ["up"] : ["up", "check"];

  it.each(commands)("ends `dormouse %s` with exit code 2 and one line, and nothing runs", async (command) => {
    await writeFile(join(folder, "d.yaml"), yaml());
    for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
    const { code, stdout, stderr } = await runBin([command, "-c", "d.yaml"], { folder });
    const lines = stderr.trimEnd().split("\n");
    expect(lines, stderr).toHaveLength(1);
    expect(lines[0]).toMatch(says);
    expect(code).toBe(2);
    expect(stdout).toBe("");
    expect(await processesWith(folder)).toEqual([]);
  });
});

describe("the command line", () => {
  it.each([
    [["upp"], /^error: unknown command 'upp'\n\(Did you mean up\?\)/],
    [["up", "--lisen", "x"], /^error: unknown option '--lisen'\n\(Did you mean --listen\?\)/],
    [["why"], /^error: missing required argument 'ref'/],
    [
      ["ls", "-o", "xml"],
      /^error: option '-o, --output <format>' argument 'xml' is invalid\. Allowed choices are text, json\./,
    ],
    [["ls", "--admin", "nonsense"], /^error: "nonsense" is no URL of a host; write for example /],
    [
      ["up", "-c", "gone.yaml"],
      /^error: gone\.yaml: does not exist; give one with -c FILE, or write one with "dormouse init"\n$/,
    ],
    [["check", "--set", "nonsense"], /^error: --set: "nonsense" is no setting; write KEY=VALUE/],
    [[], /^Usage: dormouse/],
  ])("%j is refused with exit code 2", async (args, says) => {
    const { code, stdout, stderr } = await runBin(args, { folder });
    expect(stderr).toMatch(says);
    expect([code, stdout]).toEqual([2, ""]);
  });

  it("names every mistake of a file, not only the first", async () => {
    await writeFile(
      join(folder, "d.yaml"),
      config([resource("a")], ["autoscaler: { evry: 1s }", "log: { level: loud }", "telemetry: { otlp: x }"]),
    );
    const { code, stderr } = await runBin(["check", "-c", "d.yaml"], { folder });
    expect(stderr.trimEnd().split("\n")).toHaveLength(3);
    expect(code).toBe(2);
  });

  it("finds what only the platforms know: a route that two of their resources have", async () => {
    const list = (names: string): string =>
      plugin(`{ create: async () => ({ ...nothing, listResources: async () => [${names}].map((name) => ({
      ref: { namespace: "prod", name }, desired: 0, ready: 0, wakeReplicas: 1, version: "1", ports: [], createdAt: 0, updatedAt: 0,
      policy: ${JSON.stringify({ ...defaultPolicy, enabled: true, hosts: ["x.test"], dependsOn: ["gone"] })} })) }) }`);
    await writeFile(join(folder, "mine.mjs"), list('"a", "b"'));
    await writeFile(join(folder, "d.yaml"), config([], [], "./mine.mjs"));
    const { code, stderr } = await runBin(["check", "-c", "d.yaml"], { folder });
    expect(stderr.trimEnd().split("\n")).toEqual([
      "error: d.yaml: mine/prod/b: x.test/ leads to mine/prod/a already; give one of them another host, pathPrefix, header or listener",
      "error: d.yaml: mine/prod/a.dependsOn[0]: there is no resource mine/prod/gone; known: mine/prod/a, mine/prod/b",
      "error: d.yaml: mine/prod/b.dependsOn[0]: there is no resource mine/prod/gone; known: mine/prod/a, mine/prod/b",
    ]);
    expect(code).toBe(2);
  });

  it("says what it could not check, with exit code 1, where a platform is away", async () => {
    const away =
      "{ create: async () => ({ ...nothing, listResources: async () => { throw Object.assign(new Error('no route to the platform'), { [Symbol.for('dormouse.dev/scaler-error')]: true, code: 'SCALER_UNAVAILABLE', retryable: true }); } }) }";
    await writeFile(join(folder, "mine.mjs"), plugin(away));
    await writeFile(join(folder, "d.yaml"), config([], [], "./mine.mjs"));
    const { code, stderr, stdout } = await runBin(["check", "-c", "d.yaml"], { folder });
    expect(stderr).toBe(
      "warning: scalers[0]: SCALER_UNAVAILABLE: no route to the platform; its resources, their routes and dependencies are not checked\n",
    );
    expect([code, stdout]).toEqual([1, ""]);
  });

  it("gives the same as JSON", async () => {
    await writeFile(join(folder, "d.yaml"), config([resource("a")], ["autoscaler: { evry: 1s }"]));
    const { code, stdout } = await runBin(["check", "-c", "d.yaml", "-o", "json"], { folder });
    const problem = {
      origin: "d.yaml:8:15",
      place: "autoscaler.evry",
      problem: "is no known key",
      mend: 'did you mean "every"?',
    };
    expect(JSON.parse(stdout)).toEqual({ ok: false, problems: [problem], unchecked: [], resources: 0 });
    expect(code).toBe(2);
  });

  it("does not overwrite a file without being told to", async () => {
    await writeFile(join(folder, "dormouse.yaml"), "mine");
    expect(await runBin(["init"], { folder })).toMatchObject({
      code: 2,
      stderr: "error: dormouse.yaml is there already; overwrite it with --force, or choose another with -c FILE\n",
    });
    expect(await runBin(["init", "--force"], { folder })).toMatchObject({ code: 0 });
    expect(await runBin(["check"], { folder })).toMatchObject({
      code: 0,
      stdout: "dormouse.yaml is good: 1 scaler, 1 resource\n",
    });
  });

  it("fails with exit code 1 where there is no host", async () => {
    const { code, stderr } = await runBin(["ls", "--admin", "http://127.0.0.1:9"], { folder });
    expect([code, stderr]).toEqual([
      1,
      'error: no host answers at http://127.0.0.1:9; start one with "dormouse up", or name another with --admin URL\n',
    ]);
  });

  it("fails with exit code 1 where what answers is no host", async () => {
    const { createServer: createHttp } = await import("node:http");
    const other = createHttp((_, response) => void response.writeHead(404).end("nothing"));
    await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
    const url = `http://127.0.0.1:${(other.address() as { port: number }).port}`;
    const { code, stderr } = await runBin(["ls", "--admin", url], { folder });
    other.close();
    expect([code, stderr]).toEqual([
      1,
      `error: what answers at ${url} is no Dormouse host (status 404); name another with --admin URL\n`,
    ]);
  });
});
