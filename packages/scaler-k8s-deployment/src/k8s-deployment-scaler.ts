import {
  type CallOptions,
  type Capabilities,
  type Clock,
  type LocalRef,
  type Milliseconds,
  type Policy,
  type Resource,
  type ResourceChange,
  type ResourceScaler,
  type RouteDirection,
  type RouteTrafficOptions,
  type ScalerContext,
  ScalerError,
  type SetScaleOptions,
  type Target,
} from "@dormouse/core";
import { type Cluster, openCluster } from "@dormouse/kubernetes";
import { checkAccess } from "./check-access.ts";
import { toCreationFailure } from "./k8s-deployment-error.ts";
import type { K8sDeploymentOptions } from "./k8s-deployment-options.ts";
import { Keeper } from "./keeper.ts";
import { isReady } from "./pod.ts";
import { PortBook } from "./port-book.ts";
import { probeOf } from "./ports-of.ts";
import { releaseAll, type ReleaseParts } from "./release.ts";
import { restoreTraffic } from "./restore-traffic.ts";
import { RouteApi } from "./route-api.ts";
import { ScaleEvents } from "./scale-events.ts";
import { SettledPods } from "./settled-pods.ts";
import { ServiceApi } from "./service-api.ts";
import { SliceApi } from "./slice-api.ts";
import { SlicePorts } from "./slice-ports.ts";
import { formatVersion, parseVersion, versionOf } from "./version.ts";
import { watchFacts } from "./watch-facts.ts";
import { WatchedCluster } from "./watched-cluster.ts";
import { notFound, WorkloadApi } from "./workload-api.ts";
import { factsOf, toResource, type WorkloadFacts } from "./workload-facts.ts";
import { asksToBeManaged, refOf, type Workload } from "./workload.ts";

/** The watch may be behind for so long before its word counts no more. */
const staleAfterMs: Milliseconds = 30_000;

/** Deployments and StatefulSets of one cluster. What is followed by watch serves lists and routes; versions and counts are read from the API server itself. */
export class K8sDeploymentScaler implements ResourceScaler {
  readonly capabilities: Capabilities = {
    replicas: "many",
    watch: true,
    routing: true,
    compareAndSet: true,
    settleWithinMs: 2_000,
  };
  readonly #options: K8sDeploymentOptions;
  readonly #clock: Clock;
  readonly #defaults: Policy;
  readonly #cluster: Cluster;
  readonly #watched: WatchedCluster;
  readonly #api: WorkloadApi;
  readonly #settled: SettledPods;
  readonly #routes: RouteApi;
  readonly #events: ScaleEvents;
  readonly #keeper: Keeper | undefined;
  readonly #releaseParts: ReleaseParts;
  readonly #life = new AbortController();

