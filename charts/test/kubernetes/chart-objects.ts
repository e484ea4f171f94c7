import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { ClientTools } from "@dormouse/test-kubernetes";
import { parseAllDocuments } from "yaml";

/** Labels, or what selects by them. */
export type Labels = Readonly<Record<string, string>>;

/** A port by number or name. */
type PortName = string | number;

interface Probe {
  readonly httpGet: { readonly path: string; readonly port: PortName; readonly scheme?: string };
}

/** A container, as far as tests look at it. */
export interface Container {
  readonly name: string;
  readonly image: string;
  readonly args?: readonly string[];
  readonly ports?: readonly { readonly name: string; readonly containerPort: number }[];
  readonly env?: readonly { readonly name: string; readonly value?: string }[];
  readonly volumeMounts?: readonly { readonly name: string; readonly mountPath: string }[];
  readonly securityContext?: object;
  readonly resources?: { readonly requests?: object; readonly limits?: object };
  readonly startupProbe?: Probe;
  readonly readinessProbe?: Probe;
  readonly livenessProbe?: Probe;
}

interface Volume {
  readonly name: string;
  readonly configMap?: { readonly name: string };
  readonly secret?: { readonly secretName: string };
}

/** What a pod is, as far as tests look at it. */
interface PodSpec {
  readonly serviceAccountName?: string;
  readonly automountServiceAccountToken?: boolean;
  readonly terminationGracePeriodSeconds?: number;
  readonly securityContext?: object;
  readonly containers: readonly Container[];
  readonly initContainers?: readonly Container[];
  readonly volumes?: readonly Volume[];
  readonly topologySpreadConstraints?: readonly { readonly labelSelector: { readonly matchLabels: Labels } }[];
}

/** An object that the chart makes, as far as tests look at it. */
export interface ChartObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels: Labels;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly data?: Readonly<Record<string, string>>;
  readonly spec?: Readonly<Record<string, unknown>>;
  readonly rules?: readonly Readonly<Record<string, readonly string[]>>[];
  readonly roleRef?: { readonly kind: string; readonly name: string };
  readonly subjects?: readonly { readonly name: string; readonly namespace: string }[];
}

/** One pod that the chart makes, by itself or by a Deployment or Job. */
export interface ChartPod {
  /** Kind and name of what makes it. */
  readonly owner: string;
  readonly labels: Labels;
  readonly spec: PodSpec;
}

/** The chart's folder. */
export const chartFolder = fileURLToPath(new URL("../../dormouse/", import.meta.url));

/** Each values file of `ci/`, by its name. */
export const valuesFiles: readonly (readonly [name: string, path: string])[] = readdirSync(`${chartFolder}ci`).map(
  (name) => [name, `${chartFolder}ci/${name}`],
);

/** What `helm template` makes of the chart as release `one` in the namespace `default`. */
export async function renderChart(tools: ClientTools, parameters: readonly string[] = []): Promise<ChartObject[]> {
  return parseObjects(await tools.helm(["template", "one", chartFolder, "--namespace", "default", ...parameters]));
}

/** The objects of a stream of YAML documents. */
function parseObjects(text: string): ChartObject[] {
  const documents = parseAllDocuments(text);
  return [...documents].map((document) => {
    if (document.errors[0] !== undefined) throw document.errors[0];
    return document.toJS() as ChartObject;
  });
}

/** Every pod that these objects lead to. */
export function podsOf(objects: readonly ChartObject[]): ChartPod[] {
  return objects.flatMap(({ kind, metadata, spec = {} }) => {
    const owner = `${kind}/${metadata.name}`;
    if (kind === "Pod") return [{ owner, labels: metadata.labels, spec: spec as unknown as PodSpec }];
    const template = spec["template"] as { metadata: { labels: Labels }; spec: PodSpec } | undefined;
    return template === undefined ? [] : [{ owner, labels: template.metadata.labels, spec: template.spec }];
  });
}

/** All containers of a pod, those that run first included. */
export function containersOf({ spec }: ChartPod): readonly Container[] {
  return [...(spec.initContainers ?? []), ...spec.containers];
}

/** The one object of a kind and name. @throws Error where there is none */
export function objectOf(objects: readonly ChartObject[], kind: string, name: string): ChartObject {
  const found = objects.find((each) => each.kind === kind && each.metadata.name === name);
  if (found === undefined) throw new Error(`the chart makes no ${kind} ${name}`);
  return found;
}

/** Owners of the pods that have all these labels. */
export function selected(pods: readonly ChartPod[], selector: Labels): string[] {
  const wanted = Object.entries(selector);
  return pods.filter(({ labels }) => wanted.every(([key, value]) => labels[key] === value)).map(({ owner }) => owner);
}
