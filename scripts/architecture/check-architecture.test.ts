import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import type { AmbientException } from "./ambient-access.ts";
import { checkArchitecture } from "./check-architecture.ts";

type Files = Readonly<Record<string, string>>;

const roots: string[] = [];

afterEach(() => {
  for (const root of roots.splice(0)) rmSync(root, { recursive: true });
});

function manifest(name: string, fields: object = {}): string {
  return JSON.stringify({ name, exports: { ".": { "@dormouse/source": "./src/index.ts" } }, ...fields });
}

const core = { "@dormouse/core": "workspace:^" };

/** A small workspace that breaks no rule. */
const sound: Files = {
  "packages/core/package.json": manifest("@dormouse/core"),
  "packages/core/src/index.ts": `export { makeClock } from "./system-clock.ts";\n`,
  "packages/core/src/system-clock.ts": `/** The machine's time. */\nexport const makeClock = () => ({ now: Date.now(), after: setTimeout });\n`,
  "packages/autoscaler/package.json": manifest("@dormouse/autoscaler", { dependencies: core }),
  "packages/autoscaler/src/index.ts": `export type { Loop } from "./loop.ts";\n`,
  "packages/autoscaler/src/loop.ts": `import "@dormouse/core";\n/** A loop. */\nexport interface Loop { at: Date }\n`,
  "packages/autoscaler/src/loop.test.ts": `import "@dormouse/core/testing";\nprocess.env["A"] = String(Date.now());\n`,
  "packages/dlx/package.json": manifest("@dormouse/dlx", { dependencies: core }),
  "packages/dlx/src/index.ts": `import type { Socket } from "node:net";\n/** Sets it. */\nexport const quiet = (socket: Socket) => socket.setTimeout(5);\n`,
  "packages/conformance/package.json": manifest("@dormouse/conformance", {
    peerDependencies: core,
    devDependencies: core,
  }),
  "packages/conformance/src/index.ts": `/** Runs the kit. */\nexport function testScaler(): void {}\n`,
  "packages/scaler-toy/package.json": manifest("@dormouse/scaler-toy", {
    peerDependencies: core,
    devDependencies: { ...core, "@dormouse/conformance": "workspace:^", "@dormouse/test-kubernetes": "workspace:^" },
  }),
  "packages/scaler-toy/README.md": "# toy\n",
  "packages/scaler-toy/src/index.ts": `export * from "./toy-scaler.ts";\n`,
  "packages/scaler-toy/src/toy-scaler.ts": `/** A toy. */\nexport const scaler = { since: new Date(0) };\n`,
  "packages/scaler-toy/src/toy-options.ts": "export {};\n",
  "packages/scaler-toy/src/toy-error.ts": "export {};\n",
  "packages/scaler-toy/test/toy.test.ts": `import { testScaler } from "@dormouse/conformance";\ntestScaler();\n`,
  "packages/scaler-toy/test/kubernetes/toy.test.ts": `import "@dormouse/test-kubernetes";\n`,
  "packages/cli/package.json": manifest("@dormouse/cli", {
    exports: undefined,
    dependencies: {
      ...core,
      "@dormouse/autoscaler": "workspace:^",
      "@dormouse/dlx": "workspace:^",
      "@dormouse/scaler-toy": "workspace:^",
    },
  }),
  "packages/cli/src/bin.ts": `import "@dormouse/autoscaler";\nimport "@dormouse/dlx";\nexport const home = process.env["HOME"];\n`,
  "e2e/start-host.ts": `import "@dormouse/cli";\nexport const now = () => Date.now();\n`,
};

