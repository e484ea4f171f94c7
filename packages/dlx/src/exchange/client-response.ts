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
    this.once("close", onClose);
  }

  /** Tells the owner once the client reads again. */
  awaitDrain(): void {
    this.once("drain", onDrain);
  }
}

function onClose(this: ClientResponse): void {
  this.owner?.onClose();
}

function onDrain(this: ClientResponse): void {
  this.owner?.onDrain();
}
