import { request as httpRequest } from "node:http";
import { connect, isIP, type LookupFunction, type Socket } from "node:net";
import type { HttpProbe, Target } from "@dormouse/core";
import type { ReachedTarget } from "./passage.ts";

/** Finds out whether a target takes requests now. Rejects where it does not, whatever the reason. */
export type Dial = (target: Target, probe: HttpProbe | undefined, signal: AbortSignal) => Promise<ReachedTarget>;

/** Longest wait for a connection; a platform's address that leads nowhere costs no more. */
const connectLimitMs = 100;

/** Longest wait for a probe's answer; the default of Kubernetes. */
const probeLimitMs = 1_000;

/** `localhost` without a look-up: both families, so that a server on either one is found. */
const localhostLookup: LookupFunction = (_host, _options, callback) => {
  callback(null, [
    { address: "127.0.0.1", family: 4 },
    { address: "::1", family: 6 },
  ]);
};

/** Dials by TCP and, where there is a probe, asks it: the address that answers is the one that requests go to. */
export const dial: Dial = async (target, probe, signal) => {
  const address = await connectOnce(target, signal);
  if (probe !== undefined) await probeOnce(address, target, probe, signal);
  return { id: target.id, address, port: target.port };
};

function connectOnce(target: Target, signal: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    const lookup = target.host === "localhost" ? { lookup: localhostLookup } : {};
    const socket = connect({
      host: target.host,
      port: target.port,
      autoSelectFamily: true,
      autoSelectFamilyAttemptTimeout: connectLimitMs,
      ...lookup,
    });
    const finish = (): void => {
      signal.removeEventListener("abort", onAbort);
      socket.destroy();
    };
    const fail = (error: unknown): void => {
      finish();
      reject(error);
    };
    const onAbort = (): void => fail(signal.reason);
    if (signal.aborted) return onAbort();
    signal.addEventListener("abort", onAbort, { once: true });
    socket.once("error", fail);
    const limit = (): void =>
      void socket.setTimeout(connectLimitMs, () =>
        fail(new Error(`no connection to ${target.host}:${target.port} within ${connectLimitMs} ms`)),
      );
    // The limit is for a connection: a name is looked up as long as the resolver takes, which no one can give up.
    if (isIP(target.host) === 0) socket.once("lookup", limit);
    else limit();
    socket.once("connect", () => {
      const address = socket.remoteAddress ?? target.host;
      finish();
      resolve(address);
    });
  });
}

function probeOnce(address: string, target: Target, probe: HttpProbe, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const port = probe.port ?? target.port;
    const headers = { "user-agent": "dormouse-probe", connection: "close", ...probe.headers };
    const request = httpRequest(
      { host: address, port, path: probe.path, headers, agent: false, timeout: probeLimitMs, signal },
      (response) => {
        const status = response.statusCode ?? 0;
        response.destroy();
        const ready = probe.status === undefined ? status >= 200 && status < 400 : status === probe.status;
        if (ready) resolve();
        else reject(new Error(`${probe.path} answered ${status}`));
      },
    );
    request.once("socket", (socket: Socket) => socket.setNoDelay(true));
    request.once("timeout", () => request.destroy(new Error(`${probe.path} did not answer within ${probeLimitMs} ms`)));
    request.once("error", reject);
    request.end();
  });
}
