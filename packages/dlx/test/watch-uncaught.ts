import { afterEach, beforeEach, expect } from "vitest";

/** Fails each test of the file during which an error reached the process itself. */
export function watchUncaught(): void {
  const errors: unknown[] = [];
  const onError = (error: unknown): void => void errors.push(error);

  beforeEach(() => {
    errors.length = 0;
    process.on("uncaughtException", onError).on("unhandledRejection", onError);
  });

  afterEach(() => {
    process.off("uncaughtException", onError).off("unhandledRejection", onError);
    expect(errors).toEqual([]);
  });
}
