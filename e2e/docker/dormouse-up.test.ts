// A whole host with real containers: what docs/docker.md promises.
import { fileURLToPath } from "node:url";
import { expect, inject, it, onTestFinished } from "vitest";
import { ask } from "../harness/ask.ts";
import { Host } from "../harness/host.ts";
import { until } from "../harness/until.ts";
import { openTestProject, type TestProject } from "./test-project.ts";

const plugin = fileURLToPath(new URL("../../packages/scaler-docker/src/index.ts", import.meta.url));

async function openProject(): Promise<TestProject> {
  const project = await openTestProject(inject("dockerSocket"));
  onTestFinished(() => project[Symbol.asyncDispose]());
  return project;
}

async function startHost(): Promise<Host> {
  const options = { endpoint: `unix://${inject("dockerSocket")}`, longestStop: "1s" };
  const host = await Host.start({ resources: [], scalers: [{ use: plugin, id: "docker", options }] });
  onTestFinished(() => host[Symbol.asyncDispose]());
  return host;
}

it("lets a Compose service sleep that nobody uses, and answers the next request by waking it", async () => {
  const project = await openProject();
  const host = `${project.name}.localhost`;
  const name = `${project.name}-web-1`;
  const labels = { "dormouse.dev/hosts": host, "dormouse.dev/idle-after": "300ms", "dormouse.dev/min-awake": "0" };
  await project.create(name, { service: "web", labels });
  await project.docker.getContainer(name).start();
  const { origin, tail } = await startHost();
  const status = async (): Promise<string> => (await project.inspect(name)).State.Status;
  for (let round = 0; round < 2; round += 1) {
    await until(
      () => `the service slept:\n${tail}`,
      async () => (await status()) === "exited",
      40_000,
    );
    const answer = await ask(origin, { host });
    expect(answer).toMatchObject({ status: 200, text: "awake\n" });
    expect(answer.headers["x-dormouse-cold-start"]).toBe("true");
  }
});

it("answers at once why a container does not start, and serves the others", async () => {
  const project = await openProject();
  const hostOf = (service: string): string => `${service}.${project.name}.localhost`;
  for (const service of ["good", "bad"]) {
    const body = service === "bad" ? { Entrypoint: ["/bin/nothing-of-that-name"] } : {};
    const labels = { "dormouse.dev/hosts": hostOf(service), "dormouse.dev/idle-after": "1h" };
    await project.create(`${project.name}-${service}-1`, { service, labels, body });
  }
  await project.create(`${project.name}-typo-1`, { service: "typo", labels: { "dormouse.dev/idle-afer": "1h" } });
  const { origin } = await startHost();
  const [good, bad] = await Promise.all(["good", "bad"].map((service) => ask(origin, { host: hostOf(service) })));
  expect(good?.status).toBe(200);
  expect(bad?.status).toBe(503);
  expect(bad?.json["code"]).toBe("SCALER_START_FAILED");
});
