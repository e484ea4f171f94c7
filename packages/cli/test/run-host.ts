import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { request } from "undici";
import { type Bin, type BinOptions, runBin, startBin } from "./run-bin.ts";

/** A running `dormouse up` with where it listens. */
export interface RunningHost {
  readonly bin: Bin;
  readonly folder: string;
  /** `host:port` of the DLX. */
  readonly dlx: string;
  /** Base URL of the admin API. */
  readonly admin: string;
  /** Lines of its log so far. */
  log(): readonly LogLine[];
  /** Runs another command against it. */
  run(...args: readonly string[]): ReturnType<typeof runBin>;
  /** Asks the DLX. */
  get(host: string, path?: string): Promise<Answer>;
  /** Asks the admin API. */
  ask(path: string): Promise<Answer>;
}

export interface LogLine {
  readonly level: string;
  readonly msg: string;
  readonly [field: string]: unknown;
}

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

/** Writes a configuration and runs a host with it until it is ready. */
export async function startHost(yaml: string, options: BinOptions, ...args: readonly string[]): Promise<RunningHost> {
  await writeFile(join(options.folder, "dormouse.yaml"), yaml);
  const bin = startBin(["up", ...args], options);
  const ready = await untilLogged(bin, "ready");
  const admin = `http://${String(ready["admin"])}`;
  const [dlx = ""] = ready["requests"] as readonly string[];
  return {
    bin,
    folder: options.folder,
    dlx,
    admin,
    log: () => linesOf(bin),
    run: (...command) => runBin([...command, "--admin", admin], options),
    get: (host, path = "/") => ask(`http://${dlx}${path}`, { host }),
    ask: (path) => ask(`${admin}${path}`, {}),
  };
}

/** The first log line with such a message, once it is there; fails with the output where the host ends before. */
export async function untilLogged(bin: Bin, message: string, count = 1): Promise<LogLine> {
  const deadline = performance.now() + 20_000;
  let hasEnded = false;
  void bin.ended.then(() => (hasEnded = true));
  for (;;) {
    const found = linesOf(bin).filter(({ msg }) => msg === message);
    const last = found[count - 1];
    if (last !== undefined) return last;
    if (hasEnded || performance.now() > deadline)
      throw new Error(`no "${message}" in:\n${bin.stdout()}\n${bin.stderr()}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

function linesOf(bin: Bin): readonly LogLine[] {
  const lines = bin.stdout().split("\n").slice(0, -1);
  return lines.filter((line) => line.startsWith("{")).map((line) => JSON.parse(line) as LogLine);
}

async function ask(url: string, headers: Readonly<Record<string, string>>): Promise<Answer> {
  const answer = await request(url, { headers });
  return { status: answer.statusCode, headers: answer.headers, body: await answer.body.text() };
}

/**
 * A server for `command:` in a configuration: answers with its name, after so long and once a file is there, when it has
 * been up for so long.
 */
export function server(name: string, { startMs = 0, answerMs = 0, answersWith = "/" } = {}): string {
  const answer = `const answer = (r) => require("node:fs").existsSync("${answersWith}") ? r.end("${name}") : setTimeout(answer, 20, r)`;
  const code = `${answer}; setTimeout(() => require("node:http").createServer((q, r) => setTimeout(answer, ${answerMs}, r)).listen(process.env.PORT, "127.0.0.1"), ${startMs})`;
  return JSON.stringify([process.execPath, "-e", code]);
}
