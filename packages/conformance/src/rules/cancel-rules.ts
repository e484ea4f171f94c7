import { isScalerError, type CallOptions } from "@dormouse/core";
import type { Rule } from "../rule.ts";
import type { Outcome } from "../outcome.ts";
import type { Stage } from "../stage.ts";
import { expect, show } from "../unmet.ts";

/** Enough to meet a lock that one aborted call has kept. */
const abortedCalls = 3;

/** What an abort does, and does not. */
export const cancelRules: readonly Rule[] = [
  {
    id: "cancel/aborted-before-rejects",
    title: "A read whose signal has aborted already rejects.",
    why: "Whoever gave up must not be answered as if it had waited.",
    mend: "begin each call with options?.signal?.throwIfAborted(), or hand the signal to the platform's client",
    async check(stage) {
      for (const [name, read] of readsOf(stage)) {
        const { rejected, value } = await stage.outcomeOf(`${name} with an aborted signal`, async () =>
          read({ signal: aborted() }),
        );
        expect(rejected, `${name} to reject where its signal has aborted already`, `it resolved with ${show(value)}`);
      }
    },
  },
  {
    id: "cancel/aborted-before-changes-nothing",
    title: "A setScale whose signal has aborted already rejects and changes nothing.",
    why: "Somebody gave that wish up before it was sent.",
    mend: "look at the signal before the write is sent",
    async check(stage) {
      const before = await stage.facts();
      const call = async (): Promise<string> => stage.scale(1, stage.ref, { signal: aborted() });
      const { rejected, value } = await stage.outcomeOf("setScale with an aborted signal", call);
      expect(rejected, "setScale to reject where its signal has aborted already", `it resolved with ${show(value)}`);
      const after = await stage.facts();
      expect(after.version === before.version, `version ${before.version} as before`, after.version);
    },
  },
  {
    id: "cancel/says-aborted",
    title: "An aborted call rejects with the signal's reason, an AbortError or SCALER_ABORTED.",
    why: "Any other error reads as the platform's, and counts against the resource.",
    mend: "let the abort through instead of translating it as a failure of the platform",
    buildsOn: ["cancel/aborted-before-rejects"],
    async check(stage) {
      const reason = new Error("given up by the kit");
      for (const [name, read] of readsOf(stage)) {
        const { value } = await stage.outcomeOf(name, async () => read({ signal: AbortSignal.abort(reason) }));
        expect(
          saysAborted(value, reason),
          `${name} to reject with the signal's reason, an AbortError or SCALER_ABORTED`,
          value,
        );
      }
    },
  },
  {
    id: "cancel/settles-promptly",
    title: "A call that is aborted on its way settles promptly, one way or the other.",
    why: "A host that stops, or a client that left, waits for it.",
    mend: "race every wait with the signal",
    async check(stage) {
      const calls = [...readsOf(stage), ["setScale", writeOf(stage)] as const];
      for (const [name, call] of calls) await abortOnTheWay(stage, `${name} after an abort on its way`, call);
    },
  },
  {
    id: "cancel/leaves-a-stalled-platform",
    title: "A call that the platform never answers rejects promptly once it is aborted.",
    why: "Platforms do hang; every deadline of the host rests on the signal.",
    mend: "hand the signal to the platform's client, all the way to the socket",
    needs: ["stallPlatform"],
    async check(stage) {
      await stage.disturb("stallPlatform");
      const calls = [...readsOf(stage), ["setScale", writeOf(stage)] as const];
      for (const [name, call] of calls) {
        const { rejected, value } = await abortOnTheWay(stage, `${name} on a stalled platform after an abort`, call);
        expect(rejected, `${name} to reject while the platform answers nothing`, `it resolved with ${show(value)}`);
      }
    },
  },
  {
    id: "cancel/keeps-no-lock",
    title: "After aborted calls the next one works.",
    why: "A lock that an abort leaves behind stops the resource's wakes until the host restarts.",
    mend: "release in finally whatever a call holds",
    async check(stage) {
      for (let index = 0; index < abortedCalls; index += 1)
        await abortOnTheWay(stage, "setScale after an abort", writeOf(stage));
      await stage.scale(1);
      const { desired } = await stage.facts();
      expect(desired === 1, "desired 1 after a setScale(1) that followed aborted ones", desired);
    },
  },
  {
    id: "cancel/ends-one-caller-only",
    title: "An abort ends the caller's own call, and not a like one of somebody else.",
    why: "Callers that share one request to the platform must not share its end.",
    mend: "where calls are shared, abort the shared one only when the last caller has left",
    async check(stage) {
      for (const [name, read] of readsOf(stage)) {
        const abort = new AbortController();
        void stage.codeOf(async () => read({ signal: abort.signal }));
        const theirs = stage.outcomeOf(name, async () => read({}), stage.withinMs);
        abort.abort();
        const { rejected, value } = await theirs;
        expect(!rejected, `${name} to answer while another caller aborts its own`, value);
      }
    },
  },
  {
    id: "cancel/settles-in-time",
    title: "An aborted setScale has its effect within settleWithinMs, or never.",
    why: "Where nothing can be compared, hosts wait that long before the next wake; a stop that lands later cuts requests.",
    mend: "declare the longest time that the platform may take to carry out what it was sent",
    async check(stage) {
      await abortOnTheWay(stage, "setScale after an abort", writeOf(stage));
      await stage.clock.sleep(stage.instance.capabilities.settleWithinMs);
      const { version } = await stage.facts();
      await stage.whileSettling(async () => {
        const now = (await stage.facts()).version;
        expect(now === version, `the version to stay ${show(version)} once settleWithinMs has passed`, now);
      });
    },
  },
];

type Read = (options: CallOptions) => Promise<unknown>;

function readsOf({ scaler, ref }: Stage): readonly (readonly [string, Read])[] {
  return [
    ["listResources", async (options) => scaler.listResources(options)],
    ["getResource", async (options) => scaler.getResource(ref, options)],
    ["resolveTargets", async (options) => scaler.resolveTargets(ref, undefined, options)],
  ];
}

function writeOf(stage: Stage): Read {
  return async (options) => stage.scale(1, stage.ref, options);
}

async function abortOnTheWay(stage: Stage, what: string, call: Read): Promise<Outcome> {
  const abort = new AbortController();
  const outcome = stage.outcomeOf(what, async () => call({ signal: abort.signal }));
  // The call has begun, and gets one turn to send something.
  await stage.clock.sleep(0);
  abort.abort();
  return outcome;
}

function aborted(): AbortSignal {
  return AbortSignal.abort();
}

function saysAborted(error: unknown, reason: Error): boolean {
  if (error === reason || (isScalerError(error) && error.code === "SCALER_ABORTED")) return true;
  return error instanceof Error && (error.name === "AbortError" || error.cause === reason);
}
