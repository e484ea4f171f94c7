import type { AmbientException } from "./ambient-access.ts";

/** Files that may name a timer or the environment themselves. Each needs a reason that a reviewer accepts. */
export const ambientExceptions: readonly AmbientException[] = [];
