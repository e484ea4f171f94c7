import { binOf } from "./bin-of.ts";
import type { DemoService } from "./demo-service.ts";
import { PeerSocket } from "./peer-socket.ts";
import type { ServiceClient } from "./service-client.ts";

/** PeerJS's signalling server; each exchange is two WebSockets that send each other a message through it. */
export function chatServer(_parent: string, port: number): DemoService {
  return {
    name: "chat",
    title: "peer (WebSocket)",
    port,
    command: [binOf("peerjs"), "--host", "127.0.0.1", "--port", String(port)],
    warmExchanges: 10,
    sample: "/",
    async exchange(client, id, signal) {
      const conversation = new Conversation(client, id, signal);
      try {
        await conversation.opened();
        await conversation.speak(id);
        return { coldStart: undefined };
      } finally {
        conversation.close();
      }
    },
  };
}

/** Two ends that talk to each other through the server. */
export class Conversation {
  readonly #caller: PeerSocket;
  readonly #called: PeerSocket;

  constructor(client: ServiceClient, id: string, signal: AbortSignal) {
    this.#caller = new PeerSocket(client, `${id}-a`, signal);
    this.#called = new PeerSocket(client, `${id}-b`, signal);
  }

  async opened(): Promise<void> {
    await Promise.all([this.#caller.opened(), this.#called.opened()]);
  }

  /** A question and its answer; resolves once both have arrived. */
  async speak(text: string): Promise<void> {
    await this.#caller.tell(this.#called, `ask ${text}`);
    await this.#called.tell(this.#caller, `answer ${text}`);
  }

  close(): void {
    this.#caller.close();
    this.#called.close();
  }
}
