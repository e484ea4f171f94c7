import { type ConfigIssue, ConfigError } from "./config-error.ts";
import { configSchema, type DormouseConfig, type PluginConfig } from "./config-schema.ts";
import { nearestWord } from "./nearest-word.ts";
import { formatPlace } from "./format-place.ts";
import { mergePolicy, policyIssues } from "./parse-policy.ts";
import { pluginId } from "./plugin-id.ts";
import { defaultPolicy, type Policy } from "./policy.ts";
import { isRefPart } from "./resource-ref.ts";
import { toConfigIssues } from "./to-config-issues.ts";

/**
 * Reads the content of a configuration file that is parsed to plain values already, and fills in the defaults.
 *
 * @param file its name, for messages
 * @throws ConfigError that names every wrong key and value; places are such as `scalers[0].id`
 */
export function parseConfig(raw: unknown, file: string): DormouseConfig {
  if (raw === undefined || raw === null) {
    const mend = "write at least scalers: [ { use: process, options: { resources: [ … ] } } ]";
    throw new ConfigError([{ place: "", problem: "is empty", mend }], { file });
  }
  const parsed = configSchema.safeParse(raw);
  const issues = parsed.success
    ? checkMeaning(parsed.data)
    : toConfigIssues(parsed.error.issues, { schema: configSchema, written: raw, place: "" });
  if (issues.length > 0 || !parsed.success) throw new ConfigError(issues, { file });
  return parsed.data;
}

/** The policy of a resource that says nothing itself: the configuration's defaults over Dormouse's own. */
export function resolveDefaults(config: Pick<DormouseConfig, "defaults">): Policy {
  return mergePolicy(config.defaults, defaultPolicy);
}

function checkMeaning(config: DormouseConfig): ConfigIssue[] {
  return [
    ...checkIds(config.scalers, "scalers"),
    ...checkIds(config.autoscaler.metrics, "autoscaler.metrics"),
    ...checkIds(config.dlx.routes, "dlx.routes"),
    ...checkAdmin(config),
    ...checkListeners(config),
    ...checkSources(config),
    ...policyIssues(resolveDefaults(config), (path) => formatPlace("defaults", path)),
  ];
}

function checkIds(plugins: readonly PluginConfig[], place: string): ConfigIssue[] {
  const first = new Map<string, number>();
  return plugins.flatMap((plugin, index) => {
    const id = pluginId(plugin);
    const at = `${place}[${index}]`;
    if (!isId(id))
      return [
        {
          place: `${at}.use`,
          problem: `gives no usable id ("${id}")`,
          mend: "add an id of letters, digits and . _ : -",
        },
      ];
    const earlier = first.get(id);
    if (earlier === undefined) first.set(id, index);
    return earlier === undefined
      ? []
      : [
          {
            place: `${at}.id`,
            problem: `"${id}" is the id of ${place}[${earlier}] already`,
            mend: "give one of them another id",
          },
        ];
  });
}

/** The schema checks an id that is given; this is about one that comes from `use`. */
function isId(id: string): boolean {
  return isRefPart(id);
}

function checkAdmin({ admin }: DormouseConfig): ConfigIssue[] {
  if (admin.token !== undefined || admin.tls?.ca !== undefined || isLoopback(admin.listen)) return [];
  return [
    {
      place: "admin.token",
      problem: `is missing, and ${admin.listen} can be reached from other machines`,
      mend: "give { env: NAME } or { file: PATH }, or listen on 127.0.0.1, or ask callers for certificates by admin.tls.ca",
    },
  ];
}

function isLoopback(address: string): boolean {
  return /^(127(\.\d{1,3}){3}|localhost|\[(::1|0:0:0:0:0:0:0:1)\]):\d+$/i.test(address);
}

function checkListeners({ admin, dlx }: DormouseConfig): ConfigIssue[] {
  const all = [{ place: "admin.listen", address: admin.listen }];
  return dlxListeners(dlx.listen).flatMap(({ place, address }) => {
    const other = all.find((each) => each.address === address && !address.endsWith(":0"));
    all.push({ place, address });
    return other === undefined
      ? []
      : [{ place, problem: `${address} is the address of ${other.place} already`, mend: "choose another port" }];
  });
}

function dlxListeners(listen: string | readonly string[]): { place: string; address: string }[] {
  if (typeof listen === "string") return [{ place: "dlx.listen", address: listen }];
  return listen.map((address, index) => ({ place: `dlx.listen[${index}]`, address }));
}

function checkSources({ defaults, autoscaler }: DormouseConfig): ConfigIssue[] {
  const known = autoscaler.metrics.map(pluginId);
  const rules = (defaults.idleRules ?? []).map(({ source }, index) => ({ source, at: `idleRules[${index}]` }));
  const asked = defaults.target === undefined ? rules : [...rules, { source: defaults.target.source, at: "target" }];
  return asked.flatMap(({ source, at }) => {
    if (source === undefined || known.includes(source)) return [];
    const nearest = nearestWord(source, known);
    const mend =
      nearest === undefined
        ? `add it to autoscaler.metrics, which has ${known.join(", ") || "none"}`
        : `did you mean "${nearest}"?`;
    return [{ place: `defaults.${at}.source`, problem: `"${source}" is no metrics source`, mend }];
  });
}
