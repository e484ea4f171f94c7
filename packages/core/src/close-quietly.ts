/** Closes an instance that nobody gets, whatever it is; what it says on its way out helps nobody. */
export async function closeQuietly(instance: unknown): Promise<void> {
  try {
    await (instance as AsyncDisposable)[Symbol.asyncDispose]();
  } catch {
    // It is not even of the contract's form, or fails like the rest of it.
  }
}
