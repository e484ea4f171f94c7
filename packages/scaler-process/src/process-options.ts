import { defaultNamespace, durationSchema, isRefPart } from "@dormouse/core";
import { z } from "zod";

/** More replicas than this on one machine are taken for a mistake. */
export const mostReplicas = 100;

const text = z
  .string()
  .min(1)
  .refine((value) => !value.includes("\0"), "must not contain a NUL character");

const refPart = z.string().refine(isRefPart, "is no name; use 1 to 253 letters, digits and . _ : -");
const variable = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, "is no name of a variable; use letters, digits and _");
const portNumber = z.int().min(1).max(65_535);

const signals = ["SIGTERM", "SIGINT", "SIGQUIT", "SIGHUP", "SIGUSR1", "SIGUSR2", "SIGKILL"] as const;

const resourceSchema = z.strictObject({
  name: refPart.meta({ description: "Name of the resource, unique in its namespace" }),
  namespace: refPart.default(defaultNamespace).meta({ description: "Namespace of the resource" }),
  command: z
    .array(z.string().refine((value) => !value.includes("\0"), "must not contain a NUL character"))
    .min(1)
    .refine((command) => command[0] !== "", "begins with an empty text; write [program, argument, …]")
    .meta({ description: "Program and arguments; no shell reads them" }),
  cwd: text
    .optional()
    .meta({ description: "Working directory, relative to the host's own, which is the folder of dormouse.yaml" }),
  env: z
    .record(variable, z.union([text, z.literal(""), z.number(), z.boolean()]))
    .default({})
    .meta({ description: "Variables on top of the host's environment" }),
  port: portNumber.optional().meta({ description: "Port that the process listens on; left out: a free one" }),
  portEnv: variable.default("PORT").meta({ description: "Variable that tells the process its port" }),
  host: text.default("localhost").meta({ description: "Where the process listens; localhost: 127.0.0.1 and ::1" }),
  replicas: z
    .int()
    .min(1)
    .max(mostReplicas)
    .default(1)
    .meta({ description: "Processes that a first wake starts; later wakes start as many as ran before the sleep" }),
  stopSignal: z.enum(signals).default("SIGTERM").meta({ description: "Signal that asks the process to stop" }),
  stopGrace: durationSchema
    .default(10_000)
    .meta({ description: "How long a stop may take before the process is killed" }),
  policy: z
    .record(z.string(), z.unknown())
    .default({})
    .meta({ description: "When to sleep, where to route: the same keys on every platform" }),
});

const logsSchema = z.strictObject({
  show: z.boolean().default(true).meta({ description: "Write what the processes print to the host's log" }),
  lineBytes: z
    .int()
    .min(80)
    .max(1_048_576)
    .default(8_192)
    .meta({ description: "Bytes of a line; the rest of a longer one is cut" }),
  linesPerSecond: z
    .int()
    .min(1)
    .max(100_000)
    .default(1_000)
    .meta({ description: "Lines of one resource in a second; further ones are counted and dropped" }),
});

const portsSchema = z
  .strictObject({ from: portNumber, to: portNumber })
  .refine(({ from, to }) => to - from >= 1, "is no range; from must be below to")
  .meta({ description: "Range of the automatic ports" });

const plainSchema = z.strictObject({
  resources: z.array(resourceSchema).max(1_000).meta({ description: "The processes to manage" }),
  logs: logsSchema.prefault({}),
  ports: portsSchema.default({ from: 20_000, to: 29_999 }),
  stateDir: text
    .optional()
    .meta({ description: "Folder that remembers what runs, for a host that was killed; left out: one of the user's" }),
});

/** One configured process; durations in ms. */
export type ResourceSpec = z.output<typeof resourceSchema>;

/** What the plugin takes; durations in ms. */
export type ProcessOptions = z.output<typeof plainSchema>;

type Complain = (path: readonly (string | number)[], message: string) => void;

/** Options of the plugin. Unknown keys, two resources of one name and two of one port are errors. */
export const processOptions = plainSchema.superRefine(({ resources }, context) => {
  const complain: Complain = (path, message) => context.addIssue({ code: "custom", path: [...path], message });
  checkNames(resources, complain);
  checkPorts(resources, complain);
});

function checkNames(resources: readonly ResourceSpec[], complain: Complain): void {
  const seen = new Map<string, number>();
  for (const [index, { namespace, name }] of resources.entries()) {
    const first = seen.get(`${namespace}/${name}`);
    if (first === undefined) seen.set(`${namespace}/${name}`, index);
    else complain(["resources", index, "name"], `is the name of resources[${first}] already; give each its own`);
  }
}

function checkPorts(resources: readonly ResourceSpec[], complain: Complain): void {
  const seen = new Map<number, number>();
  for (const [index, spec] of resources.entries()) {
    if (spec.port === undefined) checkAutomaticPort(spec, index, complain);
    else checkFixedPort({ ...spec, port: spec.port }, index, seen, complain);
  }
}

function checkAutomaticPort({ env, portEnv }: ResourceSpec, index: number, complain: Complain): void {
  if (!Object.hasOwn(env, portEnv)) return;
  complain(["resources", index, "env", portEnv], "is set to the automatic port; leave it out, or give port a number");
}

function checkFixedPort(
  { port, replicas }: ResourceSpec & { readonly port: number },
  index: number,
  seen: Map<number, number>,
  complain: Complain,
): void {
  const first = seen.get(port);
  if (first === undefined) seen.set(port, index);
  else complain(["resources", index, "port"], `is the port of resources[${first}] already; give each its own`);
  if (replicas === 1) return;
  complain(["resources", index, "replicas"], "cannot share one fixed port; leave port out, then each gets a free one");
}
