import { connect } from "node:net";
import type { Target } from "@dormouse/core";

/** As long as a target on another continent may take to accept. */
const dialTimeoutMs = 1_000;

/** Whether a TCP connection to the target is accepted. */
export function dialTarget({ host, port }: Target): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: dialTimeoutMs });
    const end = (isAccepted: boolean): void => {
      socket.destroy();
      resolve(isAccepted);
    };
    socket.once("connect", () => end(true));
    socket.once("timeout", () => end(false));
    socket.once("error", () => end(false));
  });
}
