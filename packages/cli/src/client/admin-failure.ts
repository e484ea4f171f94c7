/** The admin API could not be reached, or refused. The message says what to do. */
export class AdminFailure extends Error {
  override readonly name = "AdminFailure";
  /** Code of the refusal; undefined: nobody answered. */
  readonly code?: string;

  constructor(message: string, options: { readonly code?: string | undefined; readonly cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    if (options.code !== undefined) this.code = options.code;
  }

  /** @param url base URL that was asked */
  static unreachable(url: string, cause: unknown): AdminFailure {
    const code = codeOf(cause);
    if (code === "ECONNREFUSED") {
      return new AdminFailure(
        `no host answers at ${url}; start one with "dormouse up", or name another with --admin URL`,
        { cause },
      );
    }
    return new AdminFailure(`the host at ${url} cannot be reached (${code}); name another with --admin URL`, { cause });
  }

  /** @param body problem+json, or whatever else stands at that address */
  static refused(url: string, status: number, body: string): AdminFailure {
    const { code, detail } = parseProblem(body);
    if (status === 401)
      return new AdminFailure(
        `the host at ${url} needs its token: ${detail ?? ""} Give it with --token-file FILE, or as DORMOUSE_TOKEN.`,
        { code },
      );
    if (detail === undefined) return AdminFailure.noHost(url, status);
    return new AdminFailure(code === undefined ? detail : `${code}: ${detail}`, { code });
  }

  /** Something else stands at that address. */
  static noHost(url: string, status: number): AdminFailure {
    return new AdminFailure(
      `what answers at ${url} is no Dormouse host (status ${status}); name another with --admin URL`,
    );
  }
}

function codeOf(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  const inner = cause instanceof AggregateError ? (cause.errors[0] as unknown) : cause;
  const code: unknown = inner instanceof Error ? Reflect.get(inner, "code") : undefined;
  return typeof code === "string" ? code : cause.message;
}

function parseProblem(body: string): { readonly code?: string; readonly detail?: string } {
  try {
    const { code, detail } = JSON.parse(body) as { readonly code?: unknown; readonly detail?: unknown };
    return { ...(typeof code === "string" && { code }), ...(typeof detail === "string" && { detail }) };
  } catch {
    return {};
  }
}
