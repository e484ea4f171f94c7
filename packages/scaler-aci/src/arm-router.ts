import type { HttpClient } from "@azure/core-rest-pipeline";
import type { TokenCredential } from "@azure/identity";
import type { Clock } from "@dormouse/core";
import { toNotFoundError } from "./aci-error.ts";
import { type AciOptions, clouds } from "./aci-options.ts";
import type { ArmApi, ArmCall, ArmOperation } from "./arm-api.ts";
import { ArmClient } from "./arm-client.ts";
import { BoundHttpClient, readCa } from "./bound-http-client.ts";
import type { GroupId, Scope } from "./group-id.ts";
import { authorityKinds, openCredential } from "./open-credential.ts";

/** Stand-ins of tests. */
export interface ArmParts {
  /** Takes the requests that would go over the network. */
  readonly httpClient?: HttpClient;
  /** Gives the tokens. */
  readonly credential?: TokenCredential;
}

/** The resource manager for all subscriptions of one scaler: a client each, one identity for all. */
export class ArmRouter implements ArmApi, Disposable {
  readonly #clients: ReadonlyMap<string, ArmClient>;
  readonly #owned: readonly Disposable[];

  private constructor(clients: ReadonlyMap<string, ArmClient>, owned: readonly Disposable[]) {
    this.#clients = clients;
    this.#owned = owned;
  }

  /** Sends nothing. Rejects with `SCALER_BAD_OPTIONS` where `caFile` cannot be read. */
  static async open(options: AciOptions, clock: Clock, parts: ArmParts = {}): Promise<ArmRouter> {
    const cloud = clouds[options.cloud];
    const endpoint = options.armEndpoint ?? cloud.armEndpoint;
    const authorityHost = options.authorityHost ?? cloud.authorityHost;
    const ca = await readCa(options.caFile);
    const httpClient = new BoundHttpClient({ origin: endpoint, ca, inner: parts.httpClient });
    const tokenClient = new BoundHttpClient({ origin: tokenOrigin(options, authorityHost), ca });
    const credential =
      parts.credential ?? openCredential({ identity: options.identity, authorityHost, httpClient: tokenClient, clock });
    const scope = options.scope ?? `${endpoint}/.default`;
    const shared = { endpoint, scope, credential, httpClient, ca, clock, requests: options.requests };
    const subscriptions = options.subscriptions.map(({ id }) => id.toLowerCase());
    const clients = subscriptions.map(
      (subscription) => [subscription, new ArmClient({ ...shared, subscription })] as const,
    );
    return new ArmRouter(new Map(clients), [httpClient, tokenClient]);
  }

  async listGroups(scope: Scope, call: ArmCall): Promise<readonly unknown[]> {
    return this.#clientOf(scope).listGroups(scope, call);
  }

  async getGroup(group: GroupId, call: ArmCall): Promise<unknown> {
    return this.#clientOf(group).getGroup(group, call);
  }

  async startGroup(group: GroupId, call: ArmCall): Promise<string | undefined> {
    return this.#clientOf(group).startGroup(group, call);
  }

  async stopGroup(group: GroupId, call: ArmCall): Promise<void> {
    await this.#clientOf(group).stopGroup(group, call);
  }

  async getOperation(group: GroupId, url: string, call: ArmCall): Promise<ArmOperation | undefined> {
    return this.#clientOf(group).getOperation(group, url, call);
  }

  [Symbol.dispose](): void {
    for (const each of this.#owned) each[Symbol.dispose]();
  }

  #clientOf({ subscription }: Pick<Scope, "subscription">): ArmClient {
    const client = this.#clients.get(subscription);
    if (client === undefined) throw toNotFoundError({ namespace: subscription, name: "any" });
    return client;
  }
}

/** Identities of a machine ask elsewhere than at the authority. */
function tokenOrigin({ identity }: AciOptions, authorityHost: string): string | undefined {
  const asksAuthority = authorityKinds.includes(identity.kind);
  return asksAuthority ? authorityHost : undefined;
}
