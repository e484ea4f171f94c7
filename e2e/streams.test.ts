import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ask } from "./harness/ask.ts";
import { EventSource } from "./harness/event-source.ts";
import { staysAwake } from "./harness/host-config.ts";
import { service, Stage } from "./harness/stage.ts";
import { until } from "./harness/until.ts";
import { WebSocketClient } from "./harness/web-socket-client.ts";

const quick = { idleAfter: "50ms", minAwake: 0 };
/** Longer than a busy machine may keep a stream from flowing. */
const withLimit = { ...quick, streamIdleAfter: "3s" };

let stage: Stage;

beforeAll(async () => {
  stage = await Stage.open((gates) => {
    const streams = (name: string, policy: Record<string, unknown>, env: Record<string, string> = {}) =>
      service(gates, name, { program: "streams", policy, env });
    return {
      resources: [
        streams("held-socket", staysAwake, { START_GATE: "held-socket" }),
        streams("held-events", staysAwake, { START_GATE: "held-events" }),
        streams("silent", quick, { EVERY_MS: "0" }),
        streams("flowing", withLimit),
        streams("silent-with-limit", withLimit, { EVERY_MS: "0" }),
        // Sleeps later than any of the others may without a limit: three sleeps of it are time enough for one of theirs, and
        // seven for one after the limit.
        streams("control", { ...quick, idleAfter: "500ms" }),
      ],
    };
  });
});

afterAll(async () => stage[Symbol.asyncDispose]());

describe("held through a wake", () => {
  it("a WebSocket opens and carries messages both ways", async () => {
    const { host, gates } = stage;
    const socket = new WebSocketClient(host.origin, "held-socket.test");
    try {
      await host.untilResource("held-socket", ({ held }) => held === 1);
      expect(socket.isOpen).toBe(false);
      gates.open("held-socket");
      await socket.opened();
      expect(await socket.echo("hello")).toBe("hello");
      expect(await socket.echo("x".repeat(100_000))).toBe("x".repeat(100_000));
    } finally {
      await socket[Symbol.asyncDispose]();
    }
  });

  it("server-sent events begin, and flow as they come", async () => {
    const { host, gates } = stage;
    const opening = EventSource.open(host.origin, "held-events.test");
    await host.untilResource("held-events", ({ held }) => held === 1);
    gates.open("held-events");
    const events = await opening;
    try {
      expect(events.status).toBe(200);
      expect(events.headers["x-dormouse-cold-start"]).toBe("true");
      await events.more(5);
    } finally {
      await events[Symbol.asyncDispose]();
    }
  });
});

describe("without streamIdleAfter", () => {
  it("an open WebSocket keeps its resource awake, however silent, until it is closed", async () => {
    const { host } = stage;
    const socket = new WebSocketClient(host.origin, "silent.test");
    try {
      await socket.opened();
      await controlSleeps(3);
      expect(host.events.of("silent", "sleep")).toEqual([]);
      expect(await socket.echo("still there")).toBe("still there");
    } finally {
      await socket[Symbol.asyncDispose]();
    }
    await until("it slept after the socket was closed", () => host.events.sleeps("silent").length > 0);
  });

  it("an open event stream keeps its resource awake, however silent, until it is closed", async () => {
    const { host } = stage;
    const sleeps = host.events.sleeps("silent").length;
    const events = await EventSource.open(host.origin, "silent.test");
    try {
      await controlSleeps(3);
      expect(host.events.sleeps("silent")).toHaveLength(sleeps);
      expect(events.isOpen).toBe(true);
    } finally {
      await events[Symbol.asyncDispose]();
    }
    await until("it slept after the stream was closed", () => host.events.sleeps("silent").length > sleeps);
  });
});

describe("with streamIdleAfter", () => {
  it("an event stream keeps its resource awake while bytes flow", async () => {
    const { host } = stage;
    const events = await EventSource.open(host.origin, "flowing.test");
    try {
      await controlSleeps(7);
      await events.more(5);
      expect(host.events.of("flowing", "sleep")).toEqual([]);
    } finally {
      await events[Symbol.asyncDispose]();
    }
    await until("it slept after the stream was closed", () => host.events.sleeps("flowing").length > 0);
  });

  it("a WebSocket keeps its resource awake while messages flow, and no longer once it is silent", async () => {
    const { host } = stage;
    const sleeps = host.events.sleeps("flowing").length;
    const socket = new WebSocketClient(host.origin, "flowing.test");
    try {
      await socket.opened();
      const talking = talk(socket);
      await controlSleeps(7);
      expect(host.events.sleeps("flowing")).toHaveLength(sleeps);
      talking.stop();
      await talking.ended;
      await until("it slept once it was silent", () => host.events.sleeps("flowing").length > sleeps);
      await socket.closed();
    } finally {
      await socket[Symbol.asyncDispose]();
    }
  });

  it("a silent event stream does not keep its resource awake", async () => {
    const { host } = stage;
    const events = await EventSource.open(host.origin, "silent-with-limit.test");
    try {
      expect(await host.untilState("silent-with-limit", "asleep")).toMatchObject({ desired: 0, inFlight: 0 });
      await until("the stream ended with its service", () => !events.isOpen);
    } finally {
      await events[Symbol.asyncDispose]();
    }
  });
});

/** Wakes the control so often and lets it sleep each time. */
async function controlSleeps(times: number): Promise<void> {
  const { host } = stage;
  for (let round = 0; round < times; round += 1) {
    const { length } = host.events.sleeps("control");
    expect(await ask(host.origin, { host: "control.test" })).toMatchObject({ status: 200 });
    await until("the control slept", () => host.events.sleeps("control").length > length);
  }
}

/** Sends message after message, each once the one before came back. */
function talk(socket: WebSocketClient): { readonly stop: () => void; readonly ended: Promise<void> } {
  let stopped = false;
  const run = async (): Promise<void> => {
    while (!stopped) await socket.echo("still here");
  };
  return { stop: () => (stopped = true), ended: run() };
}
