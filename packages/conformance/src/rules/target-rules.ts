import { isDeepStrictEqual } from "node:util";
import type { Target } from "@dormouse/core";
import type { Rule } from "../rule.ts";
import type { Stage } from "../stage.ts";
import { expect, show } from "../unmet.ts";

/** Which addresses a host gets to dial. */
export const targetRules: readonly Rule[] = [
  {
    id: "targets/empty-when-asleep",
    title: "A resource that is asleep has no targets.",
    why: "A host would dial an address that nobody, or somebody else, has.",
    mend: "list instances, never the address that a resource will have",
    async check(stage) {
      const targets = await stage.targets();
      expect(targets.length === 0, "no targets while asleep", targets);
    },
  },
  {
    id: "targets/reachable-in-the-end",
    title: "A resource that is scaled to 1 has a target that accepts connections in the end.",
    why: "Held requests are released to nothing else.",
    mend: "list each instance with an address that the DLX can reach, as soon as it has one",
    async check(stage) {
      await stage.scale(1);
      await stage.untilReached();
    },
  },
  {
    id: "targets/one-for-each-replica",
    title: "Each of two replicas has a target of its own that accepts connections.",
    why: "The DLX spreads and paces held requests over them.",
    mend: "list instances, not one address that balances over them",
    requires: ["many"],
    buildsOn: ["targets/reachable-in-the-end"],
    async check(stage) {
      await stage.scale(2);
      const targets = await stage.untilReached(2);
      expect(targets.length === 2, "2 targets for 2 replicas", targets);
    },
  },
  {
    id: "targets/form",
    title: "Targets have an id, a host, a port, and a probe in the contract's form if any; no id is there twice.",
    why: "A host keeps licences and connections by id, and dials host and port as they are.",
    mend: "take the id from the instance itself, such as a pod's uid or a container's id and start time",
    buildsOn: ["targets/reachable-in-the-end", "targets/one-for-each-replica"],
    async check(stage) {
      await stage.scale(stage.several);
      const targets = await stage.untilReached(stage.several);
      for (const target of targets) expect(isWellFormed(target), "each target in the contract's form", target);
      const ids = new Set(targets.map(({ id }) => id));
      expect(ids.size === targets.length, "each id once", targets);
    },
  },
  {
    id: "targets/ids-stay",
    title: "An instance keeps its id while it runs.",
    why: "A new id reads as a new instance: connections to the old one are dropped, requests replayed.",
    mend: "derive the id from the instance, never from the call",
    buildsOn: ["targets/reachable-in-the-end"],
    async check(stage) {
      const before = await awakeIds(stage, 1);
      const after = idsOf(await stage.targets());
      expect(isSame(before, after), `ids ${show(before)} a second time`, after);
    },
  },
  {
    id: "targets/ids-not-given-again",
    title: "An id is not given to a later instance.",
    why: "What is known of the ended instance would be believed of the new one.",
    mend: "number starts, or take the platform's uid; an index or an address comes back",
    buildsOn: ["targets/reachable-in-the-end", "scale/ends-at-zero"],
    async check(stage) {
      const before = await awakeIds(stage, 1);
      await stage.putToSleep();
      const after = await awakeIds(stage, 1);
      const again = after.filter((id) => before.includes(id));
      expect(again.length === 0, `other ids than ${show(before)} after a stop and a start`, after);
    },
  },
  {
    id: "targets/first-port-by-default",
    title: "Without a port's name the resource's first port is meant.",
    why: "Most resources have one port, and routes do not name it.",
    mend: "default to ports[0]",
    buildsOn: ["targets/reachable-in-the-end", "targets/ids-stay"],
    async check(stage) {
      await awakeIds(stage, 1);
      const [first] = (await stage.facts()).ports;
      const named = await stage.scaler.resolveTargets(stage.ref, first?.name);
      const unnamed = await stage.targets();
      expect(
        isDeepStrictEqual(addresses(named), addresses(unnamed)),
        `the targets of port ${show(first?.name)}, ${show(addresses(named))}`,
        addresses(unnamed),
      );
    },
  },
  {
    id: "targets/kept-on-same-count",
    title: "A setScale to the same count keeps the instances.",
    why: "Claims and marks write the same count on resources that are in use.",
    mend: "change nothing that the platform restarts instances for: no label of the template, no new specification",
    buildsOn: ["targets/one-for-each-replica", "targets/ids-stay"],
    async check(stage) {
      const before = await awakeIds(stage, stage.several);
      await stage.scale(stage.several);
      await stage.untilSettled();
      const after = idsOf(await stage.targets());
      expect(isSame(before, after), `ids ${show(before)} after setScale to the same count`, after);
    },
  },
  {
    id: "targets/none-after-a-stop",
    title: "As soon as setScale(0) has resolved there are no targets, though instances may still run.",
    why: "An instance whose stop was accepted takes a request and is gone before it has answered.",
    mend: "answer an empty list while desired is 0",
    buildsOn: ["targets/reachable-in-the-end", "targets/one-for-each-replica"],
    async check(stage) {
      await awakeIds(stage, stage.several);
      await stage.scale(0);
      await stage.whileSettling(async () => {
        const targets = await stage.targets();
        expect(targets.length === 0, "no targets once setScale(0) has resolved", targets);
      });
    },
  },
  {
    id: "targets/none-from-before-a-stop",
    title: "After a stop and a quick wake no target is listed that the stop still ends.",
    why: "The old instance looks healthy until it goes, and takes the first held requests with it.",
    mend: "list an older instance only once the platform has taken the new count in, and never one that is marked to end",
    buildsOn: ["targets/reachable-in-the-end", "targets/ids-stay"],
    async check(stage) {
      await awakeIds(stage, 1);
      await stage.scale(0);
      await stage.scale(1);
      await expectListedStay(stage, 1);
    },
  },
  {
    id: "targets/survive-a-smaller-count",
    title: "After a setScale to fewer no target is listed that this ends.",
    why: "The platform chooses whom it ends; a request to that one would be cut.",
    mend: "while the platform has not chosen, list none of those it may choose",
    requires: ["many"],
    buildsOn: ["targets/one-for-each-replica", "targets/ids-stay"],
    async check(stage) {
      await awakeIds(stage, 2);
      await stage.scale(1);
      await expectListedStay(stage, 1);
    },
  },
  {
    id: "targets/answer-while-starting",
    title: "resolveTargets answers while the resource starts, and does not wait for it.",
    why: "The DLX asks again and again, and dials the moment an address is there.",
    mend: "answer with what there is now, also when that is nothing",
    needs: ["holdStart"],
    buildsOn: ["scale/resolves-when-accepted"],
    async check(stage) {
      await stage.disturb("holdStart");
      await stage.scale(1);
      const { rejected, value } = await stage.outcomeOf("resolveTargets while the start is held up", async () =>
        stage.targets(),
      );
      expect(!rejected, "resolveTargets to answer while the start is held up", value);
    },
  },
  {
    id: "targets/forget-the-dead",
    title: "The target of an instance that has ended by itself goes from the list.",
    why: "The DLX would dial it for ever, and its address may soon be somebody else's.",
    mend: "list what runs now, from the platform's own state",
    needs: ["endInstance"],
    buildsOn: ["targets/reachable-in-the-end", "targets/ids-stay"],
    async check(stage) {
      await stage.scale(1);
      const [target] = await stage.untilReached(1);
      await stage.endInstance(target);
      const look = async (): Promise<string[]> => idsOf(await stage.targets());
      await stage.until(
        `target ${show(target?.id)} to go`,
        look,
        (ids) => target !== undefined && !ids.includes(target.id),
      );
    },
  },
];

