import type { Attributes } from "@opentelemetry/api";

/** Label of everything that has no series of its own. No resource is called so: their names have slashes. */
export const otherResource = "other";

/**
 * Bounds the series of counters and histograms: the first so many resources that are measured get series of their own,
 * all later ones share `other`. A resource keeps its series once it has them, because a counter that moved between two
 * series would look like a restart to whoever reads it.
 */
export class SeriesLimit {
  readonly #most: number;
  readonly #admitted = new Set<string>();

  /** @param most resources with series of their own */
  constructor(most: number) {
    this.#most = most;
  }

  /** The attributes as they are measured. Same object where nothing changes: this runs for each request. */
  process(attributes: Attributes): Attributes {
    const resource = attributes["resource"];
    if (typeof resource !== "string" || resource === otherResource || this.#admitted.has(resource)) return attributes;
    if (this.#admitted.size >= this.#most) return { ...attributes, resource: otherResource };
    this.#admitted.add(resource);
    return attributes;
  }
}
