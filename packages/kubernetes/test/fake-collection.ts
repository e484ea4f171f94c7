import type { ServerResponse } from "node:http";
import type { FakeApiServer, FakeHandler } from "./fake-api-server.ts";

/** An object as a test writes it. */
export interface FakeObject {
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly resourceVersion: string;
    readonly managedFields?: unknown;
  };
  readonly value?: unknown;
}

/** A collection of a fake server: lists in pages and watches, each of which a test can let go wrong. */
export class FakeCollection {
  readonly path: string;
  readonly #objects = new Map<string, FakeObject>();
  readonly #watches = new Set<ServerResponse>();
  readonly #server: FakeApiServer;
  #version = 100;
  /** What happens to the next lists and watches instead of the usual, each once. */
  readonly nextLists: FakeHandler[] = [];
  readonly nextWatches: FakeHandler[] = [];

  constructor(server: FakeApiServer, path = "/api/v1/namespaces/shop/pods") {
    this.#server = server;
    this.path = path;
    server.on(path, (request, response) => {
      const isWatch = request.query.get("watch") === "true";
      const handler = (isWatch ? this.nextWatches : this.nextLists).shift();
      if (handler !== undefined) handler(request, response);
      else if (isWatch) this.#watch(response);
      else this.#list(request.query, response);
    });
  }

  get lists(): number {
    return this.#server.requestsTo(this.path).length;
  }

  get watches(): readonly { readonly query: URLSearchParams }[] {
    return this.#server.requestsTo(this.path, { watch: true });
  }

  /** Watches that are open now. */
  get open(): number {
    return this.#watches.size;
  }

  /** Changes an object; `quietly`: without an event, as while a watch is broken. */
  set(name: string, value?: unknown, { quietly = false, namespace = "shop" } = {}): void {
    this.#version += 1;
    const object = { metadata: { name, namespace, resourceVersion: String(this.#version), managedFields: [1] }, value };
    const type = this.#objects.has(name) ? "MODIFIED" : "ADDED";
    this.#objects.set(name, object);
    if (!quietly) this.send({ type, object });
  }

  delete(name: string, { quietly = false } = {}): void {
    this.#version += 1;
    const object = this.#objects.get(name);
    this.#objects.delete(name);
    if (!quietly && object !== undefined) this.send({ type: "DELETED", object });
  }

  bookmark(version: string): void {
    this.send({ type: "BOOKMARK", object: { kind: "Pod", metadata: { resourceVersion: version } } });
  }

  send(event: unknown): void {
    this.write(`${JSON.stringify(event)}\n`);
  }

  write(text: string): void {
    for (const watch of this.#watches) watch.write(text);
  }

  /** Ends the open watches as the server does once their time is over. */
  end(): void {
    for (const watch of this.#watches) watch.end();
  }

  /** Breaks the open watches' connections. */
  cut(): void {
    for (const watch of this.#watches) watch.destroy();
  }

  #list(query: URLSearchParams, response: ServerResponse): void {
    const start = Number(query.get("continue") ?? 0);
    const limit = Number(query.get("limit") ?? 500);
    const all = [...this.#objects.values()];
    const next = start + limit < all.length ? { continue: String(start + limit) } : {};
    const metadata = { resourceVersion: String(this.#version), ...next };
    response.end(JSON.stringify({ metadata, items: all.slice(start, start + limit) }));
  }

  #watch(response: ServerResponse): void {
    response.writeHead(200).flushHeaders();
    this.#watches.add(response);
    response.on("close", () => this.#watches.delete(response));
  }
}
