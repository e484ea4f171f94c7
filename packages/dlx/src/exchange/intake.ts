import type { IncomingMessage } from "node:http";
import type { ClientConnection } from "../listen/client-connections.ts";
import type { Intake } from "../listen/http-listener.ts";
import { toParserFault } from "../listen/parser-fault.ts";
import { toBytes } from "../respond/answer.ts";
import { toRefusalAnswer } from "../respond/refusal.ts";
import type { ClientResponse } from "./client-response.ts";
import { Exchange } from "./exchange.ts";
import type { FrontState } from "./front-state.ts";
import { UpgradeExchange } from "./upgrade-exchange.ts";

/** Makes an exchange of each thing that a listener receives. */
export function createIntake(front: FrontState): Intake {
  return {
    request(client, request, response, awaitsContinue) {
      if (client.isRefused) return;
      begin(front, client, new Exchange(front, client, request, response, awaitsContinue));
    },
    unexpected(client: ClientConnection, request: IncomingMessage, response: ClientResponse) {
      if (client.isRefused) return;
      new Exchange(front, client, request, response, false).refuseAndClose(417, "an Expect other than 100-continue");
    },
    upgrade(client, request, head) {
      // Behind a request that is still to be answered, two would write on one connection.
      if (client.isRefused || client.current !== undefined) client.socket.destroySoon();
      else begin(front, client, new UpgradeExchange(front, client, request, head));
    },
    fault(client, error) {
      answerFault(front, client, error);
    },
  };
}

/** A fault of our own costs one connection, never the process. */
function begin(front: FrontState, client: ClientConnection, exchange: { begin(): void }): void {
  try {
    exchange.begin();
  } catch (error) {
    front.logger.error({ error: String(error) }, "a request could not be handled");
    client.socket.destroy();
  }
}

function answerFault(front: FrontState, client: ClientConnection, error: Error): void {
  const fault = toParserFault(error);
  const { current, socket } = client;
  if (fault === undefined || !socket.writable) return void socket.destroy();
  if (current?.isComplete === true) client.isBroken = true;
  else if (current !== undefined && fault.isEnd) socket.destroy();
  else if (current !== undefined) current.refuseAndClose(fault.status, fault.reason);
  else {
    front.logger.debug(
      { status: fault.status, reason: fault.reason, peer: socket.remoteAddress },
      "refused a malformed request",
    );
    front.recorder.record("", fault.status, 0, false);
    socket.write(toBytes(toRefusalAnswer({ code: "DLX_BAD_REQUEST", status: fault.status }, "api")));
    socket.destroySoon();
  }
}
