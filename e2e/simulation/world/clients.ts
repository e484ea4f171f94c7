import type { DlxProcess } from "../parts/dlx-process.ts";
import type { Received } from "../parts/client-connection.ts";
import type { Instance } from "../platform/instance.ts";
import type { SimulatedResource } from "../platform/simulated-resource.ts";
import { isOurs } from "../platform/is-ours.ts";
import { checkDark } from "./checks.ts";
import type { ClientRequest, Ending, RequestPlan } from "./request-ledger.ts";
import type { World } from "./world.ts";

/** Bytes of a client on the platform's own network. */
const transitMs = 1;

export interface SendOptions {
  /** Which DLX of those that are open. */
  readonly which: number;
  readonly isProbe?: boolean;
}

/** Clients: they go where the platform's traffic goes, and keep book of what they get. */
export class Clients {
  readonly #world: World;

  constructor(world: World) {
    this.#world = world;
  }

  send(plan: RequestPlan, { which, isProbe = false }: SendOptions): ClientRequest {
    const { ledger, platform, random } = this.#world;
    const request = ledger.open(plan, isProbe);
    const resource = platform.resource({ name: plan.resource });
    if (resource.service !== undefined) return this.#sendByNode(request, resource, which);
    const ways = platform.capabilities.routing ? resource.ways : (["dlx"] as const);
    const way = random(`${request.id} way`).pick<"dlx" | "resource">(ways);
    if (way === "dlx") this.#sendThrough(request, which);
    else this.#sendToResource(request, resource);
    return request;
  }

  /** Through a Service: to any of the endpoints that the client's node has heard of. */
  #sendByNode(request: ClientRequest, resource: SimulatedResource, which: number): ClientRequest {
    const { random, openDlxs } = this.#world;
    const { hasDlxs, instances } = random(`${request.id} node`).pick(resource.service?.views ?? []);
    const dlxs = hasDlxs ? Math.max(1, openDlxs.length) : 0;
    const taken = random(`${request.id} endpoint`).integer(0, Math.max(0, instances.length + dlxs - 1));
    const instance = instances[taken];
    if (instance !== undefined) this.#sendTo(request, instance);
    else if (hasDlxs) this.#sendThrough(request, which);
    else this.#endDark(request, resource);
    return request;
  }

  #sendThrough(request: ClientRequest, which: number): void {
    const { clock } = this.#world;
    const { leavesAfterMs } = request.plan;
    this.#sendToDlx(request, which);
    if (leavesAfterMs !== undefined && !request.isProbe) clock.setTimer(leavesAfterMs, () => this.#leave(request));
  }

  #sendToDlx(request: ClientRequest, which: number): void {
    const { openDlxs, clock } = this.#world;
    const dlx = openDlxs[which % Math.max(1, openDlxs.length)];
    if (dlx === undefined) return this.#end(request, { kind: "dark", cause: "there is no DLX" });
    request.through = dlx.process;
    request.restedBeforeMs = dlx.process.restedMs;
    this.#world.note(request.id, `${request.plan.method} ${request.plan.resource} through ${dlx.process.name}`);
    clock.setTimer(transitMs, () => this.#arrive(request, dlx));
  }

  #arrive(request: ClientRequest, dlx: DlxProcess): void {
    if (request.ended) return;
    if (dlx.process.isDead) return this.#end(request, { kind: "cut", cause: `${dlx.process.name} is dead` });
    const { process } = dlx;
    // One that dies while it rests loses what it has not taken yet.
    this.#untaken(request, process);
    process.run(() => dlx.take(request, (received) => this.#received(request, received)));
  }

  #untaken(request: ClientRequest, process: DlxProcess["process"]): void {
    if (!process.isResting) return;
    const { clock } = this.#world;
    const look = (): void => {
      if (request.ended) return;
      if (process.isDead) this.#end(request, { kind: "cut", cause: `${process.name} died` });
      else if (process.isResting) clock.setTimer(100, look);
    };
    clock.setTimer(100, look);
  }

  #received(request: ClientRequest, received: Received | undefined): void {
    this.#end(
      request,
      received === undefined ? { kind: "cut", cause: "its connection broke" } : judge(request, received),
    );
  }

  #leave(request: ClientRequest): void {
    const { dlxs } = this.#world;
    if (request.ended) return;
    this.#end(request, { kind: "left" });
    dlxs.find(({ process }) => process === request.through)?.leave(request);
  }

  #sendToResource(request: ClientRequest, resource: SimulatedResource): void {
    const { random } = this.#world;
    const endpoints = [...resource.instances].filter((instance) => instance.isInTraffic);
    if (endpoints.length === 0) return this.#endDark(request, resource);
    this.#sendTo(request, random(`${request.id} endpoint`).pick(endpoints));
  }

  #endDark(request: ClientRequest, resource: SimulatedResource): void {
    const { violate, clock } = this.#world;
    checkDark(resource, clock.monotonic(), violate);
    this.#end(request, { kind: "dark", cause: "nobody is in the platform's traffic" });
  }

  #sendTo(request: ClientRequest, instance: Instance): void {
    const { executions } = this.#world;
    this.#world.note(request.id, `${request.plan.method} ${request.plan.resource} straight to ${instance.id}`);
    executions.carry(transitMs, () => this.#meet(request, instance));
  }

  #meet(request: ClientRequest, instance: Instance): void {
    const { executions, violate } = this.#world;
    if (!instance.takesConnections) {
      const cause = instance.endedBy ?? "nobody";
      if (isOurs(cause)) violate("P2", `${request.id} met ${instance.id}, which ${cause} had stopped`);
      return this.#end(request, { kind: "dark", cause: `${instance.id} is gone: ${cause}` });
    }
    executions.execute(request.id, instance, (failure) => {
      if (failure !== undefined) executions.failed(request.id, failure);
      this.#end(request, failure === undefined ? { kind: "answered" } : { kind: "cut", cause: failure });
    });
  }

  #end(request: ClientRequest, ending: Ending): void {
    // Whoever has left does not look at what comes.
    if (request.endings[0]?.kind === "left") return;
    this.#world.note(request.id, `ended: ${JSON.stringify(ending)}`);
    this.#world.ledger.end(request, ending);
  }
}

function judge({ id }: ClientRequest, { status, contentType, body }: Received): Ending {
  if (status === 200 && body === id) return { kind: "answered" };
  if (contentType?.startsWith("application/problem+json") === true) {
    const { code } = JSON.parse(body) as { readonly code: string };
    return { kind: "refused", status, code };
  }
  return { kind: "refused", status, code: `no problem report: ${body.slice(0, 80)}` };
}
