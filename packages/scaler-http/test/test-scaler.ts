import { defaultPolicy, type GuardedScaler, type LocalRef, type Logger, openScaler, systemClock } from "@dormouse/core";
import { onTestFinished } from "vitest";
import { scaler as plugin } from "../src/index.ts";
import { type TestAnswer, type TestRequest, TestServer } from "@dormouse/core/testing";

/** What one test works on. */
export interface TestScaler {
  readonly scaler: GuardedScaler;
  readonly logs: readonly string[];
}

/** Little time is lost between tries. */
const quickRetries = { attempts: 3, firstWait: "1ms", longestWait: "2ms" };

export const refOf = (name: string): LocalRef => ({ namespace: "default", name });

/** A server that is closed after the test. */
export async function serve(answer: (request: TestRequest) => TestAnswer): Promise<TestServer> {
  const server = await TestServer.open(answer);
  onTestFinished(() => server.close());
  return server;
}

/** A scaler behind core's guard, closed after the test. */
export async function openTestScaler(options: object): Promise<TestScaler> {
  const logs: string[] = [];
  const context = { id: "http", logger: loggerInto(logs), clock: systemClock, defaults: defaultPolicy };
  const scaler = await openScaler(plugin, { retries: quickRetries, ...options }, context);
  onTestFinished(() => scaler[Symbol.asyncDispose]());
  return { scaler, logs };
}

function loggerInto(logs: string[]): Logger {
  const log = (fields: object, message: string): void => void logs.push(`${message} ${JSON.stringify(fields)}`);
  return { debug: log, info: log, warn: log, error: log, child: () => loggerInto(logs) };
}
