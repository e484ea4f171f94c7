import type { Resource } from "@dormouse/core";
import type { Rule } from "../rule.ts";
import type { Stage } from "../stage.ts";
import { expect, show } from "../unmet.ts";

/** As many hosts as ever claim at once, and more than a platform's batch. */
const rivals = 8;

/** `ifVersion`, for scalers that compare and set. */
export const compareAndSetRules: readonly Rule[] = [
  {
    id: "cas/accepts-the-current-version",
    title: "A setScale under the version that was just read is accepted.",
    why: "No wake and no sleep would ever happen otherwise.",
    mend: "compare with the same value that getResource gives as version",
    requires: ["compareAndSet"],
    async check(stage) {
      for (const count of [1, 1, 0, 0])
        await stage.scale(count, stage.ref, { ifVersion: (await stage.facts()).version });
    },
  },
  {
    id: "cas/refuses-an-older-version",
    title: "A setScale under an older version rejects with SCALER_CONFLICT.",
    why: "Hosts read again after a conflict; any other error would end the wake.",
    mend: "translate the platform's conflict (409, 412) into SCALER_CONFLICT",
    requires: ["compareAndSet"],
    buildsOn: ["version/moves-on-new-count"],
    async check(stage) {
      const { version } = await stage.facts();
      await stage.scale(1);
      await expectConflict(stage, version);
    },
  },
  {
    id: "cas/conflict-changes-nothing",
    title: "A refused setScale changes neither count, wakeReplicas nor version.",
    why: "The refused one has lost; what the winner wrote has to stand.",
    mend: "let the platform compare and write in one conditional request",
    requires: ["compareAndSet"],
    buildsOn: ["version/moves-on-new-count"],
    async check(stage) {
      const { version } = await stage.facts();
      await stage.scale(stage.several);
      const before = await stage.facts();
      for (const count of [0, 1]) await stage.codeOf(async () => stage.scale(count, stage.ref, { ifVersion: version }));
      const after = await stage.facts();
      expect(written(before) === written(after), `${written(before)} as before the refused calls`, written(after));
    },
  },
  {
    id: "cas/claim-refuses-the-stop",
    title: "A setScale to the same count refuses whoever read before it.",
    why: "A request claims an awake resource by just that write; the stop that was on its way must come to nothing.",
    mend: "compare the whole version, also where the count has not changed",
    requires: ["compareAndSet"],
    buildsOn: ["version/moves-on-same-count", "cas/refuses-an-older-version"],
    async check(stage) {
      await stage.scale(1);
      const mark = await stage.scale(1, stage.ref, { ifVersion: (await stage.facts()).version });
      await stage.scale(1, stage.ref, { ifVersion: (await stage.facts()).version });
      await expectConflict(stage, mark, 0);
      const { desired } = await stage.facts();
      expect(desired === 1, "desired 1 after the stop was refused", desired);
    },
  },
  {
    id: "cas/status-refuses-nothing",
    title: "A version from before the instances became ready is still accepted after.",
    why: "A sleep marks, drains and then stops under the mark; status that changes meanwhile must not refuse it.",
    mend: "on a conflict that only status caused, read again and repeat while the version is still the same",
    requires: ["compareAndSet"],
    buildsOn: ["version/still-on-status", "scale/becomes-ready"],
    async check(stage) {
      const version = await stage.awaken();
      await stage.scale(0, stage.ref, { ifVersion: version });
    },
  },
  {
    id: "cas/change-elsewhere-refuses",
    title: "A change by somebody else refuses whoever read before it.",
    why: "An update or a person's scaling wins over a decision that did not know of it.",
    mend: "compare with the platform's own generation, not only with what the plugin has written",
    requires: ["compareAndSet"],
    needs: ["changeElsewhere"],
    buildsOn: ["version/moves-on-change-elsewhere", "cas/refuses-an-older-version"],
    async check(stage) {
      const { version } = await stage.facts();
      await stage.changeElsewhere();
      await expectConflict(stage, version);
    },
  },
  {
    id: "cas/only-one-of-many-wins",
    title: "Of many that write at once under the same version just one is accepted.",
    why: "Two that both won would both believe that they own the resource.",
    mend: "leave the comparison to the platform; reading and then writing lets two through",
    requires: ["compareAndSet"],
    buildsOn: ["version/moves-on-new-count"],
    async check(stage) {
      const { version } = await stage.facts();
      const write = async (): Promise<string> =>
        (await stage.codeOf(async () => stage.scale(1, stage.ref, { ifVersion: version }))) ?? "accepted";
      const outcomes = await Promise.all(Array.from({ length: rivals }, write));
      const accepted = outcomes.filter((outcome) => outcome === "accepted").length;
      expect(accepted === 1, `1 of ${String(rivals)} to be accepted`, outcomes);
    },
  },
];

async function expectConflict(stage: Stage, ifVersion: string, replicas = 1): Promise<void> {
  const code = await stage.codeOf(async () => stage.scale(replicas, stage.ref, { ifVersion }));
  expect(
    code === "SCALER_CONFLICT",
    `setScale under the older version ${show(ifVersion)} to reject with SCALER_CONFLICT`,
    code ?? "it was accepted",
  );
}

function written({ desired, wakeReplicas, version }: Resource): string {
  return `desired ${String(desired)}, wakeReplicas ${String(wakeReplicas)}, version ${version}`;
}
