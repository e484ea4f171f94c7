import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { eventually, openScene, resourceWhen, wake, watch } from "./test-scaler.ts";

it("touches nothing that has no label of Dormouse, whatever its name", async () => {
  const { project, scaler, refOf } = await openScene();
  const id = await project.create(refOf("web").name, { labels: { "dormouse.dev/enabled": "false" } });
  await project.docker.getContainer(id).start();
  expect(await scaler.getResource(refOf("web"))).toBeUndefined();
  expect((await scaler.listResources()).map(({ ref }) => ref.name)).not.toContain(refOf("web").name);
  await expect(scaler.setScale(refOf("web"), 0)).rejects.toMatchObject({ code: "SCALER_NOT_FOUND" });
  expect((await project.inspect(id)).State.Status).toBe("running");
});

it.each([
  ["dormouse.dev/idle-afer", "5m", /dormouse\.dev\/idle-afer is no known label.*idle-after/],
  ["dormouse.dev/enabld", "true", /dormouse\.dev\/enabld is no known label.*enabled/],
  ["dormouse.dev/idle-after", "soon", /dormouse\.dev\/idle-after/],
  ["dormouse.dev/sleep-by", "nap", /sleep-by: "nap" is none of stop, pause, remove/],
  ["dormouse.dev/port", "web", /port: "web" is no port/],
])("refuses %s=%s by name, and that resource alone", async (label, value, message) => {
  const { project, scaler, refOf } = await openScene();
  await project.create(refOf("wrong").name, { labels: { [label]: value } });
  await project.create(refOf("right").name);
  const resources = new Map((await scaler.listResources()).map((resource) => [resource.ref.name, resource]));
  expect(resources.get(refOf("wrong").name)).toMatchObject({
    policy: { enabled: false },
    refusal: { code: "SCALER_BAD_OPTIONS", message: expect.stringMatching(message) as string },
  });
  const right = resources.get(refOf("right").name);
  expect(right).toMatchObject({ policy: { enabled: true } });
  expect(right?.refusal).toBeUndefined();
});

it("refuses a container that Docker removes when it stops, unless it sleeps by pause", async () => {
  const { project, scaler, refOf } = await openScene();
  const hostConfig = { NetworkMode: project.name, AutoRemove: true };
  await project.create(refOf("gone").name, { hostConfig });
  await project.create(refOf("stays").name, { hostConfig, labels: { "dormouse.dev/sleep-by": "pause" } });
  expect((await scaler.getResource(refOf("gone")))?.refusal?.message).toMatch(/--rm/);
  expect((await scaler.getResource(refOf("stays")))?.refusal).toBeUndefined();
});

it("lists no target before the health check agrees, and calls it a failure when it never does", async () => {
  const { project, scaler, refOf } = await openScene();
  const { name } = refOf("web");
  await writeFile(join(await project.switches(name), "held"), "");
  const Test = ["CMD-SHELL", "if [ -e /switches/held ]; then echo the switch says held; exit 1; fi"];
  const Healthcheck = { Test, Interval: 250_000_000, Retries: 2 };
  await project.create(name, { body: { Healthcheck } });
  await scaler.setScale(refOf("web"), 1);
  const { failure } = await resourceWhen(scaler, refOf("web"), (resource) => resource.failure !== undefined);
  expect(failure?.code).toBe("SCALER_START_FAILED");
  expect(failure?.message).toMatch(/is unhealthy; its health check says: the switch says held/);
  expect((await project.inspect(name)).State.Status).toBe("running");
  expect(await scaler.resolveTargets(refOf("web"), undefined)).toEqual([]);
});

it("lists a target at once where the DLX has a probe of its own to run", async () => {
  const { project, scaler, refOf } = await openScene();
  const { name } = refOf("web");
  await writeFile(join(await project.switches(name), "held"), "");
  await project.create(name, { labels: { "dormouse.dev/readiness-path": "/" } });
  expect(await wake(scaler, refOf("web"))).toMatchObject([{ port: 8080, ready: false }]);
});

