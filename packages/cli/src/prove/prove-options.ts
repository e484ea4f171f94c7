import { durationSchema, type Milliseconds } from "@dormouse/core";
import type { GlobalOptions } from "../commands/global-options.ts";
import { UsageError } from "../usage-error.ts";
import type { GatewayWishes } from "./choose-gateway.ts";
import { type EchoChoice, parseEcho } from "./echo.ts";

/** The flags of `dormouse prove` as they were written. */
export interface ProveFlags extends GlobalOptions {
  readonly cycles: string;
  readonly rate: string;
  readonly force?: boolean;
  readonly to?: string;
  readonly host?: string;
  readonly path?: string;
  readonly header: readonly string[];
  readonly method: "GET" | "POST";
  readonly body?: string;
  readonly idHeader: string;
  readonly echo: string;
  readonly ledger?: string;
  readonly timeout: string;
  readonly patience: string;
}

/** The same, checked. */
export interface ProveOptions {
  readonly cycles: number;
  readonly ratePerSecond: number;
  readonly isForced: boolean;
  readonly gateway: GatewayWishes;
  readonly method: "GET" | "POST";
  readonly body: string | undefined;
  readonly idHeader: string;
  readonly echo: EchoChoice;
  readonly ledger: string | undefined;
  readonly timeoutMs: Milliseconds;
  readonly patienceMs: Milliseconds;
}

/** @throws UsageError that names the flag */
export function parseProveFlags(flags: ProveFlags): ProveOptions {
  const { to, host, path, header, method, body, ledger } = flags;
  return {
    cycles: toNumber("--cycles", flags.cycles, /^\d+$/, 1_000),
    ratePerSecond: toNumber("--rate", flags.rate, /^\d+(\.\d+)?$/, 1_000),
    isForced: flags.force === true,
    gateway: { to, host, path, headers: Object.fromEntries(header.map(toHeader)) },
    method,
    body,
    idHeader: toHeaderName("--id-header", flags.idHeader),
    echo: parseEcho(flags.echo),
    ledger: ledger === undefined ? undefined : toLedger(ledger),
    timeoutMs: toDuration("--timeout", flags.timeout),
    patienceMs: toDuration("--patience", flags.patience),
  };
}

function toNumber(flag: string, text: string, form: RegExp, most: number): number {
  const value = Number(text);
  if (form.test(text) && value > 0 && value <= most) return value;
  throw new UsageError(`${flag} "${text}" is none; write a number above 0, ${String(most)} at most`);
}

function toDuration(flag: string, text: string): Milliseconds {
  const parsed = durationSchema.safeParse(text);
  if (parsed.success && parsed.data > 0) return parsed.data;
  throw new UsageError(`${flag} "${text}" is no time; write for example 30s or 5m`);
}

function toHeader(text: string): readonly [string, string] {
  const [name = "", ...rest] = text.split(":");
  if (rest.length === 0) throw new UsageError(`--header "${text}" is none; write "NAME: VALUE"`);
  return [toHeaderName("--header", name.trim()), rest.join(":").trim()];
}

function toHeaderName(flag: string, name: string): string {
  if (/^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/.test(name)) return name;
  throw new UsageError(`${flag} "${name}" is no name of a header; write for example X-Request-Id`);
}

function toLedger(text: string): string {
  if (text.startsWith("/") || (URL.canParse(text) && /^https?:/.test(text))) return text;
  throw new UsageError(`--ledger "${text}" is neither a path that begins with "/" nor a URL`);
}
