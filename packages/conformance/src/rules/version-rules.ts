import type { Rule } from "../rule.ts";
import type { Stage } from "../stage.ts";
import { expect, show } from "../unmet.ts";

/** More changes than a sleep and the wakes that cross it make. */
const manyChanges = 12;

/** When the version moves, and when it stands still. */
export const versionRules: readonly Rule[] = [
  {
    id: "version/is-text",
    title: "A version is text that is not empty.",
    why: "Hosts compare it, and hand it back as it is.",
    mend: "make it text: String(generation)",
    async check(stage) {
      for (const { version, ref } of await stage.scaler.listResources())
        expect(typeof version === "string" && version !== "", `a version of ${ref.name} that is text`, version);
    },
  },
  {
    id: "version/moves-on-new-count",
    title: "A setScale to another count moves the version.",
    why: "Whoever decided on the old count must be refused.",
    mend: "count every accepted write in the version",
    async check(stage) {
      await expectMoved(stage, "setScale(1) on 0", async () => stage.scale(1));
      await expectMoved(stage, "setScale(0) on 1", async () => stage.scale(0));
    },
  },
  {
    id: "version/moves-on-same-count",
    title: "A setScale to the count that already is moves the version too.",
    why: "By that a request claims an awake resource: a stop that was decided before must not be accepted after it.",
    mend: "write something with every accepted call, such as an annotation that counts them; the platform sees no change otherwise",
    async check(stage) {
      await stage.scale(1);
      await expectMoved(stage, "setScale(1) on 1", async () => stage.scale(1));
    },
  },
  {
    id: "version/moves-on-zero-again",
    title: "A setScale to 0 of what is at 0 moves the version too.",
    why: "The autoscaler repairs the routing of a sleeping resource under a version of its own.",
    mend: "count every accepted write in the version, zero included",
    async check(stage) {
      await expectMoved(stage, "setScale(0) on 0", async () => stage.scale(0));
    },
  },
  {
    id: "version/is-the-calls-own",
    title: "setScale resolves with the version that this very call produced.",
    why: "A version that is read afterwards may be another's, and a stop under it would undo that one's wake.",
    mend: "take the version from the platform's answer to the write; never from a read before or after",
    async check(stage) {
      const version = await stage.scale(1);
      const read = (await stage.facts()).version;
      expect(version === read, `the version of setScale to be ${show(read)}, as it is read after it`, version);
    },
  },
  {
    id: "version/still-when-read",
    title: "Reading moves no version.",
    why: "The autoscaler reads all the time, and no sleep would ever be accepted.",
    mend: "take the version from what was written, never from the time or number of a read",
    async check(stage) {
      await expectStill(stage, "reads", async () => {
        await Promise.all([stage.scaler.listResources(), stage.targets(), stage.facts()]);
      });
    },
  },
  {
    id: "version/still-on-status",
    title: "A version stands still while the instances become ready.",
    why: "Status changes all the time; a stop that it refuses never happens.",
    mend: "leave readiness, addresses and conditions out of the version; a raw resourceVersion has them in it",
    buildsOn: ["version/is-the-calls-own", "scale/becomes-ready"],
    async check(stage) {
      const accepted = await stage.awaken();
      const { version } = await stage.facts();
      expect(version === accepted, `the version to stay ${show(accepted)} through becoming ready`, version);
    },
  },
  {
    id: "version/still-on-crash",
    title: "A version stands still when an instance ends by itself.",
    why: "A crash is status: nobody has wanted anything else.",
    mend: "leave restarts and instance ids out of the version",
    needs: ["endInstance"],
    buildsOn: ["targets/reachable-in-the-end", "version/still-on-status"],
    async check(stage) {
      await stage.scale(1);
      const [target] = await stage.untilReached();
      await expectStill(stage, "the end of an instance", async () => {
        await stage.endInstance(target);
        await stage.untilSettled("start");
      });
    },
  },
  {
    id: "version/moves-on-change-elsewhere",
    title: "A change of the specification by somebody else moves the version.",
    why: "A sleep that was decided before an update must not stop the updated resource.",
    mend: "take the platform's own generation or etag into the version",
    needs: ["changeElsewhere"],
    async check(stage) {
      await expectMoved(stage, "a change past the scaler", async () => stage.changeElsewhere());
    },
  },
  {
    id: "version/never-comes-back",
    title: "A version never comes back, however often the counts repeat.",
    why: "An old decision would find its version again, and be accepted.",
    mend: "let it grow for ever; a hash of the specification or a clock of seconds comes back",
    buildsOn: ["version/moves-on-new-count"],
    async check(stage) {
      const seen: string[] = [];
      for (let index = 1; index <= manyChanges; index += 1) {
        await stage.scale(index % 2);
        const { version } = await stage.facts();
        expect(!seen.includes(version), `a version other than ${show(seen)}`, version);
        seen.push(version);
      }
    },
  },
];

async function expectMoved(stage: Stage, what: string, work: () => Promise<unknown>): Promise<void> {
  const before = (await stage.facts()).version;
  await work();
  const after = (await stage.facts()).version;
  expect(after !== before, `${what} to move the version from ${show(before)}`, after);
}

async function expectStill(stage: Stage, what: string, work: () => Promise<void>): Promise<void> {
  const before = (await stage.facts()).version;
  await work();
  const after = (await stage.facts()).version;
  expect(after === before, `the version to stay ${show(before)} through ${what}`, after);
}
