import {
  AzureCliCredential,
  ClientCertificateCredential,
  ClientSecretCredential,
  DefaultAzureCredential,
  ManagedIdentityCredential,
  type TokenCredential,
  type TokenCredentialOptions,
  WorkloadIdentityCredential,
} from "@azure/identity";
import type { HttpClient, PipelineRequest, PipelineResponse } from "@azure/core-rest-pipeline";
import { callWithDeadline, type Clock } from "@dormouse/core";
import { clouds, type IdentityOptions } from "./aci-options.ts";

/** What a credential needs. */
export interface CredentialOptions {
  readonly identity: IdentityOptions;
  readonly authorityHost: string;
  readonly httpClient: HttpClient;
  readonly clock: Clock;
}

/** A token is had in well under a second; what takes longer is tried again by the next request. */
const tokenTimeoutMs = 9_000;

const knownAuthorities: readonly string[] = Object.values(clouds).map(({ authorityHost }) => authorityHost);

/** The identity that asks. Nothing is sent before the first token is needed. */
export function openCredential(options: CredentialOptions): TokenCredential {
  const { authorityHost, clock, identity } = options;
  const httpClient = new RememberingClient(options.httpClient);
  const shared: SharedOptions = {
    authorityHost,
    httpClient,
    retryOptions: { maxRetries: 0 },
    // Azure's list of authorities knows nothing of a cloud that is somebody's own.
    disableInstanceDiscovery: !knownAuthorities.includes(authorityHost),
  };
  const asksAuthority = authorityKinds.includes(identity.kind);
  return withoutCallers(toCredential(identity, shared), clock, asksAuthority ? httpClient : undefined);
}

/** Identities that ask the authority itself. Others ask around first, and find nobody at most places. */
export const authorityKinds: readonly IdentityOptions["kind"][] = [
  "client-secret",
  "client-certificate",
  "workload-identity",
];

/** The library that asks for tokens says only that it failed; this keeps why. */
class RememberingClient implements HttpClient {
  readonly #client: HttpClient;
  failure: unknown;

  constructor(client: HttpClient) {
    this.#client = client;
  }

  async sendRequest(request: PipelineRequest): Promise<PipelineResponse> {
    try {
      return await this.#client.sendRequest(request);
    } catch (error) {
      this.failure = error;
      throw error;
    }
  }
}

interface SharedOptions extends TokenCredentialOptions {
  readonly disableInstanceDiscovery: boolean;
}

function toCredential(identity: IdentityOptions, shared: SharedOptions): TokenCredential {
  switch (identity.kind) {
    case "default":
      return new DefaultAzureCredential({
        ...shared,
        ...(identity.clientId !== undefined && { managedIdentityClientId: identity.clientId }),
      });
    case "client-secret":
      return new ClientSecretCredential(identity.tenantId, identity.clientId, identity.clientSecret, shared);
    case "client-certificate":
      return new ClientCertificateCredential(identity.tenantId, identity.clientId, identity.certificateFile, shared);
    case "workload-identity":
      return new WorkloadIdentityCredential({
        ...shared,
        ...(identity.tenantId !== undefined && { tenantId: identity.tenantId }),
        ...(identity.clientId !== undefined && { clientId: identity.clientId }),
        ...(identity.tokenFile !== undefined && { tokenFilePath: identity.tokenFile }),
      });
    case "managed-identity":
      return identity.clientId === undefined
        ? new ManagedIdentityCredential(shared)
        : new ManagedIdentityCredential(identity.clientId, shared);
    case "azure-cli":
      return new AzureCliCredential(identity.tenantId === undefined ? {} : { tenantId: identity.tenantId });
  }
}

/**
 * Requests that need a token at the same time share one question for it: the first one's abort must not end the others',
 * and a login that hangs must not hold all later ones.
 */
function withoutCallers(
  credential: TokenCredential,
  clock: Clock,
  client: RememberingClient | undefined,
): TokenCredential {
  const ask: TokenCredential["getToken"] = async (scopes, options) => {
    if (client !== undefined) client.failure = undefined;
    try {
      return await credential.getToken(scopes, options);
    } catch (error) {
      throw client?.failure ?? error;
    }
  };
  const call = { clock, afterMs: tokenTimeoutMs, what: "the request for a token" };
  return {
    getToken: async (scopes, options) =>
      callWithDeadline(call, async (signal) => ask(scopes, { ...options, abortSignal: signal })),
  };
}
