import { once } from "node:events";
import { get, type IncomingHttpHeaders, type IncomingMessage } from "node:http";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import type { RunningProgram } from "./run-command.ts";

/** Longest start of a program on a busy machine. */
const withinMs = 60_000;

/** An answer with a status of success. */
export interface Answer {
  readonly text: string;
  readonly headers: IncomingHttpHeaders;
}

/**
 * Asks until there is an answer of success.
 * @param program who is to answer; its end, and what it printed, is the reason where it ends before
 */
export async function untilAnswered(
  url: string,
  headers: Readonly<Record<string, string>>,
  program: RunningProgram,
): Promise<Answer> {
  let last = "nothing yet";
  for (const endsAt = Date.now() + withinMs; Date.now() < endsAt; await Promise.race([sleep(50), program.failed])) {
    try {
      // `fetch` takes no Host of one's own.
      const [response] = (await once(get(url, { headers }), "response")) as [IncomingMessage];
      const body = await text(response);
      if (response.statusCode === 200) return { text: body, headers: response.headers };
      last = `${String(response.statusCode)} ${body}`;
    } catch (error) {
      last = String(error);
    }
  }
  throw new Error(`${url} was not answered, the last time with ${last}:\n${program.output}`);
}
