/** Counts how many DLXs a request has passed. */
export const hopsHeader = "X-Dormouse-Hops";
export const lowerHopsHeader = "x-dormouse-hops";

/** A request that has passed this many DLXs goes round in a circle. */
export const mostHops = 2;

/**
 * How many DLXs a request has passed. A client can only raise it, and only for its own request: what is no count, or
 * comes twice, counts as too many, and each DLX replaces the header by its own.
 */
export function readHops(header: string | readonly string[] | undefined): number {
  if (header === undefined) return 0;
  return typeof header === "string" && /^\d$/.test(header) ? Number(header) : mostHops;
}
