/** What was asked for cannot be done as it was written: exit code 2. The message says what to write instead. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}
