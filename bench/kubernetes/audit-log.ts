import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** A request as the API server's audit log has it. */
export interface AuditedRequest {
  readonly user: string;
  /** `get`, `list`, `watch`, `create`, `update`, `patch`, `delete`, … */
  readonly verb: string;
  /** `leases`, for example; a path where no object is meant. */
  readonly resource: string;
  readonly status: number;
  /** Epoch ms of its arrival. */
  readonly at: number;
  /** Epoch ms of the end of its answer, of a watch's beginning. */
  readonly doneAt: number;
}

interface AuditEntry {
  readonly stage: string;
  readonly verb: string;
  readonly requestURI: string;
  readonly user: { readonly username: string };
  readonly objectRef?: { readonly resource?: string };
  readonly responseStatus?: { readonly code?: number };
  readonly requestReceivedTimestamp: string;
  readonly stageTimestamp: string;
}

/** What an API server writes down about the requests of some users. */
export class AuditLog {
  /** Flags that the server has to be started with. */
  readonly flags: string;
  readonly #file: string;

  /** @param folder where the server writes it; must have no space in its path */
  constructor(folder: string, users: readonly string[]) {
    const policy = join(folder, "audit-policy.json");
    const rules = [{ level: "Metadata", users }, { level: "None" }];
    const text = { apiVersion: "audit.k8s.io/v1", kind: "Policy", omitStages: ["RequestReceived"], rules };
    writeFileSync(policy, JSON.stringify(text));
    this.#file = join(folder, "audit.log");
    this.flags = `--audit-policy-file=${policy} --audit-log-path=${this.#file} --audit-log-maxsize=2000`;
  }

  /** All requests that arrived in this time, in epoch ms. A watch counts when it begins, and is known once it has ended. */
  read(from: number, to = Infinity): readonly AuditedRequest[] {
    if (!existsSync(this.#file)) return [];
    return readFileSync(this.#file, "utf8")
      .split("\n")
      .filter((line) => line !== "")
      .flatMap((line) => toRequest(line))
      .filter(({ at }) => at >= from && at < to);
  }
}

/** A watch is written down twice: when it begins and when it ends. */
function toRequest(line: string): readonly AuditedRequest[] {
  const entry = parse(line);
  if (entry === undefined || (entry.verb === "watch" && entry.stage === "ResponseComplete")) return [];
  return [
    {
      user: entry.user.username,
      verb: entry.verb,
      resource: entry.objectRef?.resource ?? entry.requestURI.replace(/\?.*/, ""),
      status: entry.responseStatus?.code ?? 0,
      at: Date.parse(entry.requestReceivedTimestamp),
      doneAt: Date.parse(entry.stageTimestamp),
    },
  ];
}

/** Undefined: the server is in the middle of writing the line. */
function parse(line: string): AuditEntry | undefined {
  try {
    return JSON.parse(line) as AuditEntry;
  } catch {
    return undefined;
  }
}

const writingVerbs = new Set(["create", "update", "patch", "delete", "deletecollection"]);

/** Whether it changed anything but who leads. Questions about rights are asked by writing. */
export function isWrite({ verb, resource }: AuditedRequest): boolean {
  return writingVerbs.has(verb) && resource !== "leases" && resource !== "selfsubjectaccessreviews";
}
