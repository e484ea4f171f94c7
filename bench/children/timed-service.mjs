import { createServer } from "node:http";

// Tells with each answer when it began, listened, was first connected to and answered.
// All times are of the machine's monotonic clock, which every process shares, in nanoseconds.
const beganAt = process.hrtime.bigint() - BigInt(Math.round(performance.now() * 1e6));
const { PORT = "0" } = process.env;

let listenedAt = 0n;
let connectedAt = 0n;
const acceptedAt = new WeakMap();

const server = createServer((request, response) => {
  const handledNs = process.hrtime.bigint() - acceptedAt.get(request.socket);
  response.setHeader("content-type", "application/json");
  response.end(
    JSON.stringify({
      beganAt: String(beganAt),
      listenedAt: String(listenedAt),
      connectedAt: String(connectedAt),
      handledNs: String(handledNs),
    }),
  );
});

server.on("connection", (socket) => {
  const now = process.hrtime.bigint();
  acceptedAt.set(socket, now);
  if (connectedAt === 0n) connectedAt = now;
});

server.listen(Number(PORT), "127.0.0.1", () => {
  listenedAt = process.hrtime.bigint();
});

process.once("SIGTERM", () => {
  server.close();
  server.closeAllConnections();
});
