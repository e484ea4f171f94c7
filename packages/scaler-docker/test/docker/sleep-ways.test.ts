import { expect, it } from "vitest";
import { ask, eventually, openScene, resourceWhen, sleep, wake } from "./test-scaler.ts";

it("pauses instead of stopping where a label says so, and every pause ends a run", async () => {
  const { project, scaler, refOf } = await openScene();
  const id = await project.create(refOf("web").name, { labels: { "dormouse.dev/sleep-by": "pause" } });
  const [first] = await wake(scaler, refOf("web"));
  const { Pid } = (await project.inspect(id)).State;
  await sleep(scaler, refOf("web"));
  expect((await project.inspect(id)).State).toMatchObject({ Status: "paused", Pid });
  expect(await scaler.resolveTargets(refOf("web"), undefined)).toEqual([]);
  const [second] = await wake(scaler, refOf("web"));
  expect((await project.inspect(id)).State).toMatchObject({ Status: "running", Pid });
  expect(second?.host).toBe(first?.host);
  expect(second?.id).not.toBe(first?.id);
  expect(await ask(second ?? { host: "", port: 0 })).toBe("awake\n");
});

it("pauses and removes replicas as they are too many", async () => {
  const { project, scaler, refOf } = await openScene({ sleepBy: "pause" });
  const id = await project.create(refOf("web").name);
  await wake(scaler, refOf("web"), 2);
  await sleep(scaler, refOf("web"));
  expect((await project.containers()).map(({ State }) => State)).toEqual(["paused", "paused"]);
  await wake(scaler, refOf("web"), 1);
  await eventually(async () => expect((await project.containers()).map(({ Id }) => Id)).toEqual([id]));
});

it("puts a container that never ran in place of the one that slept by remove, under its name and in its network", async () => {
  const { project, scaler, refOf, reopen } = await openScene();
  const { name } = refOf("web");
  const labels = { "dormouse.dev/sleep-by": "remove" };
  const first = await project.create(name, { labels });
  await wake(scaler, refOf("web"), 2);
  const written = await project.docker
    .getContainer(first)
    .exec({ Cmd: ["/bin/sh", "-c", "echo old > /www/index.html"] });
  await written.start({});
  await sleep(scaler, refOf("web"));
  const [only, ...others] = await eventually(async () => {
    const containers = await project.containers();
    expect(containers.map(({ State, Names }) => [State, Names[0]])).toEqual([["created", `/${name}`]]);
    return containers;
  });
  expect(others).toEqual([]);
  expect(only?.Id).not.toBe(first);
  const next = await reopen();
  expect(await next.getResource(refOf("web"))).toMatchObject({ desired: 0, wakeReplicas: 2 });
  const [target] = await wake(next, refOf("web"));
  expect(await ask(target ?? { host: "", port: 0 })).toBe("awake\n");
});

it("wakes again right after a sleep by remove", async () => {
  const { project, scaler, refOf } = await openScene({ sleepBy: "remove" });
  await project.create(refOf("web").name);
  for (let round = 0; round < 2; round += 1) {
    await wake(scaler, refOf("web"));
    await scaler.setScale(refOf("web"), 0);
  }
  const { version } = await scaler.setScale(refOf("web"), 1);
  const awake = await resourceWhen(scaler, refOf("web"), ({ ready }) => ready === 1);
  expect(awake).toMatchObject({ desired: 1, version });
  expect(await project.containers()).toHaveLength(1);
});

it("gives a container its own time to stop, up to the limit", async () => {
  const { project, scaler, refOf } = await openScene({ longestStop: "10s" });
  const id = await project.create(refOf("web").name, { body: { Env: ["STOP_AFTER=1"], StopTimeout: 9 } });
  await wake(scaler, refOf("web"));
  await sleep(scaler, refOf("web"));
  // It ended by itself: killed it would be 137.
  expect((await project.inspect(id)).State).toMatchObject({ Status: "exited", ExitCode: 0 });
  const hasty = await openScene({ longestStop: "1s" });
  const slow = await hasty.project.create(hasty.refOf("web").name, {
    body: { Env: ["STOP_AFTER=30"], StopTimeout: 60 },
  });
  await wake(hasty.scaler, hasty.refOf("web"));
  await sleep(hasty.scaler, hasty.refOf("web"));
  expect((await hasty.project.inspect(slow)).State).toMatchObject({ Status: "exited", ExitCode: 137 });
});