/** What the check says of the sound workspace with some files replaced; `undefined` leaves a file out. */
function check(
  changes: Readonly<Record<string, string | undefined>> = {},
  exceptions: readonly AmbientException[] = [],
) {
  const root = mkdtempSync(join(tmpdir(), "dormouse-architecture-"));
  roots.push(root);
  for (const [path, text] of Object.entries({ ...sound, ...changes })) {
    if (text === undefined) continue;
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return checkArchitecture(root, exceptions).map(({ place, message }) => `${place} ${message}`);
}

it("finds nothing in a sound workspace", () => {
  expect(check()).toEqual([]);
});

describe("the dependency direction", () => {
  it.each([
    ["packages/core/src/more.ts", `import "@dormouse/dlx";`, "@dormouse/dlx"],
    ["packages/autoscaler/src/more.ts", `import type { A } from "@dormouse/dlx";`, "@dormouse/dlx"],
    ["packages/autoscaler/src/more.ts", `export * from "@dormouse/scaler-toy";`, "@dormouse/scaler-toy"],
    ["packages/dlx/src/more.ts", `type A = import("@dormouse/autoscaler").A;`, "@dormouse/autoscaler"],
    ["packages/dlx/src/more.ts", `void import("@dormouse/scaler-toy/x");`, "@dormouse/scaler-toy/x"],
    ["packages/dlx/src/more.ts", `export { a } from "../../autoscaler/src/a.ts";`, "../../autoscaler/src/a.ts"],
    ["packages/dlx/src/more.test.ts", `import "@dormouse/autoscaler";`, "@dormouse/autoscaler"],
    ["packages/conformance/src/more.ts", `import "@dormouse/scaler-toy";`, "@dormouse/scaler-toy"],
    ["packages/scaler-toy/src/more.ts", `import "@dormouse/cli";`, "@dormouse/cli"],
    ["packages/scaler-toy/src/more.ts", `import "@dormouse/conformance";`, "@dormouse/conformance"],
    ["packages/scaler-toy/src/more.ts", `import "@dormouse/test-kubernetes";`, "@dormouse/test-kubernetes"],
    ["packages/dlx/src/more.test.ts", `import "@dormouse/test-kubernetes";`, "@dormouse/test-kubernetes"],
    ["packages/cli/src/more.ts", `import "@dormouse/scaler-toy";`, "@dormouse/scaler-toy"],
  ])("refuses in %s: %s", (path, text, specifier) => {
    expect(check({ [path]: `\n${text}\n` })).toEqual([`${path}:2 must not import ${specifier}`]);
  });

  it.each([
    ["core", { dependencies: { "@dormouse/dlx": "*" } }, "must not depend on dlx"],
    ["dlx", { dependencies: { "@dormouse/scaler-toy": "*" } }, "must not depend on scaler-toy"],
    ["autoscaler", { optionalDependencies: { "@dormouse/dlx": "*" } }, "must not depend on dlx"],
    ["autoscaler", { devDependencies: { "@dormouse/dlx": "*" } }, "must not depend on dlx in development"],
    ["scaler-toy", { peerDependencies: { ...core, "@dormouse/cli": "*" } }, "must not depend on cli"],
    ["scaler-toy", { dependencies: core }, "must have core as a peer dependency only"],
    ["conformance", { dependencies: core, peerDependencies: core }, "must have core as a peer dependency only"],
  ])("refuses in the manifest of %s: %o", (folder, fields, message) => {
    const path = `packages/${folder}/package.json`;
    expect(check({ [path]: manifest(`@dormouse/${folder}`, fields) })).toEqual([`${path} ${message}`]);
  });

  it("wants to be told of a new package", () => {
    const problems = check({ "packages/novel/package.json": manifest("@dormouse/novel") });
    expect(problems).toEqual(["packages/novel no rule says what this package may use"]);
  });
});

describe("ambient access", () => {
  it.each([
    ["Date.now()", "Date.now"],
    ["globalThis.Date.now()", "Date.now"],
    ["new Date()", "new Date()"],
    ["Date()", "Date()"],
    ["performance.now()", "performance.now"],
    ["process.hrtime.bigint()", "process.hrtime"],
    ["setTimeout(run, 5)", "setTimeout"],
    ["globalThis.setTimeout(run, 5)", "setTimeout"],
    ["{ setInterval }", "setInterval"],
    ["AbortSignal.timeout(5)", "AbortSignal.timeout"],
  ])("refuses the time from %s", (expression, name) => {
    const path = "packages/dlx/src/more.ts";
    expect(check({ [path]: `export const a = ${expression};\n` })).toEqual([
      `${path}:1 must not name ${name}: take a Clock`,
    ]);
  });

  it("refuses the timer modules", () => {
    const path = "packages/cli/src/more.ts";
    expect(check({ [path]: `import { setTimeout as sleep } from "node:timers/promises";\nsleep(5);\n` })).toEqual([
      `${path}:1 must not name node:timers/promises: take a Clock`,
    ]);
  });

  it.each([
    [`export const a = process.env["A"];`, "process.env"],
    [`export const a = process["env"];`, "process.env"],
    ["export const a = process.argv;", "process.argv"],
    [`import { env } from "node:process";`, "process.env"],
  ])("refuses the environment from %s", (text, name) => {
    const path = "packages/scaler-toy/src/more.ts";
    expect(check({ [path]: `${text}\n` })).toEqual([
      `${path}:1 must not read ${name}: only the command line interface does`,
    ]);
  });

  it("allows what an exception names, in that file alone", () => {
    const exception = { file: "packages/dlx/src/more.ts", name: "setTimeout", reason: "a test" };
    const text = "export const a = setTimeout;\n";
    expect(check({ "packages/dlx/src/more.ts": text }, [exception])).toEqual([]);
    expect(check({ "packages/dlx/src/more.ts": text, "packages/dlx/src/other.ts": text }, [exception])).toEqual([
      "packages/dlx/src/other.ts:1 must not name setTimeout: take a Clock",
    ]);
  });

  it("refuses an exception that nothing needs any more", () => {
    expect(check({}, [{ file: "packages/dlx/src/index.ts", name: "setTimeout", reason: "a test" }])).toEqual([
      "packages/dlx/src/index.ts does not name setTimeout any more: remove the exception",
    ]);
  });
});

describe("the skeleton of a scaler", () => {
  it.each(["README.md", "src/toy-options.ts", "src/toy-error.ts"])("needs %s", (file) => {
    const path = `packages/scaler-toy/${file}`;
    expect(check({ [path]: undefined })).toEqual([`${path} is missing: every scaler has it`]);
  });

  it("needs its index and its scaler", () => {
    const scaler = "packages/scaler-toy/src/toy-scaler.ts";
    const index = "packages/scaler-toy/src/index.ts";
    expect(check({ [scaler]: undefined, [index]: undefined })).toEqual(
      [index, scaler].map((path) => `${path} is missing: every scaler has it`),
    );
  });

  it.each([
    ["no test", undefined],
    ["a test that does not import the kit", "testScaler();\n"],
    ["a test that imports the kit without calling it", `import { testScaler } from "@dormouse/conformance";\n`],
    [
      "a test that only names the kit's types",
      `import type { testScaler } from "@dormouse/conformance";\ntestScaler();\n`,
    ],
  ])("refuses %s", (_, text) => {
    expect(check({ "packages/scaler-toy/test/toy.test.ts": text })).toEqual([
      "packages/scaler-toy has no test that calls the conformance kit",
    ]);
  });
});

describe("documented exports", () => {
  it("refuses an export without a doc comment, through any re-export", () => {
    const path = "packages/scaler-toy/src/toy-scaler.ts";
    expect(
      check({ [path]: "// A toy.\nexport const scaler = {};\n/** Its size. */\nexport type Size = number;\n" }),
    ).toEqual([`${path}:2 exports scaler without a doc comment`]);
  });

  it("names an export once, however many entry points lead to it", () => {
    const exports = { ".": { "@dormouse/source": "./src/index.ts" }, "./b": { "@dormouse/source": "./src/b.ts" } };
    const problems = check({
      "packages/core/package.json": manifest("@dormouse/core", { exports }),
      "packages/core/src/index.ts": `export { a } from "./a.ts";\n`,
      "packages/core/src/b.ts": `export { a } from "./a.ts";\n`,
      "packages/core/src/a.ts": "export function a(): void {}\n",
    });
    expect(problems).toEqual(["packages/core/src/a.ts:1 exports a without a doc comment"]);
  });
});

describe("the shape of a file", () => {
  it.each([
    "packages/dlx/src/utils.ts",
    "packages/cli/src/commands/types.ts",
    "e2e/helpers.ts",
    "scripts/common.test.ts",
  ])("refuses the name %s", (path) => {
    expect(check({ [path]: "export {};\n" })).toEqual([`${path} must be named after what it exports`]);
  });

  it("refuses an index.ts below the root of a package", () => {
    const path = "packages/dlx/src/hold/index.ts";
    expect(check({ [path]: "export {};\n" })).toEqual([`${path} index.ts belongs only at the root of a package`]);
  });

  it("refuses a source file of more than 350 lines, but not a test", () => {
    const lines = (count: number): string => "export {};\n".repeat(count);
    const path = "packages/dlx/src/long.ts";
    expect(check({ [path]: lines(350), "packages/dlx/src/long.test.ts": lines(351) })).toEqual([]);
    expect(check({ [path]: lines(351) })).toEqual([`${path} has 351 lines: more than 350 hold two things`]);
  });

  it.each([
    ["{ using a = open(); }", "`using` declarations"],
    ["{ await using a = open(); }", "`using` declarations"],
    ["new AsyncDisposableStack();", "AsyncDisposableStack"],
  ])("refuses what Node 22 does not know: %s", (text, name) => {
    expect(check({ "examples/demo/demo.ts": `${text}\n` })).toEqual([
      `examples/demo/demo.ts:1 Node 22 does not know ${name}`,
    ]);
  });
});
