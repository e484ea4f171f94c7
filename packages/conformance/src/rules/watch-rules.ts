import { isDeepStrictEqual } from "node:util";
import type { Resource } from "@dormouse/core";
import { showRef } from "../call-bounds.ts";
import type { Rule } from "../rule.ts";
import type { Stage } from "../stage.ts";
import { expect, show } from "../unmet.ts";

const watches = { requires: ["watch"] } as const;

/** `watchResources`, for scalers that watch. */
export const watchRules: readonly Rule[] = [
  {
    ...watches,
    id: "watch/snapshot-first",
    title: "The first thing a watch gives is a snapshot.",
    why: "A host that starts, or lost its watch, knows nothing else.",
    mend: "list first, then give changes from that point on",
    buildsOn: ["shape/methods"],
    async check(stage) {
      const change = await stage.watch().next();
      expect(change?.kind === "snapshot", "a snapshot first", change?.kind ?? "the end");
    },
  },
  {
    ...watches,
    id: "watch/snapshot-is-whole",
    title: "The snapshot holds every resource that the list holds.",
    why: "What is not in it counts as gone.",
    mend: "make it from the same list as listResources",
    buildsOn: ["shape/methods"],
    async check(stage) {
      const listed = keysOf(await stage.scaler.listResources());
      const snapshot = keysOf(await stage.watch().untilSnapshot());
      expect(isDeepStrictEqual(snapshot, listed), `${show(listed)}, as listed`, snapshot);
    },
  },
  {
    ...watches,
    id: "watch/shows-a-new-count",
    title: "A watch shows an accepted count, with its version.",
    why: "Every host learns by it of the others' wakes and sleeps.",
    mend: "give a change for every accepted setScale",
    buildsOn: ["shape/methods", "version/is-the-calls-own"],
    async check(stage) {
      const reader = stage.watch();
      await reader.untilSnapshot();
      const version = await stage.scale(1);
      await reader.untilView(`desired 1 under version ${version}`, (view) => {
        const seen = view.get(showRef(stage.ref));
        return seen?.desired === 1 && seen.version === version;
      });
    },
  },
  {
    ...watches,
    id: "watch/shows-readiness",
    title: "A watch shows that an instance has become ready.",
    why: "The DLX dials at that moment instead of at its next look.",
    mend: "give changes of status too",
    buildsOn: ["shape/methods", "scale/becomes-ready"],
    async check(stage) {
      const reader = stage.watch();
      await reader.untilSnapshot();
      await stage.scale(1);
      await reader.untilView("1 ready", (view) => view.get(showRef(stage.ref))?.ready === 1);
    },
  },
  {
    ...watches,
    id: "watch/shows-a-change-elsewhere",
    title: "A watch shows a change by somebody else.",
    why: "Policies, routes and counts are changed with other tools.",
    mend: "watch the platform itself, not only the plugin's own calls",
    needs: ["changeElsewhere"],
    buildsOn: ["shape/methods", "version/moves-on-change-elsewhere"],
    async check(stage) {
      const reader = stage.watch();
      await reader.untilSnapshot();
      await stage.changeElsewhere();
      const { version } = await stage.facts();
      await reader.untilView(`version ${version}`, (view) => view.get(showRef(stage.ref))?.version === version);
    },
  },
  {
    ...watches,
    id: "watch/shows-what-is-gone",
    title: "A watch shows that a resource is gone.",
    why: "Its routes would lead to nothing.",
    mend: 'give { kind: "gone", ref }, or a new snapshot without it',
    needs: ["remove"],
    buildsOn: ["shape/methods"],
    async check(stage) {
      const reader = stage.watch();
      await reader.untilSnapshot();
      await stage.disturb("remove");
      await reader.untilView(`no ${showRef(stage.ref)}`, (view) => !view.has(showRef(stage.ref)));
    },
  },
  {
    ...watches,
    id: "watch/catches-up",
    title: "A reader that was slow sees the last count in the end.",
    why: "Between two reads many changes may come; the last one must not be lost.",
    mend: "keep the newest change of each resource for the reader, and drop older ones first",
    buildsOn: ["shape/methods", "watch/shows-a-new-count"],
    async check(stage) {
      const reader = stage.watch();
      await reader.untilSnapshot();
      for (const count of [1, 0, 1]) await stage.scale(count);
      const version = await stage.scale(0);
      await reader.untilView(`version ${version}`, (view) => view.get(showRef(stage.ref))?.version === version);
    },
  },
  {
    ...watches,
    id: "watch/agrees-with-get",
    title: "What a watch says of a resource is what getResource says.",
    why: "Decisions are made from either.",
    mend: "make both from the same mapping of the platform's answer",
    buildsOn: ["shape/methods", "watch/catches-up", "list/get-answers-what-was-asked", "scale/ends-at-zero"],
    async check(stage) {
      const reader = stage.watch();
      await reader.untilSnapshot();
      await stage.awaken();
      await stage.putToSleep();
      const wanted = await stage.facts();
      await reader.untilView("the resource as getResource has it", (view) =>
        isDeepStrictEqual({ ...view.get(showRef(stage.ref)) }, { ...wanted }),
      );
    },
  },
  {
    ...watches,
    id: "watch/ends-on-abort",
    title: "A watch ends promptly once its signal aborts.",
    why: "A host that stops waits for its reader.",
    mend: "race the wait for the next change with the signal",
    buildsOn: ["shape/methods"],
    async check(stage) {
      const reader = stage.watch();
      await reader.untilSnapshot();
      await reader.abort();
    },
  },
  {
    ...watches,
    id: "watch/watchers-stand-alone",
    title: "The end of one watch leaves another one going.",
    why: "Autoscaler and DLX watch through the same instance.",
    mend: "keep queue, signal and end per watcher",
    buildsOn: ["shape/methods", "watch/shows-a-new-count", "watch/ends-on-abort"],
    async check(stage) {
      const [first, second] = [stage.watch(), stage.watch()];
      await Promise.all([first.untilSnapshot(), second.untilSnapshot()]);
      await first.abort();
      const version = await stage.scale(1);
      await second.untilView(`version ${version}`, (view) => view.get(showRef(stage.ref))?.version === version);
    },
  },
  {
    ...watches,
    id: "watch/ends-on-leave",
    title: "Leaving the loop over a watch ends it.",
    why: "A watcher that nobody reads would collect changes for ever.",
    mend: "clean up in finally of the generator, or in return()",
    buildsOn: ["shape/methods"],
    async check(stage) {
      const reader = stage.watch();
      await reader.untilSnapshot();
      await reader.leave();
    },
  },
  {
    ...watches,
    id: "watch/ends-on-dispose",
    title: "A watch ends when the scaler is disposed.",
    why: "A host that stops waits for its reader.",
    mend: "end every watcher in dispose",
    buildsOn: ["shape/methods"],
    async check(stage) {
      const reader = stage.watch();
      await reader.untilSnapshot();
      const end = stage.outcomeOf("watchResources() to end with the scaler", async () => untilEnd(stage, reader));
      await Promise.all([end, stage.dispose()]);
    },
  },
];

async function untilEnd(stage: Stage, reader: ReturnType<Stage["watch"]>): Promise<void> {
  for (;;) if ((await reader.next(stage.withinMs + stage.promptlyMs)) === undefined) return;
}

function keysOf(resources: readonly Resource[]): string[] {
  return resources.map(({ ref }) => showRef(ref)).sort();
}
