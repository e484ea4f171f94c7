import { type IncomingMessage, ServerResponse } from "node:http";

/** What a response belongs to. */
export interface ResponseOwner {
  /** The client reads again. */
  onDrain(): void;
  /** The response is over: all of it was sent, or the connection ended before. */
  onClose(): void;
}

/** Node's response with its exchange on it, so that a request adds no closures for its listeners. */
export class ClientResponse<Request extends IncomingMessage = IncomingMessage> extends ServerResponse<Request> {
  owner: ResponseOwner | undefined;

  own(owner: ResponseOwner): void {
    this.owner = owner;
    this.on("close", onClose);
    if (this.socket === null) this.#followSocket();
  }

  /** Tells the owner once the client reads again. */
  awaitDrain(): void {
    this.once("drain", onDrain);
  }

  /** Behind another answer a response has no connection yet, and Node 22 tells it nothing of that one's end. */
  #followSocket(): void {
    const { socket } = this.req;
    const onSocketClose = (): void => void this.emit("close");
    socket.once("close", onSocketClose);
    this.once("close", () => socket.off("close", onSocketClose));
  }
}

function onClose(this: ClientResponse): void {
  const { owner } = this;
  this.owner = undefined;
  owner?.onClose();
}

function onDrain(this: ClientResponse): void {
  this.owner?.onDrain();
}
