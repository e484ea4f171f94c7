import { defaultNamespace, durationSchema, isRefPart } from "@dormouse/core";
import { z } from "zod";

const path = z
  .string()
  .min(1)
  .refine((value) => !value.includes("\0"), "must not contain a NUL character");

const endpointForms = "write unix:///var/run/docker.sock, tcp://host:2376 or ssh://user@host";

const endpointSchema = z
  .string()
  .refine(isEndpoint, { error: ({ input }) => `${JSON.stringify(input)} is no endpoint; ${endpointForms}` })
  .default("unix:///var/run/docker.sock")
  .meta({ description: "Where the Docker Engine answers: unix://, tcp:// or ssh://" });

const tlsSchema = z
  .strictObject({
    ca: path.meta({ description: "PEM file of the authority that signed the engine's certificate" }),
    cert: path.meta({ description: "PEM file of the client certificate" }),
    key: path.meta({ description: "PEM file of its private key" }),
  })
  .meta({ description: "Mutual TLS for tcp://; read when the scaler is opened" });

const sshSchema = z
  .strictObject({
    hostKey: z
      .string()
      .regex(/^SHA256:[A-Za-z0-9+/]{43}=?$/, {
        error: "is no fingerprint; write what `ssh-keygen -lf` prints of the host's key, SHA256:…",
      })
      .meta({ description: "Fingerprint of the host's key, SHA256:…; any other host is refused" }),
    privateKey: path.optional().meta({ description: "File of the private key, without a passphrase" }),
    agent: path.optional().meta({ description: "Socket of an SSH agent that has the key" }),
  })
  .refine(({ privateKey, agent }) => (privateKey === undefined) !== (agent === undefined), {
    error: "needs one of privateKey and agent",
  })
  .meta({ description: "How to log in for ssh://" });

const plainSchema = z.strictObject({
  endpoint: endpointSchema,
  tls: tlsSchema.optional(),
  ssh: sshSchema.optional(),
  namespace: z
    .string()
    .refine(isRefPart, "is no name; use 1 to 253 letters, digits and . _ : -")
    .default(defaultNamespace)
    .meta({ description: "Namespace of containers that belong to no Compose project" }),
  reach: z
    .enum(["network", "published"])
    .default("network")
    .meta({ description: "Dial containers at their own address on a network, or at their published ports" }),
  network: path.optional().meta({ description: "Network whose addresses are dialled; left out: the first by name" }),
  hostAddress: path
    .optional()
    .meta({ description: "Address of published ports that are bound to every address; left out: the engine's own" }),
  sleepBy: z
    .enum(["stop", "pause", "remove"])
    .default("stop")
    .meta({ description: "What a sleep does to containers without a label dormouse.dev/sleep-by" }),
  longestStop: durationSchema
    .default(10_000)
    .refine((ms) => ms <= 600_000, "is longer than 10m")
    .meta({ description: "Upper limit of a container's own stop timeout, after which Docker kills it" }),
  mostReplicas: z
    .int()
    .min(1)
    .max(100)
    .default(20)
    .meta({ description: "More replicas of one resource than this are refused" }),
});

/** What the plugin takes; durations in ms. */
export type DockerOptions = z.output<typeof plainSchema>;

/** How a sleep ends what runs. */
export type SleepBy = DockerOptions["sleepBy"];

/** Every way to sleep, for messages. */
export const sleepWays: readonly SleepBy[] = ["stop", "pause", "remove"];

/** Options of the plugin. Unknown keys, and keys that do not go with the endpoint, are errors. */
export const dockerOptions = plainSchema
  .superRefine(({ endpoint, tls, ssh }, context) => {
    const complain = (key: string, message: string): void => context.addIssue({ code: "custom", path: [key], message });
    // A wrong endpoint is reported as such already.
    if (!isEndpoint(endpoint)) return;
    const { protocol, hostname } = new URL(endpoint);
    if (tls !== undefined && protocol !== "tcp:") complain("tls", "goes with an endpoint tcp://host:port only");
    if (ssh !== undefined && protocol !== "ssh:") complain("ssh", "goes with an endpoint ssh://user@host only");
    if (ssh === undefined && protocol === "ssh:") complain("ssh", "is needed to log in: give hostKey and privateKey");
    if (tls === undefined && protocol === "tcp:" && !isLoopback(hostname)) {
      complain("tls", "is needed: whoever reaches a Docker Engine without it is root there");
    }
  })
  .prefault({});

function isEndpoint(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname, pathname, username, password, port } = new URL(text);
  if (protocol === "unix:") return hostname === "" && pathname.length > 1;
  const isBare = hostname !== "" && password === "" && (pathname === "" || pathname === "/");
  if (protocol === "tcp:") return isBare && port !== "" && username === "";
  return protocol === "ssh:" && isBare && username !== "";
}

function isLoopback(hostname: string): boolean {
  return hostname === "localhost" || hostname === "[::1]" || /^127\.\d+\.\d+\.\d+$/.test(hostname);
}