/** Scales, and waits for as many targets. @returns their ids */
async function awakeIds(stage: Stage, count: number): Promise<string[]> {
  await stage.scale(count);
  return idsOf(await stage.untilReached(count));
}

/** Every target that is listed from now on is still there once everything has settled, and one at least is. */
async function expectListedStay(stage: Stage, count: number): Promise<void> {
  const seen = new Set<string>();
  const collect = async (): Promise<void> => {
    for (const id of idsOf(await stage.targets())) seen.add(id);
  };
  await stage.whileSettling(collect);
  const last = idsOf(await stage.untilReached(count));
  const gone = [...seen].filter((id) => !last.includes(id));
  expect(gone.length === 0, "every listed target to stay", `${show(gone)} was listed, and ended`);
}

function isWellFormed({ id, host, port, ready, probe }: Target): boolean {
  const isReady = ready === undefined || typeof ready === "boolean";
  return [id, host].every(isText) && isPort(port) && isReady && (probe === undefined || isProbe(probe));
}

function isProbe({ path, port, status }: NonNullable<Target["probe"]>): boolean {
  const isStatus = status === undefined || (Number.isSafeInteger(status) && status >= 100 && status <= 599);
  return isText(path) && path.startsWith("/") && (port === undefined || isPort(port)) && isStatus;
}

function isText(value: unknown): boolean {
  return typeof value === "string" && value !== "";
}

function isPort(value: unknown): boolean {
  return Number.isSafeInteger(value) && Number(value) >= 1 && Number(value) <= 65_535;
}

function idsOf(targets: readonly Target[]): string[] {
  return targets.map(({ id }) => id);
}

function addresses(targets: readonly Target[]): string[] {
  return targets.map(({ id, host, port }) => `${id} at ${host}:${String(port)}`).sort();
}

function isSame(before: readonly string[], after: readonly string[]): boolean {
  return isDeepStrictEqual([...before].sort(), [...after].sort());
}
