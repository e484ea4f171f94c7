/** What stands for placeholders in the path and the body of a write. */
export interface ScaleValues {
  readonly replicas: number;
  readonly wakeReplicas: number;
  readonly namespace: string;
  readonly name: string;
}

const placeholder = /\{\{\s*(\w+)\s*\}\}/g;
const alone = /^\{\{\s*(\w+)\s*\}\}$/;

/** JSON with its placeholders filled: a text that is nothing but one becomes the number itself. */
export function fillBody(body: unknown, values: ScaleValues): unknown {
  if (typeof body === "string") return fillText(body, values);
  if (Array.isArray(body)) return body.map((entry) => fillBody(entry, values));
  if (typeof body !== "object" || body === null) return body;
  return Object.fromEntries(Object.entries(body).map(([key, inner]) => [key, fillBody(inner, values)]));
}

/** A path with its placeholders filled and escaped. */
export function fillScalePath(path: string, values: ScaleValues): string {
  return path.replaceAll(placeholder, (whole, key: string) => {
    const value = valueOf(key, values);
    return value === undefined ? whole : encodeURIComponent(value);
  });
}

/** The address template of one replica, counted from 0. */
export function fillIndex(template: string, index: number): string {
  return template.replaceAll(/\{\{\s*index\s*\}\}/g, String(index));
}

function fillText(text: string, values: ScaleValues): unknown {
  const only = alone.exec(text)?.[1];
  const whole = only === undefined ? undefined : valueOf(only, values);
  if (whole !== undefined) return whole;
  return text.replaceAll(placeholder, (found, key: string) => String(valueOf(key, values) ?? found));
}

function valueOf(key: string, values: ScaleValues): string | number | undefined {
  return Object.hasOwn(values, key) ? values[key as keyof ScaleValues] : undefined;
}