it("tells a crash loop from a first failure", async () => {
  const { project, scaler, refOf } = await openScene();
  const { name } = refOf("web");
  const folder = await project.switches(name);
  await writeFile(join(folder, "broken"), "");
  const hostConfig = { NetworkMode: project.name, Binds: [`${folder}:/switches`], RestartPolicy: { Name: "always" } };
  await project.create(name, { hostConfig });
  await scaler.setScale(refOf("web"), 1);
  const { failure } = await resourceWhen(scaler, refOf("web"), (resource) => resource.failure !== undefined);
  expect(failure?.code).toBe("SCALER_CRASH_LOOP");
  expect(failure?.message).toMatch(/was restarted \d+ times and ended again, with exit code 7/);
  await scaler.setScale(refOf("web"), 0);
  await eventually(async () => expect((await project.inspect(name)).State.Status).toBe("exited"));
});

it("says in Docker's words why a program cannot be run, and that a start elsewhere failed", async () => {
  const { project, scaler, refOf } = await openScene();
  await project.create(refOf("web").name, { body: { Entrypoint: ["/bin/nothing-of-that-name"] } });
  await scaler.setScale(refOf("web"), 1);
  const { failure } = await resourceWhen(scaler, refOf("web"), (resource) => resource.failure !== undefined);
  expect(failure?.code).toBe("SCALER_START_FAILED");
  expect(failure?.message).toMatch(/nothing-of-that-name/);
});

it("follows a person who stops, starts and removes containers, under a new version each time", async () => {
  const { project, scaler, refOf } = await openScene();
  const { name } = refOf("web");
  const id = await project.create(name);
  await project.create(refOf("other").name);
  const view = watch(scaler);
  await eventually(() => expect(view.get(name)).toMatchObject({ desired: 0 }));
  const asleep = view.get(name)?.version;
  await project.docker.getContainer(id).start();
  await eventually(() => expect(view.get(name)).toMatchObject({ desired: 1, ready: 1 }));
  const awake = view.get(name)?.version;
  expect(awake).not.toBe(asleep);
  await project.docker.getContainer(id).stop({ t: 2 });
  await eventually(() => expect(view.get(name)).toMatchObject({ desired: 0, ready: 0 }));
  expect(view.get(name)?.failure).toBeUndefined();
  expect([asleep, awake]).not.toContain(view.get(name)?.version);
  await project.docker.getContainer(id).remove();
  await eventually(() => expect(view.has(name)).toBe(false));
  await expect(scaler.setScale(refOf("web"), 1)).rejects.toMatchObject({ code: "SCALER_NOT_FOUND" });
  await expect(scaler.resolveTargets(refOf("web"), undefined)).rejects.toMatchObject({ code: "SCALER_NOT_FOUND" });
  await wake(scaler, refOf("other"));
});

it("takes no kill for a wish: what was killed is wanted still, and fails", async () => {
  const { project, scaler, refOf } = await openScene();
  const { name } = refOf("web");
  const id = await project.create(name);
  const view = watch(scaler);
  await wake(scaler, refOf("web"));
  const { version } = await resourceWhen(scaler, refOf("web"), ({ ready }) => ready === 1);
  await project.docker.getContainer(id).kill();
  await eventually(() => expect(view.get(name)).toMatchObject({ desired: 1, ready: 0, version }));
  expect(view.get(name)?.failure).toMatchObject({ code: "SCALER_START_FAILED" });
  await wake(scaler, refOf("web"));
});

it("reaches published ports where containers cannot be dialled, and says where one is missing", async () => {
  const { project, scaler, refOf } = await openScene({ reach: "published" });
  const published = { NetworkMode: project.name, PortBindings: { "8080/tcp": [{ HostIp: "", HostPort: "" }] } };
  const id = await project.create(refOf("web").name, { hostConfig: published });
  await project.create(refOf("hidden").name);
  const [target] = await wake(scaler, refOf("web"));
  const { Ports } = (await project.inspect(id)).NetworkSettings;
  expect(target).toMatchObject({ host: "127.0.0.1", port: Number(Ports["8080/tcp"]?.[0]?.HostPort) });
  await scaler.setScale(refOf("hidden"), 1);
  const { failure } = await resourceWhen(scaler, refOf("hidden"), (resource) => resource.failure !== undefined);
  expect(failure?.message).toMatch(/its port 8080 is not published/);
});

it("leaves what its host starts and stops to the engine when it is closed", async () => {
  const { project, scaler, refOf, reopen } = await openScene();
  await project.create(refOf("web").name);
  await wake(scaler, refOf("web"));
  await scaler[Symbol.asyncDispose]();
  const next = await reopen();
  expect(await next.getResource(refOf("web"))).toMatchObject({ desired: 1, ready: 1, wakeReplicas: 1 });
});
