import { isErrorCode, type Resource } from "@dormouse/core";
import { showRef } from "../call-bounds.ts";
import type { Rule } from "../rule.ts";
import { expect } from "../unmet.ts";

/** Platforms keep times to the second at worst. */
const timeStepMs = 1_000;

/** What setScale does to counts and instances. */
export const scaleRules: readonly Rule[] = [
  {
    id: "scale/is-read-back-at-once",
    title: "A count is read back as soon as setScale has resolved.",
    why: "The next decision rests on it; from a cache it would still see the old count.",
    mend: "read from the platform in getResource, and resolve setScale only when the platform has accepted",
    async check(stage) {
      for (const count of [stage.several, 0]) {
        await stage.scale(count);
        const { desired } = await stage.facts();
        expect(desired === count, `desired ${String(count)} right after setScale(${String(count)})`, desired);
      }
    },
  },
  {
    id: "scale/becomes-ready",
    title: "A resource that is scaled to 1 becomes ready.",
    why: "That is what a wake is for.",
    mend: "start the instance, and count it as ready once the platform does",
    async check(stage) {
      await stage.awaken();
    },
  },
  {
    id: "scale/starts-every-replica",
    title: "A resource that is scaled to 2 gets 2 ready.",
    why: "A wake brings back as many as there were before the sleep.",
    mend: "hand the count to the platform as it is",
    requires: ["many"],
    buildsOn: ["scale/becomes-ready"],
    async check(stage) {
      await stage.awaken(2);
    },
  },
  {
    id: "scale/ends-at-zero",
    title: "A resource that is scaled to 0 has none ready in the end.",
    why: "It goes on costing otherwise, while everybody believes it asleep.",
    mend: "stop every instance, and count those that still run",
    buildsOn: ["scale/becomes-ready"],
    async check(stage) {
      await stage.scale(stage.several);
      await stage.untilFacts("1 ready or more", ({ ready }) => ready >= 1);
      await stage.putToSleep();
      await stage.whileSettling(async () => {
        const { ready } = await stage.facts();
        expect(ready === 0, "0 ready to stay", ready);
      });
    },
  },
  {
    id: "scale/stores-wake-replicas",
    title: "A count of 1 or more is wakeReplicas as soon as setScale has resolved.",
    why: "If the host dies right after, the next wake still asks for the right count.",
    mend: "write the count and wakeReplicas in one request",
    requires: ["many"],
    async check(stage) {
      for (const count of [2, 1, 2]) {
        await stage.scale(count);
        const { wakeReplicas } = await stage.facts();
        expect(wakeReplicas === count, `wakeReplicas ${String(count)} after setScale(${String(count)})`, wakeReplicas);
      }
    },
  },
  {
    id: "scale/zero-keeps-wake-replicas",
    title: "A count of 0 leaves wakeReplicas alone, however often it is set.",
    why: "A wake finds the count from before the sleep by it.",
    mend: "store wakeReplicas only with a count of 1 or more",
    async check(stage) {
      await stage.scale(stage.several);
      const before = (await stage.facts()).wakeReplicas;
      for (const time of ["first", "second"]) {
        await stage.scale(0);
        const after = (await stage.facts()).wakeReplicas;
        expect(after === before, `wakeReplicas ${String(before)} after the ${time} setScale(0)`, after);
      }
    },
  },
  {
    id: "scale/leaves-others-alone",
    title: "Scaling one resource changes nothing of another.",
    why: "One service's idleness would stop its neighbour.",
    mend: "key everything by namespace and name, locks and caches included",
    needs: ["other"],
    async check(stage) {
      const before = await stage.facts(stage.other);
      await stage.scale(1);
      await stage.scale(0);
      await stage.untilSettled();
      const after = await stage.facts(stage.other);
      const isSame = after.version === before.version && after.desired === before.desired;
      expect(isSame, `${showRef(stage.other)} to keep ${facts(before)}`, facts(after));
    },
  },
  {
    id: "scale/resolves-when-accepted",
    title: "setScale resolves once the platform has accepted, and does not wait for a start.",
    why: "A start may take minutes; the host watches targets meanwhile, and a call has 10 s.",
    mend: "return after the platform's answer to the write",
    needs: ["holdStart"],
    async check(stage) {
      await stage.disturb("holdStart");
      const { rejected, value } = await stage.outcomeOf("setScale(1) while the start is held up", async () =>
        stage.scale(1),
      );
      expect(!rejected, "setScale(1) to be accepted while the start is held up", value);
      const { ready } = await stage.facts();
      expect(ready === 0, "0 ready while the harness holds the start up (see its holdStart)", ready);
    },
  },
  {
    id: "scale/failure-is-told",
    title: "A start that fails shows as a failure, with a code of the table and the platform's words.",
    why: "Held requests are answered at once with the cause, instead of waiting for a timeout.",
    mend: "map the platform's reasons to failure: { code, message }, in the plugin's error file",
    needs: ["breakStart"],
    async check(stage) {
      await stage.disturb("breakStart");
      await stage.scale(1);
      const { failure } = await stage.untilFacts("a failure", (resource) => resource.failure !== undefined);
      expect(isErrorCode(failure?.code), "failure.code to be a code of the error table", failure);
      expect(typeof failure.message === "string" && failure.message !== "", "failure.message to be text", failure);
    },
  },
  {
    id: "scale/same-count-tries-again",
    title: "After a failure a setScale to the same count starts what is missing, and the failure goes.",
    why: "A failure is never kept as a fact: the next request wakes by writing the same count again.",
    mend: "start missing instances on every accepted setScale, and report a failure only while it lasts",
    needs: ["breakStart"],
    buildsOn: ["scale/becomes-ready", "scale/failure-is-told"],
    async check(stage) {
      const mend = await stage.disturb("breakStart");
      await stage.scale(1);
      await stage.untilFacts("a failure", ({ failure }) => failure !== undefined);
      await mend();
      await stage.scale(1);
      await stage.untilFacts("1 ready and no failure", ({ ready, failure }) => ready === 1 && failure === undefined);
    },
  },
  {
    id: "scale/moves-updated-at",
    title: "A change of the count moves updatedAt, and leaves createdAt alone.",
    why: "A resource that has just woken is not put to sleep within minAwake of that time.",
    mend: "set updatedAt with each write, from the platform's own time where it has one",
    async check(stage) {
      const before = await stage.facts();
      const look = (): Promise<number> => Promise.resolve(stage.clock.now());
      await stage.until("the time of the last change to pass", look, (now) => now >= before.updatedAt + timeStepMs);
      await stage.scale(1);
      const after = await stage.untilUpdated(before);
      expect(after.createdAt === before.createdAt, `createdAt to stay ${String(before.createdAt)}`, after.createdAt);
    },
  },
];

function facts({ desired, version }: Resource): string {
  return `desired ${String(desired)}, version ${version}`;
}
