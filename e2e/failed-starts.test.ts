import { once } from "node:events";
import { createServer, type Server } from "node:net";
import { afterAll, beforeAll, expect, it } from "vitest";
import { freePort, isFree } from "./harness/free-port.ts";
import { run } from "./harness/host-config.ts";
import { runUp } from "./harness/run-dormouse.ts";

let ports: { readonly admin: number; readonly dlx: number; readonly dedicated: number; readonly taken: number };
let stranger: Server;

beforeAll(async () => {
  ports = { admin: await freePort(), dlx: await freePort(), dedicated: await freePort(), taken: await freePort() };
  stranger = createServer().listen(ports.taken, "127.0.0.1");
  await once(stranger, "listening");
});

afterAll(async () => {
  stranger.close();
  await once(stranger, "close");
});

/** A resource at a listener of its own, so that there is more to close again than the shared one. */
const resource = (listen: number) => ({
  name: "one",
  command: run("echo"),
  policy: { hosts: ["one.test"], listen: [`127.0.0.1:${listen}`] },
});

const processes = (listen: number) => ({ use: "process", id: "local", options: { resources: [resource(listen)] } });

/** A scaler that opens, and then lists what is no list. */
const nonsense = `
  const capabilities = { replicas: "one", watch: false, routing: false, compareAndSet: true, settleWithinMs: 0 };
  export const scaler = {
    kind: "scaler", contract: 1, name: "nonsense",
    options: { "~standard": { version: 1, vendor: "e2e", validate: (value) => ({ value }) } },
    create: async () => ({
      capabilities,
      listResources: async () => "nonsense",
      getResource: async () => undefined,
      setScale: async () => ({ version: "1" }),
      resolveTargets: async () => [],
      [Symbol.asyncDispose]: async () => {},
    }),
  };
`;

const cases: readonly {
  readonly name: string;
  readonly with: () => Readonly<Record<string, unknown>>;
  readonly says: RegExp;
}[] = [
  {
    name: "a second scaler lists nonsense",
    with: () => ({ scalers: [processes(ports.dedicated), { use: "./nonsense.mjs", id: "other" }] }),
    says: /dormouse\.yaml:\d+:\d+: scalers\[1\][^ ]*: .*listResources/,
  },
  {
    name: "the shared listener's port is taken",
    with: () => ({ dlx: { listen: [`127.0.0.1:${ports.dlx}`, `127.0.0.1:${ports.taken}`] } }),
    says: /dormouse\.yaml:\d+:\d+: dlx\.listen: .*127\.0\.0\.1:\d+/,
  },
  {
    name: "a dedicated listener's port is taken",
    with: () => ({ scalers: [processes(ports.taken)] }),
    says: /listen: .*127\.0\.0\.1:\d+/,
  },
  {
    name: "the admin API's port is taken",
    with: () => ({ admin: { listen: `127.0.0.1:${ports.taken}` } }),
    says: /dormouse\.yaml:\d+:\d+: admin\.listen: .*127\.0\.0\.1:\d+/,
  },
];

it.each(cases)("where $name, nothing that was opened before stays open, and the exit code is 2", async (one) => {
  const config = {
    admin: { listen: `127.0.0.1:${ports.admin}` },
    dlx: { listen: `127.0.0.1:${ports.dlx}` },
    scalers: [processes(ports.dedicated)],
    ...one.with(),
  };
  const files = { "dormouse.yaml": JSON.stringify(config, undefined, 2), "nonsense.mjs": nonsense };
  const { code, stdout, stderr, left } = await runUp(files);
  const errors = stderr.split("\n").filter((line) => line.startsWith("error: "));
  expect(errors, stdout + stderr).toEqual([expect.stringMatching(one.says)]);
  expect({ code, left }).toEqual({ code: 2, left: [] });
  const { admin, dlx, dedicated } = ports;
  expect(await Promise.all([admin, dlx, dedicated].map(isFree))).toEqual([true, true, true]);
});
