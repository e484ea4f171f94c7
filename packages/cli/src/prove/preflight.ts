import type { WhyReport } from "../admin/why-report.ts";
import { UsageError } from "../usage-error.ts";
import type { Gateway } from "./choose-gateway.ts";
import { describeEcho, type EchoChoice, type EchoPlace, findEcho } from "./echo.ts";
import { isForwarded, refusalOf } from "./judge-reply.ts";
import type { Reply, WholeReply } from "./reply.ts";
import { NotProven } from "./stage.ts";

/** What a first request is sent with. */
export interface PreflightOptions {
  /** Printed ref. */
  readonly resource: string;
  readonly gateway: Gateway;
  readonly echo: EchoChoice;
  readonly idHeader: string;
  readonly id: string;
  readonly send: (id: string) => Promise<Reply>;
  readonly look: () => Promise<WhyReport>;
}

/**
 * Sends one request before any load: whether it gets to the resource by a DLX, and where the answer has its id.
 * @throws UsageError where the target is not ours, leads elsewhere or does not echo; NotProven where the resource cannot be had now
 */
export async function preflight(options: PreflightOptions): Promise<EchoPlace> {
  const { resource, gateway, id, send, look } = options;
  const before = await look();
  const reply = await send(id);
  if (reply.kind === "broken")
    throw new UsageError(`nobody answers at ${gateway.origin}: ${reply.what}; name the DLX by --to URL`);
  if (!isForwarded(reply.headers)) throw toRefusal(options, reply);
  const { traffic } = await look();
  if (traffic.requests === before.traffic.requests) {
    throw new UsageError(
      `${gateway.origin}${gateway.path} (Host: ${gateway.host}) leads to another resource than ${resource}, or past this host; give --host NAME, --path PATH or --to URL that lead there`,
    );
  }
  return placeOf(options, reply);
}

function toRefusal({ resource, gateway }: PreflightOptions, reply: WholeReply): Error {
  const refusal = refusalOf(reply);
  const where = `${gateway.origin} (Host: ${gateway.host})`;
  if (refusal === undefined) {
    return new UsageError(
      `what answers at ${where} is no Dormouse DLX: status ${String(reply.status)} without X-Dormouse-Cold-Start; name the DLX by --to URL`,
    );
  }
  if (refusal.code === "DLX_NO_ROUTE")
    return new UsageError(
      `${where} has no route for ${gateway.path}; give --host NAME or --path PATH that lead to ${resource}`,
    );
  if (refusal.resource !== undefined && refusal.resource !== resource)
    return new UsageError(`${where} leads to ${refusal.resource}, not to ${resource}; give --host NAME or --path PATH`);
  return new NotProven(`the first request was refused with ${refusal.code}; see "dormouse why ${resource}"`);
}

function placeOf({ echo, idHeader, id }: PreflightOptions, reply: WholeReply): EchoPlace {
  const place = findEcho(echo, reply, id, idHeader);
  if (place !== undefined) return place;
  const looked = echo.kind === "auto" ? `the header ${idHeader} nor the body` : describeEcho(echo);
  throw new UsageError(
    [
      `the service does not echo ids: to a request with "${idHeader}: ${id}" it answered ${String(reply.status)}, and ${echo.kind === "auto" ? "neither " : ""}${looked} has it, so that nobody can tell whose answer it is.`,
      `Let it send the header back, in Node for example: response.setHeader("${idHeader}", request.headers["${idHeader.toLowerCase()}"]).`,
      `Or say where it does: --echo header:NAME, --echo json:FIELD, or --path '/echo?id={id}' --echo body for one that repeats its URL.`,
      `--echo none goes on without, and cannot see swapped answers.`,
    ].join("\n"),
  );
}
