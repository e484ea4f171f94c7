import type { Rule } from "../rule.ts";
import type { Stage } from "../stage.ts";
import { expect, show } from "../unmet.ts";

/** As many calls as overlap when several hosts and people act at once. */
const overlapping = 8;

/** What calls that overlap, and calls in quick succession, end in. */
export const raceRules: readonly Rule[] = [
  {
    id: "races/a-version-for-each-call",
    title: "Calls of setScale that overlap each have a version of their own.",
    why: "Two hosts that hold the same version both believe that they own the resource.",
    mend: "do not merge overlapping calls into one write",
    buildsOn: ["version/moves-on-same-count"],
    async check(stage) {
      const versions = await Promise.all(Array.from({ length: overlapping }, async () => stage.scale(1)));
      expect(new Set(versions).size === overlapping, `${String(overlapping)} versions`, versions);
    },
  },
  {
    id: "races/ends-as-the-last-one-wished",
    title: "After calls that overlap, count and version are those of one and the same call.",
    why: "A stop whose count was lost, and whose version was not, would be believed.",
    mend: "write count and version in one request",
    buildsOn: ["version/is-the-calls-own", "version/moves-on-new-count"],
    async check(stage) {
      const counts = Array.from({ length: overlapping }, (_, index) => index % 2);
      const calls = await Promise.all(counts.map(async (count) => ({ count, version: await stage.scale(count) })));
      const { desired, version } = await stage.facts();
      const last = calls.find((call) => call.version === version);
      expect(last !== undefined, `the version of one of ${show(calls)}`, version);
      expect(
        last.count === desired,
        `desired ${String(last.count)}, as the call of version ${version} wished`,
        desired,
      );
    },
  },
  {
    id: "races/reads-while-scaling",
    title: "Reads that overlap with scaling are answered.",
    why: "The autoscaler lists while the DLX wakes.",
    mend: "let calls overlap; reads need no lock",
    async check(stage) {
      const { scaler, ref } = stage;
      const reads = (): Promise<unknown>[] => [scaler.listResources(), scaler.getResource(ref), stage.targets()];
      await Promise.all([stage.scale(1), ...reads(), stage.scale(0), ...reads()]);
    },
  },
  {
    id: "races/wake-right-after-a-stop",
    title: "A wake right after a stop ends awake and reachable.",
    why: "The next request often comes just when the stop has been sent.",
    mend: "follow the last accepted count; a stop that is still running must not take the new instance along",
    buildsOn: ["targets/reachable-in-the-end"],
    async check(stage) {
      await stage.scale(1);
      await stage.untilReached();
      await stage.scale(0);
      await stage.scale(1);
      await stage.untilSettled();
      await stage.untilReached();
      await expectDesired(stage, 1);
    },
  },
  {
    id: "races/stop-while-starting",
    title: "A stop while the resource starts ends asleep, and stays so.",
    why: "A start that finishes late would run on with nobody to stop it.",
    mend: "end what is starting too, and check the wanted count once a start has finished",
    buildsOn: ["scale/ends-at-zero"],
    async check(stage) {
      await stage.scale(1);
      await stage.scale(0);
      await stage.untilFacts("0 ready", ({ ready }) => ready === 0);
      await stage.untilSettled("start");
      const { desired, ready } = await stage.facts();
      expect(desired === 0 && ready === 0, "desired 0 and ready 0 to stay", { desired, ready });
    },
  },
  {
    id: "races/two-at-once",
    title: "Two resources wake at the same time.",
    why: "One slow start must not keep every other service waiting.",
    mend: "lock per resource, if at all",
    needs: ["other"],
    buildsOn: ["targets/reachable-in-the-end"],
    async check(stage) {
      await Promise.all([stage.scale(1), stage.scale(1, stage.other)]);
      await Promise.all([stage.untilReached(), stage.untilReached(1, stage.other)]);
    },
  },
];

async function expectDesired(stage: Stage, count: number): Promise<void> {
  const { desired } = await stage.facts();
  expect(desired === count, `desired ${String(count)}`, desired);
}
