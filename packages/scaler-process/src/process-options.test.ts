import { describe, expect, it } from "vitest";
import { processOptions } from "./process-options.ts";

const hello = { name: "hello", command: ["node", "hello.mjs"] };

/** Issues as `place: message`. */
function issuesOf(options: unknown): string[] {
  const parsed = processOptions.safeParse(options);
  return parsed.success ? [] : parsed.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`);
}

describe("options", () => {
  it("have a default for all but name and command", () => {
    expect(processOptions.parse({ resources: [hello] })).toEqual({
      resources: [
        {
          ...hello,
          namespace: "default",
          env: {},
          portEnv: "PORT",
          host: "localhost",
          replicas: 1,
          stopSignal: "SIGTERM",
          stopGrace: 10_000,
          policy: {},
        },
      ],
      logs: { show: true, lineBytes: 8_192, linesPerSecond: 1_000 },
      ports: { from: 20_000, to: 29_999 },
    });
  });

  it("take what the documentation shows", () => {
    const resource = {
      ...hello,
      port: 3001,
      env: { GREETING: "hi" },
      policy: { hosts: ["hello.localhost"], idleAfter: "10s" },
    };
    expect(issuesOf({ resources: [resource] })).toEqual([]);
  });

  it.each([
    ["a command line", { command: "node hello.mjs" }, "resources.0.command: Invalid input: expected array"],
    ["an empty command", { command: [] }, "resources.0.command: Too small"],
    ["an empty program", { command: [""] }, "resources.0.command: begins with an empty text"],
    ["a NUL in an argument", { command: ["a", "b\0"] }, "resources.0.command.1: must not contain a NUL"],
    ["an unknown key", { comand: [] }, "resources.0: Unrecognized key"],
    ["a name with a slash", { name: "a/b" }, "resources.0.name: is no name"],
    ["a port out of range", { port: 65_536 }, "resources.0.port: Too big"],
    ["a wrong variable", { env: { "A-B": "1" } }, "resources.0.env.A-B: Invalid key"],
    ["a signal that cannot stop", { stopSignal: "SIGCHLD" }, "resources.0.stopSignal: Invalid option"],
    ["a wrong duration", { stopGrace: 10 }, "resources.0.stopGrace: 10 is no duration"],
    ["no replicas", { replicas: 0 }, "resources.0.replicas: Too small"],
    ["too many replicas", { replicas: 101 }, "resources.0.replicas: Too big"],
    ["replicas on one port", { port: 3001, replicas: 2 }, "resources.0.replicas: cannot share one fixed port"],
    ["PORT beside an automatic port", { env: { PORT: 1 } }, "resources.0.env.PORT: is set to the automatic port"],
    [
      "the named variable beside one",
      { portEnv: "P", env: { P: 1 } },
      "resources.0.env.P: is set to the automatic port",
    ],
  ])("refuse %s", (_, change, issue) => {
    expect(issuesOf({ resources: [{ ...hello, ...change }] })).toEqual([expect.stringContaining(issue)]);
  });

  it("refuse two resources of one name, unless their namespaces differ", () => {
    const issue = "resources.1.name: is the name of resources[0] already; give each its own";
    expect(issuesOf({ resources: [hello, hello] })).toEqual([issue]);
    expect(issuesOf({ resources: [hello, { ...hello, namespace: "other" }] })).toEqual([]);
  });

  it("refuse two resources of one fixed port", () => {
    const resources = [
      { ...hello, port: 3001 },
      { ...hello, name: "other", port: 3001 },
    ];
    expect(issuesOf({ resources })).toEqual([
      "resources.1.port: is the port of resources[0] already; give each its own",
    ]);
  });

  it("refuse a range of ports that is none", () => {
    expect(issuesOf({ resources: [], ports: { from: 30_000, to: 30_000 } })).toEqual([
      "ports: is no range; from must be below to",
    ]);
  });

  it("allow PORT beside a fixed port", () => {
    expect(issuesOf({ resources: [{ ...hello, port: 3001, env: { PORT: "3001" } }] })).toEqual([]);
  });
});
