import { randomUUID } from "node:crypto";
import { systemClock } from "@dormouse/core";
import { openAuthority, type TestAuthority } from "./certificates.ts";
import { FakeArm, type FakeArmOptions } from "./fake-arm.ts";
import { FakeLogin } from "./fake-login.ts";
import { TlsServer } from "./serve-tls.ts";

/** A whole Azure: a login and a resource manager, both behind TLS. */
export interface FakeAzure extends AsyncDisposable {
  readonly authority: TestAuthority;
  readonly arm: FakeArm;
  readonly login: FakeLogin;
  readonly server: TlsServer;
  readonly subscription: string;
  /** Options of the scaler for it, as configuration writes them; quick, since this Azure is. */
  readonly options: Record<string, unknown>;
}

let sharedAuthority: Promise<TestAuthority> | undefined;

/** Starts one. The authority is one for all of a process, for keys take time. */
export async function openAzure(options: Partial<FakeArmOptions> = {}): Promise<FakeAzure> {
  const authority = await (sharedAuthority ??= openAuthority());
  const subscription = randomUUID();
  const login = await FakeLogin.start(authority.valid);
  const arm = new FakeArm({
    clock: systemClock,
    subscription,
    accepts: (token) => login.accepts(token),
    generosity: 1_000,
    ...options,
  });
  const server = await TlsServer.start(authority.valid, async ({ method, url, headers }) =>
    arm.handle({ method: method ?? "", target: url ?? "", authorization: headers.authorization }),
  );
  arm.origin = server.origin;
  return {
    authority,
    arm,
    login,
    server,
    subscription,
    options: {
      subscriptions: [{ id: subscription }],
      identity: { kind: "client-secret", ...login.account },
      authorityHost: login.origin,
      armEndpoint: server.origin,
      caFile: authority.caFile,
      poll: { list: "500ms", asleep: "150ms", awake: "150ms", waking: "20ms" },
      transitioning: { first: "20ms", longest: "100ms" },
      requests: { reads: { burst: 10_000, perSecond: 1_000 }, writes: { burst: 10_000, perSecond: 1_000 } },
      settleWithin: "250ms",
    },
    async [Symbol.asyncDispose]() {
      await arm[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
      await login[Symbol.asyncDispose]();
    },
  };
}

/** Removes what `openAzure` keeps for later; after all tests of a file. */
export async function closeAuthority(): Promise<void> {
  const authority = await sharedAuthority;
  sharedAuthority = undefined;
  await authority?.[Symbol.asyncDispose]();
}
