import { vi } from "vitest";

/** Polls until the callback does not throw, for as long as anything may take on a busy machine. */
export function eventually<Result>(check: () => Result | Promise<Result>): Promise<Result> {
  return vi.waitFor(check, { timeout: 20_000 });
}
