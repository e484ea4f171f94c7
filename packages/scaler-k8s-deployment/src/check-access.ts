import { ScalerError } from "@dormouse/core";
import type { Cluster } from "@dormouse/kubernetes";
import PQueue from "p-queue";
import type { K8sDeploymentOptions } from "./k8s-deployment-options.ts";

/** A right that the scaler's calls need. */
export interface NeededRight {
  readonly group: string;
  readonly resource: string;
  readonly verbs: readonly string[];
  /** Left out: every managed namespace. */
  readonly namespace?: string;
  /** The one object it is needed for. */
  readonly name?: string;
}

/** Every right that a scaler with these options needs; the chart's roles grant just these. */
export function neededRights(
  cluster: Pick<Cluster, "namespace" | "serves">,
  options: K8sDeploymentOptions,
): readonly NeededRight[] {
  const { keep, events, state, dlx } = options;
  const stateNamespace = state.namespace ?? cluster.namespace;
  return [
    ...["deployments", "statefulsets"].map((resource) => ({
      group: "apps",
      resource,
      verbs: ["get", "list", "watch", "patch"],
    })),
    { group: "apps", resource: "replicasets", verbs: ["list"] },
    { group: "", resource: "pods", verbs: ["list", "watch"] },
    { group: "", resource: "services", verbs: ["get", "list", "watch", "patch"] },
    {
      group: "discovery.k8s.io",
      resource: "endpointslices",
      verbs: ["get", "list", "watch", "update", ...(keep ? ["create", "delete"] : [])],
    },
    { group: "", resource: "events", verbs: ["list", ...(events ? ["create"] : [])] },
    ...(cluster.serves("keda.sh/v1alpha1", "scaledobjects")
      ? [{ group: "keda.sh", resource: "scaledobjects", verbs: ["list", "watch"] }]
      : []),
    {
      group: "discovery.k8s.io",
      resource: "endpointslices",
      verbs: ["list", "watch"],
      namespace: dlx.namespace ?? cluster.namespace,
    },
    {
      group: "",
      resource: "configmaps",
      verbs: ["list", "watch", ...(keep ? ["get", "patch"] : [])],
      namespace: stateNamespace,
      name: state.configMap,
    },
  ];
}

/** Questions that are under way at once: two hundred namespaces make thousands. */
const mostAtOnce = 16;

interface Review {
  readonly status?: { readonly allowed?: boolean };
}

interface Question extends Omit<NeededRight, "verbs"> {
  readonly verb: string;
}

/**
 * Asks the API server for each right.
 * @throws ScalerError `SCALER_FORBIDDEN` that names every missing one, with the rules that would grant them
 */
export async function checkAccess(
  cluster: Cluster,
  options: K8sDeploymentOptions,
  signal?: AbortSignal,
): Promise<void> {
  const { namespaces = [] } = options;
  const general = neededRights(cluster, options).flatMap(({ verbs, ...right }) =>
    verbs.map((verb): Question => ({ ...right, verb })),
  );
  const [first] = namespaces;
  // Who has a right everywhere need not be asked about each of many namespaces; about one he is asked at once.
  const asked =
    namespaces.length === 1 && first !== undefined ? general.map((each) => ({ namespace: first, ...each })) : general;
  const refused = await missingOf(cluster, asked, signal);
  const missing =
    namespaces.length < 2
      ? refused
      : await missingOf(
          cluster,
          refused.flatMap((each) =>
            each.namespace === undefined ? namespaces.map((namespace) => ({ ...each, namespace })) : [each],
          ),
          signal,
        );
  if (missing.length > 0) throw forbidden(missing);
}

/** Those of the questions that the API server answers with no. */
async function missingOf(
  cluster: Cluster,
  questions: readonly Question[],
  signal: AbortSignal | undefined,
): Promise<readonly Question[]> {
  const queue = new PQueue({ concurrency: mostAtOnce });
  const answers = await queue.addAll(questions.map((question) => () => mayDo(cluster, question, signal)));
  return questions.filter((_, index) => answers[index] === false);
}

async function mayDo(
  cluster: Cluster,
  { group, resource, verb, namespace, name }: Question,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const resourceAttributes = {
    group,
    resource,
    verb,
    ...(namespace !== undefined && { namespace }),
    ...(name !== undefined && { name }),
  };
  const body = { apiVersion: "authorization.k8s.io/v1", kind: "SelfSubjectAccessReview", spec: { resourceAttributes } };
  const { status } = await cluster.request<Review>("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", {
    body,
    signal,
  });
  return status?.allowed === true;
}

function forbidden(missing: readonly Question[]): ScalerError {
  const byRight = Map.groupBy(missing, ({ group, resource, namespace, name }) =>
    JSON.stringify([group, resource, namespace, name]),
  );
  const rules = [...byRight.values()].map((questions) => {
    const [{ group, resource, namespace, name }] = questions as [Question, ...Question[]];
    const verbs = questions.map(({ verb }) => verb).join(", ");
    const named = name === undefined ? "" : `, resourceNames: [${JSON.stringify(name)}]`;
    const where = namespace === undefined ? "in all namespaces" : `in namespace ${namespace}`;
    return `{ apiGroups: [${JSON.stringify(group)}], resources: [${resource}], verbs: [${verbs}]${named} } ${where}`;
  });
  const shown = rules.slice(0, 20).join("; ");
  const more = rules.length > 20 ? `; and ${String(rules.length - 20)} more` : "";
  return new ScalerError(
    "SCALER_FORBIDDEN",
    `rights are missing; add these rules to the host's Role or ClusterRole: ${shown}${more}`,
  );
}
