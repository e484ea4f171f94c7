import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { type TestPlatform, testScaler } from "@dormouse/conformance";
import { afterAll, beforeAll, it } from "vitest";
import { scaler as plugin } from "../src/index.ts";
import { exampleFolder } from "./open-remote.ts";
import { describeWithPython, hasPython } from "./python.ts";
import { openTcpGate, type TcpGate } from "./tcp-gate.ts";

let server: ChildProcessByStdio<null, Readable, null>;
let gate: TcpGate;

// One server for all rules, as hosts find it.
beforeAll(async () => {
  if (!hasPython) return;
  server = spawn("python3", [join(exampleFolder, "threads_over_http.py"), "0"], {
    env: { PATH: process.env["PATH"], TOKEN: "secret" },
    stdio: ["ignore", "pipe", "ignore"],
  });
  const [line] = (await once(server.stdout, "data")) as [Buffer];
  gate = await openTcpGate(Number(/\d+/.exec(line.toString())?.[0]));
});

afterAll(async () => {
  if (!hasPython) return;
  await gate[Symbol.asyncDispose]();
  server.kill("SIGKILL");
});

// Left out: the example's servers are in memory of its program, so that nobody changes, removes or breaks one from outside.
// The platform is processes, beside which a small machine may be late.
testScaler({ describe: describeWithPython, it, plugin, open, promptly: 10_000 });

async function open(): Promise<TestPlatform> {
  return {
    options: {
      http: { url: `http://127.0.0.1:${gate.port}`, token: "secret" },
      options: { resources: { one: {}, other: { idleAfter: "1m" } } },
    },
    ref: { namespace: "default", name: "one" },
    other: { namespace: "default", name: "other" },
    close: async () => {},
    stallPlatform: async () => gate.stall(),
    cutPlatform: async () => gate.cut(),
  };
}
