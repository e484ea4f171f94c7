import { callWithDeadline, type Clock, type Milliseconds } from "@dormouse/core";
import type Dockerode from "dockerode";
import {
  type EngineEvent,
  type InspectedContainer,
  type ListedContainer,
  readEvent,
  readInspected,
  readList,
} from "./docker-answers.ts";
import { type EngineSide, isAlready, isMissing, isNoImage, toAnswerError, toDockerError } from "./docker-error.ts";
import type { DockerOptions } from "./docker-options.ts";
import type { ContainerSpec } from "./container-spec.ts";
import { linesOf } from "./event-lines.ts";
import { openDocker, type OpenedDocker } from "./open-docker.ts";

/** Reads are answered from memory; one that takes longer will not be. */
const readWithinMs: Milliseconds = 9_000;

/** Writes wait for disks, networks and the container runtime. */
const writeWithinMs: Milliseconds = 60_000;

/** What a stop may take beyond the time that the container has. */
const stopMarginMs: Milliseconds = 15_000;

type Signal = AbortSignal | undefined;

/** The few calls of the Docker Engine that this scaler makes. Each has a deadline and rejects with a ScalerError. */
export class DockerApi implements Disposable {
  readonly #opened: OpenedDocker;
  readonly #endpoint: string;
  readonly #clock: Clock;

  private constructor(opened: OpenedDocker, endpoint: string, clock: Clock) {
    this.#opened = opened;
    this.#endpoint = endpoint;
    this.#clock = clock;
  }

  /** Opens a client; nothing is sent yet. Rejects with `SCALER_BAD_OPTIONS` where a file of the options cannot be read. */
  static async open(options: DockerOptions, clock: Clock): Promise<DockerApi> {
    return new DockerApi(await openDocker(options), options.endpoint, clock);
  }

