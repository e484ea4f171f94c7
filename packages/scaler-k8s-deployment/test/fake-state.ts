import { ScalerError } from "@dormouse/core";
import type { ApiMethod, ApiRequestOptions, Cluster } from "@dormouse/kubernetes";

interface Body {
  readonly metadata: { readonly resourceVersion?: string };
  readonly data: Readonly<Record<string, string | null>>;
}

/** An API server that has one ConfigMap and nothing else, with conditional writes. */
export class FakeState implements Pick<Cluster, "request" | "namespace"> {
  readonly namespace = "dormouse";
  data: Record<string, string> | undefined;
  /** Accepted ones. */
  writes = 0;
  /** No request is ever answered. */
  isStalled = false;
  /** Somebody else is always faster. */
  isContested = false;
  #version = 1;

  constructor(data?: Record<string, string>) {
    this.data = data;
  }

  async request<T>(method: ApiMethod, path: string, { body }: ApiRequestOptions = {}): Promise<T> {
    if (this.isStalled) return new Promise(() => {});
    await Promise.resolve();
    if (method === "GET" && this.data === undefined) throw new ScalerError("SCALER_NOT_FOUND", `there is no ${path}`);
    if (method === "GET") return this.#seen() as T;
    const { metadata, data } = body as Body;
    const isLate = method === "POST" ? this.data !== undefined : metadata.resourceVersion !== String(this.#version);
    if (isLate || this.isContested) throw new ScalerError("SCALER_CONFLICT", "it has changed");
    const merged = Object.entries({ ...this.data, ...data });
    this.data = Object.fromEntries(merged.filter((entry): entry is [string, string] => entry[1] !== null));
    this.writes += 1;
    this.#version += 1;
    return this.#seen() as T;
  }

  #seen(): object {
    return { metadata: { resourceVersion: String(this.#version) }, data: { ...this.data } };
  }
}
