import { expect, it } from "vitest";
import { inspectedContainer } from "../test/inspected-container.ts";
import { type ContainerGroup, toGroup } from "./container-group.ts";
import { chooseWanted, planActions } from "./plan-actions.ts";

interface Member {
  readonly id: string;
  readonly status: string;
  /** Id of the container that it was made after. */
  readonly of?: string;
}

function groupOf(members: readonly Member[]): ContainerGroup {
  const read = members.map(({ id, status, of }) =>
    inspectedContainer({
      Id: id,
      Name: `/${id}`,
      State: { Status: status },
      Config: { Labels: of === undefined ? {} : { "dormouse.dev/replica-of": of } },
    }),
  );
  const group = toGroup({ ref: { namespace: "default", name: "web" }, members: [], isAmbiguous: false }, read, []);
  if (group === undefined) throw new Error("the group is empty");
  return group;
}

function actions(members: readonly Member[], wanted: readonly string[], sleepBy: "stop" | "pause" | "remove") {
  const wish = { desired: wanted.length, wanted: new Set(wanted), sleepBy };
  return planActions(groupOf(members), wish).map(({ kind, container }) => `${kind} ${container.Id}`);
}

const statuses = ["created", "running", "restarting", "paused", "exited", "removing", "dead"];

it.each(["stop", "pause", "remove"] as const)("never removes a container that was not made here (%s)", (sleepBy) => {
  for (const status of statuses) {
    for (const wanted of [[], ["a"], ["b"], ["a", "b"]]) {
      const planned = actions(
        [
          { id: "a", status },
          { id: "b", status: "exited", of: "a" },
        ],
        wanted,
        sleepBy,
      );
      expect(planned).not.toContain("remove a");
    }
  }
});

it("starts what is down, and unpauses what is paused", () => {
  const members = statuses.map((status) => ({ id: status, status }));
  expect(actions(members, statuses, "stop")).toEqual(["start created", "start exited", "unpause paused"]);
});

it("stops, pauses or makes anew what is not wanted any more, by the way to sleep", () => {
  const members = [
    { id: "a", status: "running" },
    { id: "b", status: "exited" },
    { id: "c", status: "created" },
    { id: "d", status: "paused" },
  ];
  expect(actions(members, [], "stop")).toEqual(["stop a"]);
  expect(actions(members, [], "pause")).toEqual(["pause a"]);
  expect(actions(members, [], "remove")).toEqual(["stop a", "remake b"]);
});

it("stops what is between two starts, which cannot be paused", () => {
  expect(actions([{ id: "a", status: "restarting" }], [], "pause")).toEqual(["stop a"]);
});

it("keeps replicas while all sleep, and removes those that are too many while some are wanted", () => {
  const members = [
    { id: "a", status: "exited" },
    { id: "b", status: "exited", of: "a" },
    { id: "c", status: "running", of: "a" },
  ];
  expect(actions(members, [], "stop")).toEqual(["stop c"]);
  expect(actions(members, ["a"], "stop")).toEqual(["start a", "remove b", "stop c"]);
  expect(actions(members, [], "remove")).toEqual(["remake a", "remove b", "stop c"]);
});

it("removes replicas of a container that is not there any more, and wants no other of them", () => {
  const group = groupOf([
    { id: "a", status: "exited" },
    { id: "b", status: "exited", of: "gone" },
    { id: "c", status: "running", of: "gone" },
  ]);
  expect([...chooseWanted(group, new Set(["c"]), 2)]).toEqual(["c", "a"]);
  const wish = { desired: 0, wanted: new Set<string>(), sleepBy: "pause" as const };
  expect(planActions(group, wish).map(({ kind, container }) => `${kind} ${container.Id}`)).toEqual([
    "remove b",
    "stop c",
  ]);
});

it("keeps those that run when fewer are wanted, originals first", () => {
  const group = groupOf([
    { id: "a", status: "running" },
    { id: "b", status: "exited" },
    { id: "c", status: "running", of: "a" },
  ]);
  const running = new Set(["a", "c"]);
  expect([...chooseWanted(group, running, 1)]).toEqual(["a"]);
  expect([...chooseWanted(group, running, 2)]).toEqual(["a", "c"]);
  expect([...chooseWanted(group, running, 3)]).toEqual(["a", "c", "b"]);
  expect([...chooseWanted(group, running, 0)]).toEqual([]);
});
