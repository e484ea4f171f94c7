import { formatRef, type ResourceRef } from "@dormouse/core";
import { AdminClient } from "../client/admin-client.ts";
import { AdminFailure } from "../client/admin-failure.ts";
import { findAdmin } from "../client/find-admin.ts";
import { resolveRef, UnknownResource } from "../client/resolve-ref.ts";
import { type ExitCode, exitCode } from "../exit-code.ts";
import { chooseGateway, type Gateway } from "../prove/choose-gateway.ts";
import { compareLedger, countExecutions, type LedgerFindings } from "../prove/compare-ledger.ts";
import { describeEcho, type EchoPlace } from "../prove/echo.ts";
import { preflight } from "../prove/preflight.ts";
import { ProveClient } from "../prove/prove-client.ts";
import { parseProveFlags, type ProveFlags, type ProveOptions } from "../prove/prove-options.ts";
import { readLedger } from "../prove/read-ledger.ts";
import { RequestIds } from "../prove/request-id.ts";
import { ResourceWatch } from "../prove/resource-watch.ts";
import { type CycleCounts, runCycles } from "../prove/run-cycles.ts";
import { NotProven } from "../prove/stage.ts";
import { Tally } from "../prove/tally.ts";
import { Traffic } from "../prove/traffic.ts";
import { judgeRun, type Verdict } from "../prove/verdict.ts";
import { hasColor, type Terminal, widthOf, write } from "../terminal.ts";
import { UsageError } from "../usage-error.ts";
import { createPaint } from "../view/paint.ts";
import { renderVerdict } from "../view/render-verdict.ts";
import { onInterrupt, type UntilInterrupted } from "./on-interrupt.ts";

/** Requests that may be open at once. */
const mostOpen = 200;

/** `dormouse prove REF`: requests with ids around sleeps and wakes, and whether each of them ended once. */
export async function prove(
  text: string,
  flags: ProveFlags,
  terminal: Terminal,
  untilInterrupted: UntilInterrupted = onInterrupt,
): Promise<ExitCode> {
  const options = parseProveFlags(flags);
  const { url, token } = await findAdmin({ ...flags, environment: terminal.environment });
  const admin = new AdminClient({ url, token });
  const abort = new AbortController();
  const interruption = untilInterrupted(() => abort.abort(new NotProven("it was interrupted")));
  try {
    const proof = await Proof.begin({ text, options, url, admin, terminal, signal: abort.signal });
    const verdict = await proof.run();
    await print(verdict, flags, terminal);
    return verdict.verdict === "held" ? exitCode.done : exitCode.failed;
  } catch (error) {
    if (error instanceof UsageError || error instanceof AdminFailure || error instanceof UnknownResource) {
      await write(terminal.stderr, `error: ${error.message}`);
      return exitCode.usage;
    }
    if (!(error instanceof NotProven)) throw error;
    await write(terminal.stderr, `error: ${error.message}`);
    return exitCode.failed;
  } finally {
    interruption[Symbol.dispose]();
    await admin[Symbol.asyncDispose]();
  }
}

async function print(verdict: Verdict, { output }: ProveFlags, { stdout, environment }: Terminal): Promise<void> {
  const paint = createPaint(hasColor(stdout, environment));
  const width = widthOf(stdout);
  await write(stdout, output === "json" ? JSON.stringify(verdict, null, 2) : renderVerdict(verdict, { width, paint }));
}

interface Beginning {
  readonly text: string;
  readonly options: ProveOptions;
  readonly url: string;
  readonly admin: AdminClient;
  readonly terminal: Terminal;
  readonly signal: AbortSignal;
}

interface ProofParts extends Beginning {
  readonly ref: ResourceRef;
  readonly watch: ResourceWatch;
  readonly gateway: Gateway;
  readonly client: ProveClient;
  readonly ids: RequestIds;
  readonly echo: EchoPlace;
}

/** One proof, from its first request to its verdict. */
class Proof {
  readonly #parts: ProofParts;
  readonly #counts: CycleCounts = { asleep: 0, woken: 0, sleepsRefused: 0 };
  readonly #tally: Tally;

  private constructor(parts: ProofParts) {
    this.#parts = parts;
    this.#tally = new Tally({ keepsIds: parts.options.ledger !== undefined });
  }

  /** Finds the way to the resource and asks it once; rejects with what is wrong with either. */
  static async begin(beginning: Beginning): Promise<Proof> {
    const { text, options, url, admin, terminal, signal } = beginning;
    const { clock } = terminal;
    const { resources } = await admin.list(signal);
    const known = resources.map((resource) => resource.ref);
    const ref = resolveRef(text, known);
    const watch = new ResourceWatch(admin, ref, clock, signal);
    const gateway = chooseGateway((await watch.look()).entrances, options.gateway, url);
    const { method, body, idHeader, timeoutMs } = options;
    const client = new ProveClient({ gateway, method, body, idHeader, timeoutMs, clock, connections: mostOpen });
    const ids = new RequestIds();
    try {
      const send = (id: string) => client.send(id, signal);
      const look = () => watch.look();
      const first = { resource: formatRef(ref), gateway, echo: options.echo, idHeader, id: ids.next(), send, look };
      const echo = await preflight(first);
      return new Proof({ ...beginning, ref, watch, gateway, client, ids, echo });
    } catch (error) {
      await client[Symbol.asyncDispose]();
      throw error;
    }
  }

  async run(): Promise<Verdict> {
    const { client, ref, gateway, echo, options } = this.#parts;
    try {
      const problems = await this.#runCycles();
      const ledger = await this.#compareLedger(problems);
      return judgeRun({
        resource: formatRef(ref),
        entrance: `${gateway.origin}${gateway.path}`,
        host: gateway.host,
        echo: describeEcho(echo),
        seesSwaps: echo.kind !== "none",
        tally: this.#tally,
        ledger,
        asked: options.cycles,
        cycles: this.#counts,
        problems,
      });
    } finally {
      await client[Symbol.asyncDispose]();
    }
  }

  /** @returns why it ended before its time */
  async #runCycles(): Promise<string[]> {
    const { admin, ref, watch, client, ids, echo, options, terminal, signal } = this.#parts;
    const { clock, stderr } = terminal;
    const traffic = new Traffic({ client, echo, ids, tally: this.#tally, clock, mostOpen, signal });
    const tell = (line: string): void => void write(stderr, line);
    const { ratePerSecond, patienceMs, cycles, isForced } = options;
    const stage = { admin, ref, watch, traffic, clock, ratePerSecond, patienceMs, signal, tell };
    try {
      await runCycles(stage, { cycles, isForced }, this.#counts);
      return [];
    } catch (error) {
      if (!(error instanceof NotProven) && !(error instanceof AdminFailure)) throw error;
      return [error.message];
    } finally {
      await traffic.ended();
    }
  }

  async #compareLedger(problems: string[]): Promise<LedgerFindings | undefined> {
    const { options, client, ids, terminal } = this.#parts;
    const answered = this.#tally.answeredIds;
    if (options.ledger === undefined || answered === undefined) return undefined;
    const source = { client, place: options.ledger, clock: terminal.clock };
    const isComplete = (text: string): boolean => {
      const executed = countExecutions(text, ids.prefix);
      return [...answered].every((id) => executed.has(id));
    };
    try {
      const text = await readLedger(source, isComplete, new AbortController().signal);
      return compareLedger(text, ids.prefix, answered);
    } catch (error) {
      problems.push(
        `the ledger ${options.ledger} could not be read: ${error instanceof Error ? error.message : String(error)}`,
      );
      return undefined;
    }
  }
}
