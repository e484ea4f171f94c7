import type { Sent } from "../harness/traffic.ts";

/**
 * A moment at which the fault ended the host, or something behind it, with all requests that were there; or took all
 * connections, so that new ones found none.
 */
export interface Strike {
  readonly victim: "host" | "service" | "connections";
  /** Milliseconds of `performance.now()`. */
  readonly at: number;
  /** Until when requests may still meet it; left out: the moment alone. */
  readonly until?: number;
  /** Requests that were open then. */
  readonly open: number;
}

/** All requests to one service, and all that it wrote down. */
export interface Book {
  readonly name: string;
  readonly sent: readonly Sent[];
  /** Ids of executed requests in the service's own ledger; undefined: it keeps none. */
  readonly executed: readonly string[] | undefined;
  /** Codes of refusals that the fault explains. */
  readonly mayRefuse: readonly string[];
}

/** What became of all requests under one fault. */
export interface Tally {
  /** How often the fault struck. */
  readonly times: number;
  readonly requests: number;
  readonly answered: number;
  /** By code. */
  readonly refused: Readonly<Record<string, number>>;
  /** Open at the very moment at which the host was killed, or closed before a byte was read since there were too many. */
  readonly cut: number;
  /** Idempotent requests that were executed again because the service died with the first execution, as the replay rule says. */
  readonly replayed: number;
  /** Neither answered nor honestly refused nor cut. */
  readonly lost: number;
  /** Executed more often than the replay rule allows. */
  readonly doubled: number;
  readonly longestMs: number;
  /** Everything that should not be, in words. */
  readonly problems: readonly string[];
}

const idempotent: ReadonlySet<string> = new Set(["GET", "PUT"]);

/** Lines of one kind beyond which a report says only how many more there are. */
const mostAlike = 5;

/**
 * Reads the books after the fault is over.
 *
 * @param boundMs longest that a request may take
 * @param times how often the fault struck
 * @param problems what else was wrong
 */
export function toTally(
  books: readonly Book[],
  strikes: readonly Strike[],
  boundMs: number,
  times: number,
  problems: readonly string[],
): Tally {
  const accounts = books.map((book) => toAccount(book, strikes));
  const all = books.flatMap(({ sent }) => sent);
  const longestMs = all.reduce((longest, { tookMs }) => Math.max(longest, tookMs), 0);
  const count = (of: (account: Account) => readonly unknown[]): number =>
    accounts.reduce((sum, account) => sum + of(account).length, 0);
  return {
    times,
    requests: all.length,
    answered: all.filter(({ outcome }) => outcome === "answered").length,
    refused: countBy(all.flatMap(({ code }) => code ?? [])),
    cut: count(({ cut }) => cut),
    replayed: count(({ replayed }) => replayed),
    lost: count(({ lost }) => lost),
    doubled: count(({ doubled }) => doubled),
    longestMs,
    problems: [
      ...problems,
      ...accounts.flatMap(problemsOf),
      ...overcut(accounts, strikes),
      ...(longestMs > boundMs ? [`a request took ${Math.round(longestMs)} ms; at most ${boundMs} are explained`] : []),
    ],
  };
}

/** Both together. */
export function addTallies(one: Tally, other: Tally): Tally {
  const codes = Object.keys({ ...one.refused, ...other.refused });
  const refused = codes.map((code) => [code, (one.refused[code] ?? 0) + (other.refused[code] ?? 0)] as const);
  return {
    times: one.times + other.times,
    requests: one.requests + other.requests,
    answered: one.answered + other.answered,
    refused: Object.fromEntries(refused),
    cut: one.cut + other.cut,
    replayed: one.replayed + other.replayed,
    lost: one.lost + other.lost,
    doubled: one.doubled + other.doubled,
    longestMs: Math.max(one.longestMs, other.longestMs),
    problems: [...one.problems, ...other.problems],
  };
}