  /** Every container, whether or not it runs, and how many entries of the answer were unreadable. */
  async list(signal: Signal): Promise<{ readonly listed: readonly ListedContainer[]; readonly unreadable: number }> {
    const answer = await this.#read("listing containers", signal, (abortSignal) =>
      this.#docker.listContainers({ all: true, abortSignal }),
    );
    return readList(answer);
  }

  /** One container; undefined where it is gone. Rejects with `SCALER_INTERNAL` where the answer cannot be used. */
  async inspect(
    { id, name }: Pick<ListedContainer, "id" | "name">,
    signal: Signal,
    afterMs = readWithinMs,
  ): Promise<InspectedContainer | undefined> {
    const inspect = (abortSignal: AbortSignal): Promise<unknown> =>
      this.#docker.getContainer(id).inspect({ abortSignal });
    try {
      const answer = await this.#read(`reading container ${name}`, signal, inspect, afterMs);
      return readInspected(answer, name);
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  }

  /** Id of the image that a name means now; undefined where there is none of that name. */
  async imageId(name: string, signal: Signal): Promise<string | undefined> {
    try {
      const image = await this.#read(`reading image ${name}`, signal, () => this.#docker.getImage(name).inspect());
      return image.Id;
    } catch (error) {
      if (isMissing(error) || isNoImage(error)) return undefined;
      throw error;
    }
  }

  /** Starts a container; one that runs already is fine. Resolves once its program runs. */
  async start(id: string, signal: Signal): Promise<void> {
    await this.#write(`starting container ${short(id)}`, signal, (abortSignal) =>
      this.#docker.getContainer(id).start({ abortSignal }),
    );
  }

  /** Resolves once the container has ended; Docker kills it after `timeoutMs`. One that has ended already is fine. */
  async stop(id: string, timeoutMs: Milliseconds, signal: Signal): Promise<void> {
    const stop = (abortSignal: AbortSignal): Promise<unknown> =>
      this.#docker.getContainer(id).stop({ t: Math.ceil(timeoutMs / 1_000), abortSignal });
    await this.#write(`stopping container ${short(id)}`, signal, stop, timeoutMs + stopMarginMs);
  }

  async pause(id: string, signal: Signal): Promise<void> {
    await this.#write(`pausing container ${short(id)}`, signal, (abortSignal) =>
      this.#docker.getContainer(id).pause({ abortSignal }),
    );
  }

  async unpause(id: string, signal: Signal): Promise<void> {
    await this.#write(`unpausing container ${short(id)}`, signal, (abortSignal) =>
      this.#docker.getContainer(id).unpause({ abortSignal }),
    );
  }

  /** Removes a container that does not run, with its anonymous volumes. One that is gone already is fine. */
  async remove(id: string, signal: Signal): Promise<void> {
    try {
      await this.#write(`removing container ${short(id)}`, signal, (abortSignal) =>
        this.#docker.getContainer(id).remove({ v: true, abortSignal }),
      );
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
  }

  async rename(id: string, name: string, signal: Signal): Promise<void> {
    await this.#write(`renaming container ${short(id)}`, signal, (abortSignal) =>
      this.#docker.getContainer(id).rename({ name, abortSignal }),
    );
  }

  /** Makes a container on all of its networks, and starts nothing. What was made in part is removed. @returns its id */
  async create({ name, body, networks }: ContainerSpec, signal: Signal): Promise<string> {
    const request = (abortSignal: AbortSignal): object => ({ _query: { name }, _body: body, abortSignal });
    const made = await this.#write(`making container ${name}`, signal, (abortSignal) =>
      this.#docker.createContainer(request(abortSignal) as Dockerode.ContainerCreateOptions),
    );
    if (typeof made?.id !== "string") throw toAnswerError(`the making of container ${name}`, "it has no Id");
    try {
      for (const [network, EndpointConfig] of networks) await this.#connect(network, made.id, EndpointConfig, signal);
    } catch (error) {
      await this.remove(made.id, undefined);
      throw error;
    }
    return made.id;
  }

  /** What happens on the engine from now on; resolves once the engine listens. Ends when the engine does. */
  async events(signal: AbortSignal): Promise<AsyncIterable<EngineEvent>> {
    const filters = { type: ["container", "network"] };
    // Not the call's own signal: the stream outlives it.
    const request = { filters, abortSignal: signal } as Dockerode.GetEventsOptions;
    const stream = await this.#read("listening to events", signal, () => this.#docker.getEvents(request));
    return this.#parse(stream);
  }

  [Symbol.dispose](): void {
    this.#opened[Symbol.dispose]();
  }

  async *#parse(stream: AsyncIterable<unknown>): AsyncGenerator<EngineEvent> {
    try {
      for await (const line of linesOf(stream)) {
        const event = readEvent(line);
        if (event !== undefined) yield event;
      }
    } catch (error) {
      throw toDockerError(error, "listening to events", this.#side());
    }
  }

  async #connect(network: string, Container: string, EndpointConfig: object, signal: Signal): Promise<void> {
    await this.#write(`connecting to network ${network}`, signal, async (abortSignal): Promise<unknown> =>
      this.#docker
        .getNetwork(network)
        .connect({ Container, EndpointConfig, abortSignal } as Dockerode.NetworkConnectOptions),
    );
  }

  #side(): EngineSide {
    const { certificateEndsAt = Number.POSITIVE_INFINITY } = this.#opened;
    return { endpoint: this.#endpoint, isCertificateOver: certificateEndsAt < this.#clock.now() };
  }

  get #docker(): Dockerode {
    return this.#opened.docker;
  }

  async #read<Answer>(
    what: string,
    signal: Signal,
    call: (signal: AbortSignal) => Promise<Answer>,
    afterMs = readWithinMs,
  ): Promise<Answer> {
    return callWithDeadline({ clock: this.#clock, afterMs, signal, what }, async (abortSignal) => {
      try {
        return await call(abortSignal);
      } catch (error) {
        throw toDockerError(error, what, this.#side());
      }
    });
  }

  /** A call that found everything as it wants it resolves too, with nothing. */
  async #write<Answer>(
    what: string,
    signal: Signal,
    call: (signal: AbortSignal) => Promise<Answer>,
    afterMs = writeWithinMs,
  ): Promise<Answer | undefined> {
    return this.#read(what, signal, async (abortSignal) => call(abortSignal).catch(orAlready), afterMs);
  }
}

/** Takes "not modified" for success. */
function orAlready(error: unknown): undefined {
  if (!isAlready(error)) throw error;
}

/** As Docker's own command line shows an id. */
function short(id: string): string {
  return id.slice(0, 12);
}
