import fs from "node:fs";
import { setImmediate } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type Log, openLog } from "./open-log.ts";

async function open(
  config: Partial<Parameters<typeof openLog>[0]["config"]> = {},
  terminal = false,
  color = false,
): Promise<{ log: Log; lines: string[] }> {
  const lines: string[] = [];
  const log = await openLog({
    config: { level: "info", format: "auto", ...config },
    terminal,
    color,
    sink: { write: (line) => void lines.push(line) },
  });
  return { log, lines };
}

describe("the log", () => {
  it("is JSON lines away from a terminal, with the level as a word and the time as ISO 8601", async () => {
    const { log, lines } = await open();
    log.logger.child({ scaler: "local" }).warn({ code: "X" }, "something");
    expect(JSON.parse(lines[0] ?? "")).toEqual({
      level: "warn",
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/) as string,
      scaler: "local",
      code: "X",
      msg: "something",
    });
  });

  it("is one plain line for each entry on a terminal", async () => {
    const { log, lines } = await open({}, true);
    log.logger.info({ resource: "a/b/c" }, "wake done");
    expect(lines[0]).toMatch(/^\[\d\d:\d\d:\d\d\.\d{3}\] INFO: wake done \{"resource":"a\/b\/c"\}\n$/);
  });

  it("is coloured only where that is asked for", async () => {
    const { log, lines } = await open({}, true, true);
    log.logger.info({}, "x");
    expect(lines[0]).toContain("\u001b[");
  });

  it("keeps to its level, and to a new one once it has changed", async () => {
    const { log, lines } = await open({ level: "error" });
    log.logger.warn({}, "no");
    await log.reconfigure({ level: "debug", format: "pretty" });
    log.logger.debug({}, "yes");
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(/DEBUG: yes/);
  });

  it("writes errors with their stack, and texts under the same key as they are", async () => {
    const { log, lines } = await open();
    log.logger.error({ error: new TypeError("broken") }, "failed");
    log.logger.error({ error: "the platform's own text" }, "failed");
    expect(JSON.parse(lines[0] ?? "")).toMatchObject({
      error: { type: "TypeError", message: "broken", stack: expect.stringContaining("open-log.test.ts") as string },
    });
    expect(JSON.parse(lines[1] ?? "")).toMatchObject({ error: "the platform's own text" });
  });
});

describe("standard output", () => {
  const written: string[] = [];
  type Written = (error: Error | null, bytes: number) => void;

  /** Takes the place of the kernel: each write succeeds, or fails with this code. */
  const write = (failure: () => string | undefined) =>
    vi.spyOn(fs, "write").mockImplementation((_fd: number, text: string, ...rest: unknown[]) => {
      const code = failure();
      if (code === undefined) written.push(text);
      const error = code === undefined ? null : Object.assign(new Error(code), { code });
      process.nextTick(rest.at(-1) as Written, error, text.length);
    });

  const openPlain = (): Promise<Log> =>
    openLog({ config: { level: "info", format: "json" }, terminal: false, color: false });

  beforeEach(() => void written.splice(0));
  afterEach(() => void vi.restoreAllMocks());

  it("goes on after a disk was full, with the lines that waited", async () => {
    let code: string | undefined = "ENOSPC";
    const spy = write(() => code);
    const log = await openPlain();
    log.logger.info({}, "no room for this");
    await vi.waitFor(() => expect(spy).toHaveBeenCalled());
    await setImmediate();
    code = undefined;
    log.logger.info({}, "room again");
    await vi.waitFor(() => expect(written.join("")).toMatch(/no room for this.*room again/s));
  });

  it("ends without a word once its reader has gone", async () => {
    const spy = write(() => "EPIPE");
    const log = await openPlain();
    log.logger.info({}, "one");
    await vi.waitFor(() => expect(spy).toHaveBeenCalledOnce());
    await setImmediate();
    log.logger.info({}, "two");
    await setImmediate();
    expect(spy).toHaveBeenCalledOnce();
  });
});

describe("secrets", () => {
  it("are masked under their usual keys, at several depths", async () => {
    const { log, lines } = await open();
    log.logger.info(
      { token: "t", options: { password: "p", inner: { apiKey: "k" } }, headers: { authorization: "a" } },
      "x",
    );
    expect(JSON.parse(lines[0] ?? "")).toMatchObject({
      token: "********",
      options: { password: "********", inner: { apiKey: "********" } },
      headers: { authorization: "********" },
    });
  });

  it("that are known are masked wherever they stand, also as JSON writes them, and after a change too", async () => {
    const { log, lines } = await open();
    log.hide(new Set(["hunter2", 'with "quotes"']));
    log.hide(new Set(["new-one"]));
    log.logger.info({ error: 'asked http://hunter2@x with "quotes"' }, "hunter2 and new-one");
    expect(lines[0]).not.toMatch(/hunter2|new-one|with \\"quotes/);
  });

  it("that are too short to be any do not wreck the lines", async () => {
    const { log, lines } = await open();
    log.hide(new Set(["", "a", "inf"]));
    log.logger.info({ a: 1 }, "information");
    expect(JSON.parse(lines[0] ?? "")).toMatchObject({ level: "info", a: 1, msg: "information" });
  });
});
