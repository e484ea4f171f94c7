import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { GuardedScaler, ResourceChange } from "@dormouse/core";
import { describe, expect, it, onTestFinished } from "vitest";
import { complaintOf, eventually, failureOf, fixture, type LogLine, openRemote } from "./open-remote.ts";

const web = { namespace: "default", name: "web" };

async function openScripted(does: string, more: object = {}, exec: object = {}, logs: LogLine[] = []) {
  const folder = await mkdtemp(join(tmpdir(), "dormouse-remote-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const options = { does, file: join(folder, "file") };
  const command = [process.execPath, fixture("scripted.ts")];
  return openRemote({ exec: { command, ...exec }, options, ...more }, logs);
}

async function changesOf(scaler: GuardedScaler, most: number): Promise<ResourceChange[]> {
  const changes: ResourceChange[] = [];
  for await (const change of scaler.watchResources?.() ?? []) {
    changes.push(change);
    if (changes.length === most) break;
  }
  return changes;
}

describe("a program that answers wrongly", () => {
  it("has each of its wrong resources refused by name, and the others go on", async () => {
    const scaler = await openScripted("mixed");
    const listed = await scaler.listResources();
    const refusals = Object.fromEntries(listed.map(({ ref, refusal }) => [ref.name, refusal?.message ?? ""]));
    const expected: readonly (readonly [string, string])[] = [
      ["negative", "desired: "],
      ["huge", "ready: "],
      ["no-version", "version: "],
      ["wrong-policy", 'did you mean "idleAfter"?'],
      ["two-ports", 'two ports of the name "http"'],
      ["twice", "twice"],
    ];
    for (const [name, text] of expected) expect(refusals[name]).toContain(text);
    const sound = listed.filter(({ refusal }) => refusal === undefined).map(({ ref }) => ref.name);
    expect(sound).toEqual(["web", "labels", "failing"]);
    for (const { policy, refusal } of listed) expect(policy.enabled).toBe(refusal === undefined);
    // What cannot be read never counts as asleep.
    expect(listed.find(({ ref }) => ref.name === "negative")?.desired).toBe(1);
    expect(listed.find(({ ref }) => ref.name === "labels")?.policy.idleAfter).toBe(300_000);
    expect(listed.find(({ ref }) => ref.name === "failing")?.failure).toEqual({
      code: "SCALER_INTERNAL",
      message: 'the disk is full (with the code "NO_SUCH_CODE", which no scaler has)',
    });
  });

  it("has a list refused in which a resource does not say its name", async () => {
    const scaler = await openScripted("no-ref");
    const complaint = await complaintOf(scaler.listResources());
    expect(complaint).toMatch("SCALER_INTERNAL");
    expect(complaint).toContain("resources[1].ref: ");
    expect((await scaler.getResource(web))?.desired).toBe(0);
  });

  it.each([
    ["empty-answer", "resource: "],
    ["other-ref", "default/web was asked for, and default/other came"],
    ["bad-facts", "desired: "],
    ["no-data", "plain (JSON-RPC error 5)"],
    ["foreign-code", 'as if it were a DLX (with the code "DLX_NO_ROUTE", which no scaler has)'],
  ])("%s: getResource says what is wrong, and the next call works", async (does, message) => {
    const scaler = await openScripted(does);
    const complaint = await complaintOf(scaler.getResource(web));
    expect(complaint).toMatch("SCALER_INTERNAL");
    expect(complaint).toContain(message);
    expect(await scaler.listResources()).toHaveLength(1);
  });

  it.each([
    ["same-ids", "two targets have one id"],
    ["no-port", "targets[0].port: "],
  ])("%s: no target is believed", async (does, message) => {
    const scaler = await openScripted(does);
    const complaint = await complaintOf(scaler.resolveTargets(web, undefined));
    expect(complaint).toMatch("SCALER_INTERNAL");
    expect(complaint).toContain(message);
  });

  it("does not have a setScale believed that did not move the version", async () => {
    const scaler = await openScripted("still-version");
    const complaint = await complaintOf(scaler.setScale(web, 0, { ifVersion: "0" }));
    expect(complaint).toMatch("SCALER_INTERNAL");
    expect(complaint).toContain("the version must move");
  });

  it("keeps its own code and wait where the table has the code", async () => {
    const scaler = await openScripted("rate");
    await expect(scaler.getResource(web)).rejects.toMatchObject({ code: "SCALER_RATE_LIMITED", retryAfterMs: 1_234 });
  });
});

describe("a program that does not greet as it should", () => {
  it.each([
    ["other-contract", "PLUGIN_CONTRACT", "of contract 2"],
    ["no-capabilities", "SCALER_INTERNAL", "capabilities.replicas: "],
  ])("%s: opening rejects", async (does, code, text) => {
    const complaint = await complaintOf(openScripted(does));
    expect(complaint).toMatch(code);
    expect(complaint).toContain(text);
  });

  it("has its own complaints about options told with their places", async () => {
    await expect(openScripted("bad-options")).rejects.toThrow("far.options.region: is missing");
  });

  it.each([
    [{ command: ["no-such-program"] }, 'exec.command[0]: "no-such-program" cannot be run'],
    [{ command: ["node"], cwd: "/no/such/folder" }, "exec.cwd: is no folder: /no/such/folder"],
  ])("cannot be started by %o: opening says the place", async (exec, message) => {
    await expect(openRemote({ exec })).rejects.toThrow(message);
  });

  it("ends at once: opening rejects with its exit code and last words", async () => {
    const code = "process.stderr.write('no licence\\n'); process.exitCode = 4";
    const complaint = await complaintOf(openRemote({ exec: { command: [process.execPath, "-e", code] } }));
    expect(complaint).toMatch("SCALER_UNAVAILABLE");
    expect(complaint).toMatch(/exit code 4; its last lines on stderr:\n {2}no licence/);
  });
});

describe("a program that talks too much", () => {
  it("may write anything to stdout between its answers", async () => {
    const logs: LogLine[] = [];
    const scaler = await openScripted("garbage", {}, {}, logs);
    expect(await scaler.listResources()).toHaveLength(1);
    expect(await scaler.setScale(web, 1)).toEqual({ version: "1" });
    expect(JSON.stringify(logs)).toContain("starting up");
  });

  it("settles a call once, by its first answer", async () => {
    const scaler = await openScripted("duplicates");
    for (const version of ["1", "2", "3"]) expect(await scaler.setScale(web, 1)).toEqual({ version });
    expect(await scaler.listResources()).toHaveLength(1);
  });

  it.each([
    ["flood-lines", {}, "wrote 1000 lines to stdout that answer nothing"],
    ["flood-bytes", { messageBytes: 16_384 }, "wrote a line of more than 16384 bytes"],
    ["long-list", { messageBytes: 16_384 }, "wrote a line of more than 16384 bytes"],
  ])("%s: is ended and started again, and the call says why", async (does, more, message) => {
    const scaler = await openScripted(does, more);
    await scaler.setScale(web, 1);
    const complaint = await complaintOf(scaler.listResources());
    expect(complaint).toMatch("SCALER_UNAVAILABLE");
    expect(complaint).toContain(message);
    // The new program has forgotten the old one's count.
    await eventually(async () => expect((await scaler.getResource(web))?.desired).toBe(0));
  });

  it("has a hundred lines of its stderr logged in a second, and the rest counted", async () => {
    const logs: LogLine[] = [];
    const scaler = await openScripted("flood-stderr", {}, {}, logs);
    expect(await scaler.listResources()).toHaveLength(1);
    const dropped = await eventually(() => {
      const found = logs.find(({ fields }) => "dropped" in fields);
      if (found === undefined) throw new Error("nothing dropped yet");
      return found;
    });
    expect(Reflect.get(dropped.fields, "dropped")).toBeGreaterThan(1_000);
  });
});

describe("a program that is silent", () => {
  it("runs its callers into their deadline and stays, where it goes on answering others", async () => {
    const scaler = await openScripted("hang", { timeout: "3s" }, { silence: "2500ms" });
    await scaler.setScale(web, 1);
    const asked = scaler.getResource(web);
    const others = setInterval(() => void scaler.resolveTargets(web, undefined).catch(() => {}), 10);
    await expect(asked)
      .rejects.toMatchObject({ code: "SCALER_TIMEOUT" })
      .finally(() => clearInterval(others));
    const [resource] = await scaler.listResources();
    expect(resource?.desired).toBe(1);
  });

  it("is ended and started again after a long silence", async () => {
    const scaler = await openScripted("hang", { timeout: "3s" }, { silence: "2s" });
    await scaler.setScale(web, 1);
    await expect(scaler.getResource(web)).rejects.toMatchObject({ code: "SCALER_TIMEOUT" });
    await eventually(async () => expect((await scaler.listResources())[0]?.desired).toBe(0));
  });

  it("may answer late what was given up", async () => {
    const logs: LogLine[] = [];
    const scaler = await openScripted("late", {}, {}, logs);
    const abort = new AbortController();
    const asked = scaler.getResource(web, { signal: abort.signal });
    abort.abort();
    await expect(asked).rejects.toMatchObject({ code: "SCALER_ABORTED" });
    expect(await scaler.listResources()).toHaveLength(1);
    expect(logs.filter(({ level }) => level === "warn")).toEqual([]);
  });
});

describe("the watch of a program", () => {
  it("tells snapshot, changes and what is gone, and ends with its reader", async () => {
    const scaler = await openScripted("watch");
    const seen = await changesOf(scaler, 3);
    expect(seen.map(({ kind }) => kind)).toEqual(["snapshot", "set", "gone"]);
    expect(await scaler.listResources()).toHaveLength(1);
  });

  it("ends where the program ends it", async () => {
    expect(await changesOf(await openScripted("watch-ends"), 9)).toHaveLength(1);
  });

  it.each([
    ["watch-missing", "SCALER_UNSUPPORTED", "does not know the call watchResources"],
    ["watch-no-snapshot", "SCALER_INTERNAL", "not with a snapshot"],
    ["watch-nonsense", "SCALER_INTERNAL", "kind: "],
  ])("%s: throws, and calls go on", async (does, code, message) => {
    const scaler = await openScripted(does);
    const complaint = await complaintOf(changesOf(scaler, 9));
    expect(complaint).toMatch(code);
    expect(complaint).toContain(message);
    expect(await scaler.listResources()).toHaveLength(1);
  });

  it("throws where changes come faster than they are taken, and calls go on", async () => {
    const scaler = await openScripted("watch-flood", { messageBytes: 16_384 });
    const complaint = await complaintOf(changesOf(scaler, 5_000));
    expect(complaint).toMatch("SCALER_INTERNAL");
    expect(complaint).toContain("faster than they can be taken");
    expect(await scaler.listResources()).toHaveLength(1);
  });
});

describe("a program that ends", () => {
  it("leaves the call without an outcome, in its last words, and is started again", async () => {
    const scaler = await openScripted("die");
    const complaint = await complaintOf(scaler.setScale(web, 1));
    expect(complaint).toMatch("SCALER_UNAVAILABLE");
    expect(complaint).toMatch(/ended with exit code 3; its last lines on stderr:\n {2}Traceback: no more disk/);
    await eventually(async () => expect(await scaler.listResources()).toHaveLength(1));
  });

  it.each([
    ["die-again", "exit code 7"],
    ["change", "capabilities must stay what they are"],
  ])("%s: while it cannot come back calls reject at once with the reason and a wait", async (does, message) => {
    const logs: LogLine[] = [];
    const scaler = await openScripted(does, {}, {}, logs);
    await expect(scaler.setScale(web, 1)).rejects.toMatchObject({ code: "SCALER_UNAVAILABLE" });
    const error = await eventually(async () => {
      const failure = await failureOf(scaler.listResources());
      expect(failure.code).toBe("SCALER_UNAVAILABLE");
      expect(failure.message).toContain(message);
      return failure;
    });
    expect(error.retryAfterMs).toBeGreaterThan(0);
    expect(error.retryAfterMs).toBeLessThanOrEqual(30_000);
  });
});
