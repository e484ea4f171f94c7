import { randomUUID } from "node:crypto";
import type { Certificate } from "./certificates.ts";
import { TlsServer } from "./serve-tls.ts";

/** Whom the fake knows. */
export interface FakeAccount {
  readonly tenantId: string;
  readonly clientId: string;
  readonly clientSecret: string;
}

/** Where tokens come from: the client credentials flow of one tenant, behind TLS. */
export class FakeLogin implements AsyncDisposable {
  readonly account: FakeAccount = {
    tenantId: randomUUID(),
    clientId: randomUUID(),
    clientSecret: `secret-${randomUUID()}`,
  };
  readonly #tokens = new Set<string>();
  /** Scopes that were asked for. */
  readonly scopes: string[] = [];
  server!: TlsServer;

  static async start(certificate: Certificate): Promise<FakeLogin> {
    const login = new FakeLogin();
    login.server = await TlsServer.start(certificate, async (request, body) => login.#answer(request.url ?? "", body));
    return login;
  }

  get origin(): string {
    return this.server.origin;
  }

  /** Whether an Authorization header has a token of this login. */
  accepts(authorization: string | undefined): boolean {
    return authorization?.startsWith("Bearer ") === true && this.#tokens.has(authorization.slice("Bearer ".length));
  }

  /** Takes every token back. */
  revoke(): void {
    this.#tokens.clear();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server[Symbol.asyncDispose]();
  }

  #answer(target: string, body: string): Promise<{ status: number; body: unknown }> {
    const path = new URL(target, this.origin).pathname;
    const base = `${this.origin}/${this.account.tenantId}`;
    if (path.endsWith("/.well-known/openid-configuration"))
      return Promise.resolve({
        status: 200,
        body: {
          issuer: `${base}/v2.0`,
          authorization_endpoint: `${base}/oauth2/v2.0/authorize`,
          token_endpoint: `${base}/oauth2/v2.0/token`,
          jwks_uri: `${base}/discovery/v2.0/keys`,
        },
      });
    if (path !== `/${this.account.tenantId}/oauth2/v2.0/token`) return Promise.resolve({ status: 404, body: {} });
    return Promise.resolve(this.#token(new URLSearchParams(body)));
  }

  #token(form: URLSearchParams): { status: number; body: unknown } {
    const { clientId, clientSecret } = this.account;
    this.scopes.push(form.get("scope") ?? "");
    const isKnown = form.get("client_id") === clientId && form.get("client_secret") === clientSecret;
    if (form.get("grant_type") !== "client_credentials" || !isKnown)
      return {
        status: 401,
        body: { error: "invalid_client", error_description: "AADSTS7000215: Invalid client secret provided." },
      };
    const token = randomUUID();
    this.#tokens.add(token);
    return {
      status: 200,
      body: { token_type: "Bearer", expires_in: 3_599, ext_expires_in: 3_599, access_token: token },
    };
  }
}
