import { request } from "undici";

export interface Question {
  /** Value of the Host header. */
  readonly host: string;
  readonly path?: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
  /** The text as JSON object; empty where it is none. */
  readonly json: Readonly<Record<string, unknown>>;
}

/** Sends one request to a DLX and reads the whole answer. */
export async function ask(
  origin: string,
  { host, path = "/", method = "GET", headers, body }: Question,
): Promise<Answer> {
  const response = await request(`${origin}${path}`, {
    method: method as "GET",
    headers: { host, ...headers },
    ...(body === undefined ? {} : { body }),
  });
  const text = await response.body.text();
  return { status: response.statusCode, headers: response.headers, text, json: toObject(text) };
}

function toObject(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