interface Account {
  readonly name: string;
  readonly cut: readonly Sent[];
  readonly lost: readonly Sent[];
  readonly doubled: readonly string[];
  readonly replayed: readonly string[];
  readonly unexecuted: readonly Sent[];
  readonly unexplained: readonly Sent[];
}

function toAccount(book: Book, strikes: readonly Strike[]): Account {
  const { name, sent, executed, mayRefuse } = book;
  const broken = sent.filter(({ outcome }) => outcome === "lost");
  const executions = countBy(executed ?? []);
  const isTurnedAway = (one: Sent): boolean => met(one, strikes, "connections") && executions[one.id] === undefined;
  const isCut = (one: Sent): boolean => one.status === undefined && (met(one, strikes, "host") || isTurnedAway(one));
  const sentById = new Map(sent.map((one) => [one.id, one]));
  const repeated = Object.keys(executions).filter((id) => (executions[id] ?? 0) > 1);
  const isReplay = (id: string): boolean => {
    const one = sentById.get(id);
    return one !== undefined && idempotent.has(one.method) && executions[id] === 2 && met(one, strikes, "service");
  };
  return {
    name,
    cut: broken.filter(isCut),
    lost: broken.filter((one) => !isCut(one)),
    replayed: repeated.filter(isReplay),
    doubled: repeated.filter((id) => !isReplay(id)),
    unexecuted: sent.filter((one) => one.outcome === "answered" && executed !== undefined && !executions[one.id]),
    unexplained: sent.filter((one) => one.outcome === "refused" && !isExplained(one, mayRefuse, strikes)),
  };
}

/** A 502 says that a request met the end of a service, or that there was no connection to it: one must have been then. */
function isExplained(one: Sent, mayRefuse: readonly string[], strikes: readonly Strike[]): boolean {
  if (!mayRefuse.includes(one.code ?? "")) return false;
  if (one.code !== "DLX_TARGET_UNREACHABLE" || met(one, strikes, "connections")) return true;
  return !idempotent.has(one.method) && met(one, strikes, "service");
}

/** Whether the request was open at a moment at which such a victim was struck. */
function met({ beganAt, tookMs }: Sent, strikes: readonly Strike[], victim: Strike["victim"]): boolean {
  return strikes.some(
    ({ victim: struck, at, until = at }) => struck === victim && beganAt <= until && at <= beganAt + tookMs,
  );
}

function problemsOf({ name, lost, doubled, unexecuted, unexplained }: Account): readonly string[] {
  const describe = ({ id, method, status, code, body, tookMs }: Sent): string =>
    `${method} ${id} after ${Math.round(tookMs)} ms: ${status ?? ""} ${code ?? JSON.stringify(body).slice(0, 300)}`;
  return [
    ...firstOf(lost.map((one) => `${name}: lost ${describe(one)}`)),
    ...firstOf(doubled.map((id) => `${name}: ${id} was executed more often than the replay rule allows`)),
    ...firstOf(unexecuted.map(({ id }) => `${name}: ${id} was answered and never executed`)),
    ...firstOf(unexplained.map((one) => `${name}: a refusal that nothing explains: ${describe(one)}`)),
  ];
}

function overcut(accounts: readonly Account[], strikes: readonly Strike[]): readonly string[] {
  const open = strikes.reduce((sum, strike) => sum + (strike.victim === "service" ? 0 : strike.open), 0);
  const cut = accounts.reduce((sum, account) => sum + account.cut.length, 0);
  return cut > open ? [`${cut} requests were cut, but only ${open} were open then`] : [];
}

function firstOf(lines: readonly string[]): readonly string[] {
  if (lines.length <= mostAlike) return lines;
  return [...lines.slice(0, mostAlike), `… and ${lines.length - mostAlike} more like this`];
}

function countBy(keys: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const key of keys) counts[key] = (counts[key] ?? 0) + 1;
  return counts;
}
