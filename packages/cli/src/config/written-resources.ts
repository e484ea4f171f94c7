import {
  type DormouseConfig,
  defaultNamespace,
  isConfigError,
  isRefPart,
  parsePolicy,
  pluginId,
  type Policy,
  resolveDefaults,
  type ResourceRef,
} from "@dormouse/core";

/** A resource that the configuration itself lists, under `options.resources` of its scaler. */
export interface WrittenResource {
  readonly ref: ResourceRef;
  /** Such as `scalers[0].options.resources[2]`. */
  readonly place: string;
  readonly policy: Policy;
}

/** Resources in the form that every scaler with a list of its own uses: a name, maybe a namespace, and a policy. */
export function writtenResources(config: DormouseConfig): WrittenResource[] {
  // What is written out is meant: it needs no opting in.
  const defaults = { ...resolveDefaults(config), enabled: true };
  return config.scalers.flatMap((plugin, index) => {
    const place = `scalers[${index}].options.resources`;
    return listedIn(plugin.options).flatMap((entry, at) => {
      const ref = refOf(entry, pluginId(plugin));
      const policy = policyOf(entry, defaults, `${place}[${at}].policy`);
      return ref === undefined || policy === undefined ? [] : [{ ref, place: `${place}[${at}]`, policy }];
    });
  });
}

/** Scalers whose resources are all known from the configuration. */
export function scalersThatList(config: DormouseConfig): ReadonlySet<string> {
  return new Set(config.scalers.filter(({ options }) => Array.isArray(resourcesOf(options))).map(pluginId));
}

function resourcesOf(options: unknown): unknown {
  return typeof options === "object" && options !== null ? Reflect.get(options, "resources") : undefined;
}

function listedIn(options: unknown): readonly unknown[] {
  const resources = resourcesOf(options);
  return Array.isArray(resources) ? resources : [];
}

function refOf(entry: unknown, scaler: string): ResourceRef | undefined {
  if (typeof entry !== "object" || entry === null) return undefined;
  const name: unknown = Reflect.get(entry, "name");
  const namespace: unknown = Reflect.get(entry, "namespace") ?? defaultNamespace;
  return isRefPart(name) && isRefPart(namespace) && isRefPart(scaler) ? { scaler, namespace, name } : undefined;
}

/** Undefined where it is wrong: its plugin says so, with all that is wrong. */
function policyOf(entry: unknown, defaults: Policy, place: string): Policy | undefined {
  const raw: unknown = typeof entry === "object" && entry !== null ? Reflect.get(entry, "policy") : undefined;
  try {
    return parsePolicy(raw, defaults, place);
  } catch (error) {
    if (isConfigError(error)) return undefined;
    throw error;
  }
}
