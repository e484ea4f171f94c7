import assert from "node:assert/strict";
import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import {
  defaultPolicy,
  isScalerError,
  openScaler,
  type ResourceScaler,
  type ScalerError,
  silentLogger,
  systemClock,
} from "@dormouse/core";
import { scaler as plugin } from "../src/index.ts";
import { toFolderError } from "../src/runit-error.ts";
import { readSuperviseStatus } from "../src/supervise-status.ts";

const context = { id: "runit", logger: silentLogger, clock: systemClock, defaults: defaultPolicy };
const ref = { namespace: "default", name: "web" };

// What the kit cannot see from outside: which failure gets which code.
void describe("what goes wrong with a folder", () => {
  let folder: string;
  let scaler: ResourceScaler;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "dormouse-runit-errors-"));
    scaler = await openScaler(plugin, { folder, services: [{ name: "web", port: 8080 }] }, context);
  });

  after(async () => {
    await scaler[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });

  void it("a service without a folder is not there", async () => {
    assert.deepEqual(await scaler.listResources(), []);
    assert.equal(await scaler.getResource(ref), undefined);
    assert.equal((await rejectionOf(scaler.setScale(ref, 1))).code, "SCALER_NOT_FOUND");
  });

  void it("a folder that no runsv has taken up is SCALER_UNAVAILABLE, and says where to look", async () => {
    await mkdir(join(folder, "web"));
    await writeFile(join(folder, "web/run"), "#!/bin/sh\n");
    await chmod(join(folder, "web/run"), 0o755);
    const error = await rejectionOf(scaler.getResource(ref));
    assert.deepEqual({ code: error.code, retryable: error.retryable }, { code: "SCALER_UNAVAILABLE", retryable: true });
    assert.match(error.message, /web: .* is the folder below the one that runsvdir watches\?/);
  });

  void it("a port that services do not have is SCALER_BAD_ARGUMENT", async () => {
    assert.equal((await rejectionOf(scaler.resolveTargets(ref, "smtp"))).code, "SCALER_BAD_ARGUMENT");
  });

  for (const [system, code] of [
    ["EACCES", "SCALER_FORBIDDEN"],
    ["ENXIO", "SCALER_UNAVAILABLE"],
    ["EAGAIN", "SCALER_TIMEOUT"],
    ["EIO", "SCALER_INTERNAL"],
  ] as const) {
    void it(`${system} is ${code}`, () => {
      const error = Object.assign(new Error(system), { code: system });
      assert.equal(toFolderError("/etc/service/web", "control", error, true).code, code);
    });
  }
});

void describe("supervise/status", () => {
  void it("is read as runsv writes it", () => {
    const since = "400000006abc1234deadbeef";
    const running = Buffer.from(`${since}3930000000750001`, "hex");
    assert.deepEqual(readSuperviseStatus(running), { wanted: "up", pid: 12_345, gotTerm: false, since });
    const stopping = Buffer.from(`${since}3930000000640101`, "hex");
    assert.deepEqual(readSuperviseStatus(stopping), { wanted: "down", pid: 12_345, gotTerm: true, since });
  });

  void it("is nothing where it has another length", () => {
    assert.equal(readSuperviseStatus(Buffer.alloc(18)), undefined);
  });
});

void it("a wrong option, and a wrong policy, are refused with their place", async () => {
  const service = { name: "web", port: 8080 };
  await assert.rejects(openWith({ ...service, portt: 1 }), /runit\.services\[0\].*portt/);
  await assert.rejects(openWith({ ...service, policy: { idleAfter: "soon" } }), /services\[0\]\.policy\.idleAfter/);
});

async function openWith(service: object): Promise<void> {
  const scaler = await openScaler(plugin, { services: [service] }, context);
  await scaler[Symbol.asyncDispose]();
}

async function rejectionOf(call: Promise<unknown>): Promise<ScalerError> {
  const error: unknown = await call.then(
    () => new Error("it resolved"),
    (error: unknown) => error,
  );
  if (!isScalerError(error)) throw error;
  return error;
}
