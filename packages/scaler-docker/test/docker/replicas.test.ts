import { testImage } from "@dormouse/test-docker";
import { expect, it } from "vitest";
import { ask, eventually, openScene, resourceWhen, sleep, wake } from "./test-scaler.ts";

it("clones a container faithfully, but for what belongs to the one container", async () => {
  const { project, scaler, refOf } = await openScene();
  const { name } = refOf("web");
  const second = await project.docker.createNetwork({ Name: `${project.name}-second` });
  const id = await project.create(name, {
    labels: { "com.example.team": "blue" },
    body: {
      Env: ["GREETING=hi"],
      Cmd: ["one", "two"],
      User: "1000:1000",
      WorkingDir: "/tmp",
      StopSignal: "SIGINT",
      StopTimeout: 3,
      Domainname: "example.test",
      NetworkingConfig: { EndpointsConfig: { [project.name]: { Aliases: ["web", name] } } },
    },
    hostConfig: {
      NetworkMode: project.name,
      Binds: [`${await project.switches(name)}:/switches:ro`],
      Mounts: [{ Type: "tmpfs", Source: "", Target: "/scratch", TmpfsOptions: { SizeBytes: 65_536 } } as never],
      // Below the ports that the kernel gives to whoever names none.
      PortBindings: { "8080/tcp": [{ HostIp: "127.0.0.1", HostPort: "31181" }] },
      RestartPolicy: { Name: "on-failure", MaximumRetryCount: 4 },
      PidsLimit: 77,
      CpuShares: 512,
      ReadonlyRootfs: true,
      CapDrop: ["NET_RAW"],
      ExtraHosts: ["friend:192.0.2.7"],
      Ulimits: [{ Name: "nofile", Soft: 512, Hard: 1_024 }],
      LogConfig: { Type: "json-file", Config: { "max-size": "1m" } },
    },
  });
  await second.connect({ Container: id, EndpointConfig: { Aliases: ["back"] } });
  const targets = await wake(scaler, refOf("web"), 2);
  expect(await Promise.all(targets.map(ask))).toEqual(["awake\n", "awake\n"]);

  const [template, clone] = [await project.inspect(name), await project.inspect(`${name}-2`)];
  const { Hostname: one, Labels: labels, ...config } = template.Config;
  const { Hostname: two, Labels: cloneLabels, ...cloneConfig } = clone.Config;
  expect(cloneConfig).toEqual(config);
  expect([one, two]).toEqual([template.Id.slice(0, 12), clone.Id.slice(0, 12)]);
  expect(cloneLabels).toEqual({ ...labels, "dormouse.dev/resource": name, "dormouse.dev/replica-of": id });
  expect(clone.HostConfig).toEqual({
    ...template.HostConfig,
    PortBindings: { "8080/tcp": [{ HostIp: "127.0.0.1", HostPort: "" }] },
  });
  expect(clone.Image).toBe(template.Image);
  expect(clone.Mounts).toHaveLength(template.Mounts.length);
  expect(clone.Mounts).toEqual(expect.arrayContaining(template.Mounts));
  const aliasesOf = (network: string): readonly string[] =>
    ((clone.NetworkSettings.Networks[network]?.Aliases ?? []) as string[]).toSorted();
  expect(aliasesOf(project.name)).toEqual([clone.Id.slice(0, 12), `${name}-2`, "web"].toSorted());
  expect(aliasesOf(`${project.name}-second`)).toEqual([clone.Id.slice(0, 12), "back"].toSorted());
  await sleep(scaler, refOf("web"));
  for (const each of await project.containers()) await project.docker.getContainer(each.Id).remove({ force: true });
  await second.remove();
});

it("makes no container a second time while it sleeps, and finds the count again after a restart of the host", async () => {
  const { project, scaler, refOf, reopen } = await openScene();
  await project.create(refOf("web").name);
  await wake(scaler, refOf("web"), 3);
  await sleep(scaler, refOf("web"));
  const before = (await project.containers()).map(({ Id }) => Id).toSorted();
  expect(before).toHaveLength(3);
  const next = await reopen();
  expect(await next.getResource(refOf("web"))).toMatchObject({ desired: 0, ready: 0, wakeReplicas: 3 });
  await wake(next, refOf("web"), 3);
  expect((await project.containers()).map(({ Id }) => Id).toSorted()).toEqual(before);
});

it("removes the replicas that it made when fewer are wanted, and never the container that was there", async () => {
  const { project, scaler, refOf } = await openScene();
  const id = await project.create(refOf("web").name);
  await wake(scaler, refOf("web"), 3);
  await scaler.setScale(refOf("web"), 1);
  await eventually(async () => expect((await project.containers()).map(({ Id }) => Id)).toEqual([id]));
  await sleep(scaler, refOf("web"));
  expect((await project.containers()).map(({ Id }) => Id)).toEqual([id]);
});

it("takes the containers of a Compose service for one resource, and stops those that it did not make", async () => {
  const { project, scaler } = await openScene();
  const ref = { namespace: project.name, name: "api" };
  const made = [1, 2].map((number) =>
    project.create(`${project.name}-api-${String(number)}`, { service: "api", number }),
  );
  const ids = (await Promise.all(made)).toSorted();
  const listed = (await scaler.listResources()).filter(({ ref: { namespace } }) => namespace === project.name);
  expect(listed).toMatchObject([{ ref, desired: 0, wakeReplicas: 2 }]);
  await wake(scaler, ref, 3);
  expect(await project.inspect(`${project.name}-api-3`)).toMatchObject({
    Config: { Labels: { "com.docker.compose.service": "api", "com.docker.compose.container-number": "3" } },
  });
  await scaler.setScale(ref, 1);
  await eventually(async () => {
    const states = (await project.containers()).map(({ Id, State }) => ({ Id, State }));
    expect(states.map(({ Id }) => Id).toSorted()).toEqual(ids);
    expect(states.map(({ State }) => State).toSorted()).toEqual(["exited", "running"]);
  });
});

it("makes replicas of the image that the container has, where its name means another one or none by now", async () => {
  const { project, scaler, refOf } = await openScene();
  const { name } = refOf("web");
  const image = `localhost/${project.name}:1`;
  await project.docker.getImage(testImage).tag({ repo: `localhost/${project.name}`, tag: "1" });
  const id = await project.create(name, { body: { Image: image } });
  // By its id it is there as long as another name means it.
  await project.docker.getImage(image).remove();
  await wake(scaler, refOf("web"), 2);
  expect((await project.inspect(`${name}-2`)).Image).toBe((await project.inspect(id)).Image);
});

it("refuses more replicas than it may make", async () => {
  const { project, scaler, refOf } = await openScene({ mostReplicas: 2 });
  await project.create(refOf("web").name);
  await expect(scaler.setScale(refOf("web"), 3)).rejects.toMatchObject({ code: "SCALER_BAD_ARGUMENT" });
  await resourceWhen(scaler, refOf("web"), ({ desired }) => desired === 0);
});
