import type { ReachedTarget, Upstreams } from "../gate/passage.ts";
import type { ArrivingBody, Forwarder, Outgoing, Reply, Sending } from "./forwarder.ts";
import { UndiciConnections } from "./undici-connections.ts";
import { UndiciSending } from "./undici-sending.ts";
import { UploadAgent } from "./upload-agent.ts";
import { UploadSending } from "./upload-sending.ts";

/** Targets are retired as they go; should that be missed, those without a connection are forgotten beyond this number. */
const rememberedTargets = 1_000;

interface TargetState {
  readonly connections: UndiciConnections;
  uploads: UploadAgent | undefined;
}

/** Forwards over HTTP/1.1: by undici, and by `node:http` where the body is still arriving. */
export class Http1Forwarder implements Forwarder, Upstreams {
  readonly #targets = new Map<ReachedTarget, TargetState>();

  send(target: ReachedTarget, outgoing: Outgoing, reply: Reply, fresh: boolean): Sending {
    const state = this.#targets.get(target) ?? this.#remember(target);
    const { body } = outgoing;
    if (isArriving(body)) {
      state.uploads ??= new UploadAgent(target);
      const agent = fresh ? new UploadAgent(target) : state.uploads;
      if (fresh) agent.retire();
      return new UploadSending(agent, { ...outgoing, body }, reply);
    }
    const sending = new UndiciSending(state.connections, state.connections.take(fresh), reply);
    sending.dispatch(outgoing as Outgoing & { readonly body: Buffer | undefined });
    return sending;
  }

  retire(target: ReachedTarget): void {
    const state = this.#targets.get(target);
    this.#targets.delete(target);
    state?.connections.retire();
    state?.uploads?.retire();
  }

  close(): void {
    for (const { connections, uploads } of this.#targets.values()) {
      connections.close();
      uploads?.destroy();
    }
    this.#targets.clear();
  }

  #remember(target: ReachedTarget): TargetState {
    if (this.#targets.size >= rememberedTargets) {
      for (const [known, { connections }] of this.#targets) if (connections.size === 0) this.retire(known);
    }
    const state: TargetState = { connections: new UndiciConnections(target), uploads: undefined };
    this.#targets.set(target, state);
    return state;
  }
}

function isArriving(body: Outgoing["body"]): body is ArrivingBody {
  return body !== undefined && "flowInto" in body;
}
