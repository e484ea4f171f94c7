/** The code of an error of Node or the operating system, such as `ENOENT`. */
export function systemErrorCode(error: unknown): string | number | undefined {
  const code: unknown = error instanceof Error ? Reflect.get(error, "code") : undefined;
  return typeof code === "string" || typeof code === "number" ? code : undefined;
}
