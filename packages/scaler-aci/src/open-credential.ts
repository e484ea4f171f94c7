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
import type { HttpClient } from "@azure/core-rest-pipeline";
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
  const { authorityHost, httpClient, clock, identity } = options;
  const shared: SharedOptions = {
    authorityHost,
    httpClient,
    retryOptions: { maxRetries: 0 },
    // Azure's list of authorities knows nothing of a cloud that is somebody's own.
    disableInstanceDiscovery: !knownAuthorities.includes(authorityHost),
  };
  return withoutCallers(toCredential(identity, shared), clock);
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
function withoutCallers(credential: TokenCredential, clock: Clock): TokenCredential {
  return {
    getToken: (scopes, options) =>
      callWithDeadline({ clock, afterMs: tokenTimeoutMs, what: "the request for a token" }, async (signal) =>
        credential.getToken(scopes, { ...options, abortSignal: signal }),
      ),
  };
}
