import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { Gates } from "../../harness/gates.ts";
import { RawConnection } from "../../harness/raw-connection.ts";
import { service } from "../../harness/stage.ts";
import { nextId } from "../../harness/traffic.ts";
import type { Fault } from "../fault.ts";
import { FaultStage } from "../fault-stage.ts";
import { momentsOf } from "../moment.ts";
import { struckName } from "../stage-plan.ts";

/** How far a client comes before it falls silent or breaks off: nothing sent, half a head, no body, half of it, all of it. */
const beginnings: readonly (() => string)[] = [
  () => "",
  () => `POST / HTTP/1.1\r\nHost: ${struckName}.test\r\nX-Requ`,
  () => head(1_000),
  () => head(1_000) + "x".repeat(500),
  () => head(1_000) + "x".repeat(1_000),
];

/** Longest silence of a head, of a body, and of a client that takes its answer, in ms. */
const silenceMs = 500;

/** More than all buffers on the way hold. */
const answerBytes = 50_000_000;

/** Clients break off by a reset, wherever they are. */
export const clientResets: Fault = {
  name: "client-resets",
  title: "clients: connections reset",
  run: (trials) =>
    FaultStage.play({}, async (stage) => {
      for (const moment of momentsOf(trials)) {
        await moment.reach(stage);
        const clients = await beginAll(stage);
        await sleep(trials.random() * 40);
        for (const client of clients) client.reset();
        stage.countStrike();
        moment.leave(stage);
        await stage.recovered();
      }
    }),
};

/** Clients fall silent and stay connected, wherever they are, also in the middle of an answer. Each is let go of in time, or has its answer. */
export const clientHalfOpen: Fault = {
  name: "client-half-open",
  title: "clients: connections half-open",
  run: (trials) => {
    const dlx = { headersTimeout: `${silenceMs}ms`, bodyIdleTimeout: `${silenceMs}ms`, keepAliveTimeout: "500ms" };
    const more = (gates: Gates) => [
      service(gates, "big", { program: "big", policy: { idleAfter: "120ms", minAwake: 0 } }),
    ];
    return FaultStage.play({ dlx, more }, async (stage) => {
      for (const moment of momentsOf(trials)) {
        await moment.reach(stage);
        const clients = await beginAll(stage);
        const idle = await askAndTakeNothing(stage);
        stage.countStrike();
        await sleep(trials.random() * 40);
        moment.leave(stage);
        await stage.host.untilResource("big", ({ inFlight, held }) => inFlight > 0 && held === 0);
        await stage.host.untilResource("big", ({ inFlight }) => inFlight === 0);
        idle.destroy();
        for (const client of clients) expectHonest(await client.untilClosed());
        for (const client of clients) await client[Symbol.asyncDispose]();
        await stage.recovered();
      }
    });
  },
};

async function beginAll({ host }: FaultStage): Promise<readonly RawConnection[]> {
  const clients = await Promise.all(beginnings.map(() => RawConnection.open(host.origin)));
  await Promise.all(clients.map((client, index) => client.send(beginnings[index]?.() ?? "")));
  return clients;
}

/** Asks for much, and reads nothing of it. */
async function askAndTakeNothing({ host }: FaultStage): Promise<Socket> {
  const { hostname, port } = new URL(host.origin);
  const socket = connect({ host: hostname, port: Number(port) });
  socket.on("error", () => {}); // the host breaks off
  await once(socket, "connect");
  socket.pause().write(`GET /${answerBytes} HTTP/1.1\r\nHost: big.test\r\n\r\n`);
  return socket;
}

function head(bodyBytes: number): string {
  return `POST / HTTP/1.1\r\nHost: ${struckName}.test\r\nX-Request-Id: ${nextId()}\r\nContent-Length: ${bodyBytes}\r\n\r\n`;
}

/** A whole request has the service's answer; what was not whole has nothing, or is told why. */
function expectHonest(received: string): void {
  if (received === "" || received.startsWith("HTTP/1.1 200 ")) return;
  if (!/^HTTP\/1\.1 4\d\d /.test(received) || !received.includes("application/problem+json"))
    throw new Error(`a silent client was told ${JSON.stringify(received.slice(0, 500))}`);
}