  private constructor(options: K8sDeploymentOptions, { clock, logger, defaults, id }: ScalerContext, cluster: Cluster) {
    this.#options = options;
    this.#clock = clock;
    this.#defaults = defaults;
    this.#cluster = cluster;
    this.#watched = new WatchedCluster({ cluster, options, clock, logger });
    this.#api = new WorkloadApi(cluster, clock);
    this.#settled = new SettledPods(this.#watched, this.#api, clock);
    const slices = new SliceApi(cluster);
    const services = new ServiceApi(cluster, clock);
    const book = new PortBook(cluster, options, clock);
    const ports = new SlicePorts(this.#watched, book);
    this.#routes = new RouteApi({ clock, watched: this.#watched, slices, services, ports });
    this.#events = new ScaleEvents(cluster, { clock, logger, host: id, isOn: options.events });
    const parts = {
      watched: this.#watched,
      routes: this.#routes,
      api: this.#api,
      events: this.#events,
      clock,
      logger,
      defaults,
    };
    this.#releaseParts = { ...parts, book };
    this.#keeper = options.keep ? new Keeper(parts) : undefined;
  }

  /** @throws ScalerError where the cluster cannot be reached, is too old, or does not grant the rights that are needed */
  static async open(options: K8sDeploymentOptions, context: ScalerContext): Promise<K8sDeploymentScaler> {
    const { clock, logger } = context;
    const { kubeconfig, context: name } = options;
    const where = { ...(kubeconfig !== undefined && { kubeconfig }), ...(name !== undefined && { context: name }) };
    const cluster = await openCluster({ ...where, clock, logger });
    try {
      await checkAccess(cluster, options);
      return new K8sDeploymentScaler(options, context, cluster);
    } catch (error) {
      await cluster[Symbol.asyncDispose]();
      throw error;
    }
  }

  async listResources({ signal }: CallOptions = {}): Promise<readonly Resource[]> {
    signal?.throwIfAborted();
    await this.#watched.whenSynced(signal);
    await this.#api.confirm(this.#options.namespaces?.[0], signal);
    this.#refuseIfStale();
    return this.#watched
      .workloads()
      .flatMap((workload) => this.#toResource(factsOf(workload, this.#watched, this.#defaults)) ?? []);
  }

  async getResource(ref: LocalRef, { signal }: CallOptions = {}): Promise<Resource | undefined> {
    const facts = await this.#readFacts(ref, signal);
    if (facts === undefined) return undefined;
    const resource = this.#toResource(facts);
    return resource === undefined ? undefined : this.#withCreationFailure(resource, facts.workload, signal);
  }

  watchResources({ signal }: CallOptions = {}): AsyncIterable<ResourceChange> {
    return watchFacts({
      watched: this.#watched,
      clock: this.#clock,
      signal: signal === undefined ? this.#life.signal : AbortSignal.any([signal, this.#life.signal]),
      check: () => this.#refuseIfStale(),
      read: (workload) => this.#toResource(factsOf(workload, this.#watched, this.#defaults)),
    });
  }

  async setScale(
    ref: LocalRef,
    replicas: number,
    { signal, ifVersion }: SetScaleOptions = {},
  ): Promise<{ readonly version: string }> {
    signal?.throwIfAborted();
    await this.#watched.whenSynced(signal);
    const known = this.#watched.workload(ref) ?? (await this.#api.read(ref, signal));
    if (known === undefined || !factsOf(known, this.#watched, this.#defaults).isListed) throw notFound(ref);
    const check = replicas === 0 ? refuseToStop : undefined;
    const { before, after } = await this.#api.scale(ref, replicas, { ifVersion, signal, ...(check && { check }) });
    this.#events.scaled(after, before.spec.replicas ?? 1, replicas);
    return { version: formatVersion(versionOf(after.metadata)) };
  }

  async resolveTargets(
    ref: LocalRef,
    port: string | undefined,
    { signal }: CallOptions = {},
  ): Promise<readonly Target[]> {
    const facts = await this.#readFacts(ref, signal);
    if (facts === undefined || !facts.isListed) throw notFound(ref);
    const found = port === undefined ? facts.plan.ports[0] : facts.plan.ports.find((each) => each.port.name === port);
    if (found === undefined) throw unknownPort(ref, port, facts);
    const { number } = found.port;
    const probe = probeOf(facts.workload, number);
    const pods = await this.#settled.of(ref, facts.workload, signal);
    return pods.map((pod) => ({
      id: pod.metadata.uid,
      host: pod.status?.podIP ?? "",
      port: number,
      ready: isReady(pod),
      ...(probe !== undefined && { probe }),
    }));
  }

  async routeTraffic(ref: LocalRef, to: RouteDirection, { signal, version }: RouteTrafficOptions): Promise<void> {
    await this.#watched.whenSynced(signal);
    const asked = parseVersion(version);
    if (asked === undefined)
      throw new ScalerError("SCALER_BAD_ARGUMENT", `${JSON.stringify(version)} is no version of this scaler`);
    const facts = await this.#readFacts(ref, signal);
    if (facts === undefined || !facts.isListed) throw notFound(ref);
    const { plan, workload, wakeReplicas } = facts;
    const { uid, epoch } = asked;
    if (uid !== workload.metadata.uid)
      throw new ScalerError(
        "SCALER_CONFLICT",
        `${ref.namespace}/${ref.name} has been made anew since version ${version}`,
      );
    if (plan.service === undefined) return;
    const order = {
      service: plan.service,
      ports: plan.ports,
      drains: plan.drains,
      wakeReplicas,
      record: { to, uid, epoch },
    };
    await this.#routes.refuseOlder(order, signal);
    if (to === "dlx") await this.#routes.divert(order, signal);
    else
      await restoreTraffic(
        order,
        { ref, workload, routes: this.#routes, settled: this.#settled, clock: this.#clock },
        signal,
      );
  }

  async release({ signal }: CallOptions = {}): Promise<void> {
    await this.#watched.whenSynced(signal);
    await releaseAll(
      this.#releaseParts,
      signal === undefined ? this.#life.signal : AbortSignal.any([signal, this.#life.signal]),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#life.abort(new ScalerError("SCALER_DISPOSED", "the scaler has been closed"));
    await this.#keeper?.[Symbol.asyncDispose]();
    await this.#events[Symbol.asyncDispose]();
    await this.#watched[Symbol.asyncDispose]();
    await this.#cluster[Symbol.asyncDispose]();
  }

  /** From the API server itself, with what the watch knows of its surroundings. */
  async #readFacts(ref: LocalRef, signal: AbortSignal | undefined): Promise<WorkloadFacts | undefined> {
    signal?.throwIfAborted();
    await this.#watched.whenSynced(signal);
    const workload = await this.#api.read(ref, signal);
    return workload === undefined ? undefined : factsOf(workload, this.#watched, this.#defaults);
  }

  #toResource(facts: WorkloadFacts): Resource | undefined {
    if (!facts.isListed) return undefined;
    const { dlx, unschedulableAfter } = this.#options;
    const view = { listenOn: dlx.address, now: this.#clock.now(), unschedulableAfterMs: unschedulableAfter };
    return toResource(facts, this.#watched, view);
  }

  /** A StatefulSet that may not make its pods says so in Events only. */
  async #withCreationFailure(
    resource: Resource,
    workload: Workload,
    signal: AbortSignal | undefined,
  ): Promise<Resource> {
    const mayFail =
      workload.kind === "StatefulSet" && resource.desired > 0 && resource.ready === 0 && resource.failure === undefined;
    if (!mayFail || this.#watched.podsOf(workload).length > 0) return resource;
    const problem = await this.#api.lastCreationProblem(workload, signal);
    return problem === undefined ? resource : { ...resource, failure: toCreationFailure(problem) };
  }

  #refuseIfStale(): void {
    const { problem, freshForMs } = this.#watched;
    if (problem !== undefined && freshForMs > staleAfterMs) throw problem;
  }
}

/** The watch may not know yet that the owner has just taken it back. */
function refuseToStop(workload: Workload): void {
  if (asksToBeManaged(workload)) return;
  const { namespace, name } = refOf(workload);
  throw new ScalerError("SCALER_CONFLICT", `${namespace}/${name} is managed no more, and is not stopped`);
}

function unknownPort({ namespace, name }: LocalRef, port: string | undefined, { plan }: WorkloadFacts): ScalerError {
  const names = plan.ports
    .map((each) => each.port.name)
    .slice(0, 10)
    .join(", ");
  return new ScalerError(
    "SCALER_BAD_ARGUMENT",
    port === undefined
      ? `${namespace}/${name} has no port`
      : `${namespace}/${name} has no port ${JSON.stringify(port)}; it has ${names}`,
  );
}
