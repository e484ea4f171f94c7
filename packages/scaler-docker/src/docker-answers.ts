import { z } from "zod";
import { toAnswerError } from "./docker-error.ts";

/*
 * What of the engine's answers is read. Engines differ: what is not named here may be there or not, and what may be
 * missing has a default. What must be there and is not is an error of that container alone.
 */

const record = z.record(z.string(), z.unknown());
const labels = z
  .record(z.string(), z.string())
  .nullish()
  .transform((value) => value ?? {});
const text = z
  .string()
  .nullish()
  .transform((value) => value ?? "");

const listedSchema = z.object({
  Id: z.string().min(1),
  Names: z
    .array(z.string())
    .nullish()
    .transform((value) => value ?? []),
  Labels: labels,
});

/** A container as lists have it. */
export interface ListedContainer {
  readonly id: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
}

const endpointSchema = z.object({
  IPAddress: text,
  GlobalIPv6Address: text,
  Aliases: z
    .array(z.string())
    .nullish()
    .transform((value) => value ?? []),
  IPAMConfig: record.nullish(),
  Links: z.array(z.string()).nullish(),
  DriverOpts: z.record(z.string(), z.string()).nullish(),
});

const bindingsSchema = z
  .record(z.string(), z.array(z.object({ HostIp: text, HostPort: text })).nullable())
  .nullish()
  .transform((value) => value ?? {});

const inspectedSchema = z.object({
  Id: z.string().min(1),
  Name: z.string().min(1),
  Created: z.iso.datetime({ offset: true }),
  Image: z.string(),
  RestartCount: z
    .number()
    .nullish()
    .transform((value) => value ?? 0),
  State: z.object({
    Status: z.string(),
    ExitCode: z
      .number()
      .nullish()
      .transform((value) => value ?? 0),
    OOMKilled: z.boolean().nullish(),
    Error: text,
    StartedAt: text,
    FinishedAt: text,
    Health: z
      .object({
        Status: text,
        Log: z.array(z.object({ Output: text })).nullish(),
      })
      .nullish(),
  }),
  Config: z.looseObject({
    Image: text,
    Hostname: text,
    Labels: labels,
    ExposedPorts: record.nullish(),
    StopTimeout: z.number().nullish(),
  }),
  HostConfig: z.looseObject({
    NetworkMode: text,
    AutoRemove: z.boolean().nullish(),
  }),
  NetworkSettings: z
    .object({
      Networks: z
        .record(z.string(), endpointSchema)
        .nullish()
        .transform((value) => value ?? {}),
      Ports: bindingsSchema,
    })
    .nullish()
    .transform((value) => value ?? { Networks: {}, Ports: {} }),
});

/** A container as it is inspected, with everything else of its `Config` and `HostConfig`. */
export type InspectedContainer = z.output<typeof inspectedSchema>;

/** One attachment of a container to a network. */
export type NetworkEndpoint = z.output<typeof endpointSchema>;

const eventSchema = z.object({
  Type: z.string(),
  Action: z.string(),
  Actor: z.object({ ID: z.string(), Attributes: labels }),
  timeNano: z.number().nullish(),
});

/** Something that happened to a container or to a network. */
export type EngineEvent = z.output<typeof eventSchema>;

/**
 * Reads a list, entry by entry.
 *
 * @returns the entries that can be read, and how many cannot
 * @throws ScalerError `SCALER_INTERNAL` where it is no list
 */
export function readList(answer: unknown): {
  readonly listed: readonly ListedContainer[];
  readonly unreadable: number;
} {
  if (!Array.isArray(answer)) throw toAnswerError("its list of containers", "it is no list");
  const read = answer.map((entry: unknown) => listedSchema.safeParse(entry));
  const listed = read.flatMap(({ data }) =>
    data === undefined ? [] : [{ id: data.Id, name: bareName(data.Names[0] ?? data.Id), labels: data.Labels }],
  );
  return { listed, unreadable: answer.length - listed.length };
}

/** Reads what the engine says of one container. @throws ScalerError `SCALER_INTERNAL` that names what is missing */
export function readInspected(answer: unknown, name: string): InspectedContainer {
  const read = inspectedSchema.safeParse(answer);
  if (read.success) return { ...read.data, Name: bareName(read.data.Name) };
  const [issue] = read.error.issues;
  const where = issue === undefined || issue.path.length === 0 ? "" : ` at ${issue.path.join(".")}`;
  throw toAnswerError(`container ${name}`, `${issue?.message ?? "it cannot be read"}${where}`);
}

/** Reads one line of the stream of events; undefined: no event that anything here is about. */
export function readEvent(line: string): EngineEvent | undefined {
  try {
    return eventSchema.safeParse(JSON.parse(line)).data;
  } catch {
    return undefined;
  }
}

function bareName(name: string): string {
  return name.replace(/^\//, "");
}
