import { ScalerError } from "./scaler-error.ts";

/** A resource within one scaler. Both parts match `[A-Za-z0-9._:-]+`, for example `statefulset:db`. */
export interface LocalRef {
  readonly namespace: string;
  readonly name: string;
}

/** A resource within one host, printed `scaler/namespace/name`. */
export interface ResourceRef extends LocalRef {
  /** Id of the loaded scaler, unique in one host. */
  readonly scaler: string;
}

/** Namespace of a resource whose platform or configuration names none. */
export const defaultNamespace = "default";

/** Not `.` or `..`: a ref is part of URLs, where these mean something else. */
const part = /^(?!\.{1,2}$)[A-Za-z0-9._:-]{1,253}$/;

/** Whether the text can be a scaler id, a namespace or a name: 1 to 253 of `[A-Za-z0-9._:-]`, and neither `.` nor `..`. */
export function isRefPart(text: unknown): text is string {
  return typeof text === "string" && part.test(text);
}

/** The printed form, `scaler/namespace/name`; also the key under which hosts keep a resource. */
export function formatRef(ref: ResourceRef): string {
  return `${ref.scaler}/${ref.namespace}/${ref.name}`;
}

/**
 * Reads `scaler/namespace/name`, or `scaler/name` in the namespace `default`.
 * @throws ScalerError `SCALER_BAD_ARGUMENT` for anything else.
 */
export function parseRef(text: string): ResourceRef {
  const parts = text.split("/");
  const [scaler, namespace, name] = parts.length === 2 ? [parts[0], defaultNamespace, parts[1]] : parts;
  if (parts.length < 2 || parts.length > 3 || !isRefPart(scaler) || !isRefPart(namespace) || !isRefPart(name)) {
    throw new ScalerError(
      "SCALER_BAD_ARGUMENT",
      `"${text}" is no resource: write scaler/namespace/name, for example local/default/hello`,
    );
  }
  return { scaler, namespace, name };
}
