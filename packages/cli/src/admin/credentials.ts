import { isDeepStrictEqual } from "node:util";
import { createSecureContext } from "node:tls";
import { ConfigError } from "@dormouse/core";
import type { ResolvedSecrets, TlsMaterial } from "../config/secrets.ts";

/** The secrets that hosts know each other by. */
export type AdminSecrets = Pick<ResolvedSecrets, "adminToken" | "adminTls">;

/** Token and certificates of this host as they are now: what its admin API asks for and what it shows to others. */
export class Credentials {
  readonly #listeners = new Set<() => void>();
  #secrets: AdminSecrets;

  /** @throws ConfigError where certificate and key cannot be used */
  constructor(secrets: AdminSecrets) {
    checkTls(secrets.adminTls);
    this.#secrets = secrets;
  }

  get token(): string | undefined {
    return this.#secrets.adminToken;
  }

  get tls(): TlsMaterial | undefined {
    return this.#secrets.adminTls;
  }

  /**
   * Takes others; whoever listens uses them from the next connection on.
   * @returns whether anything is another one
   * @throws ConfigError where certificate and key cannot be used; the old ones stay
   */
  renew(secrets: AdminSecrets): boolean {
    checkTls(secrets.adminTls);
    const { adminToken, adminTls } = this.#secrets;
    this.#secrets = secrets;
    if (adminToken === secrets.adminToken && isDeepStrictEqual(adminTls, secrets.adminTls)) return false;
    for (const listener of this.#listeners) listener();
    return true;
  }

  /** Calls back after every change until disposed. */
  subscribe(listener: () => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }
}

/** @throws ConfigError where certificate, key and authorities are not in PEM, or do not belong together */
export function checkTls(material: TlsMaterial | undefined): void {
  if (material === undefined) return;
  try {
    createSecureContext(material);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    const problem = `cannot be used for TLS: ${reason}`;
    const mend = "give a certificate chain and the private key of its first certificate, both in PEM";
    throw new ConfigError([{ place: "admin.tls", problem, mend }], { cause });
  }
}
