import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { rm } from "node:fs/promises";
import { type TestPlatform, testScaler, type Undo } from "@dormouse/conformance";
import type { LocalRef } from "@dormouse/core";
import { openTestProject, type TestProject } from "@dormouse/test-docker";
import { afterAll, beforeAll, describe, inject, it } from "vitest";
import { scaler as plugin } from "../../src/index.ts";
import { type EngineLink, openEngineLink } from "./engine-link.ts";

let project: TestProject;
let link: EngineLink;

beforeAll(async () => {
  const socket = inject("dockerSocket");
  project = await openTestProject(socket);
  link = await openEngineLink(socket, join(project.folder, "link.sock"));
  for (const service of ["one", "other"]) await project.create(`${project.name}-${service}-1`, { service });
});

afterAll(async () => {
  await link[Symbol.asyncDispose]();
  await project[Symbol.asyncDispose]();
});

// The platform is processes, beside which a small machine may be late.
testScaler({ describe, it, plugin, open, promptly: 10_000 });

/** The containers stay for all rules, which leave them asleep. */
async function open(): Promise<TestPlatform> {
  return {
    options: { endpoint: `unix://${join(project.folder, "link.sock")}`, longestStop: "500ms" },
    ref: { namespace: project.name, name: "one" },
    other: { namespace: project.name, name: "other" },
    close: async () => {},
    breakStart: (ref) => turnOn(ref, "broken"),
    holdStart: (ref) => turnOn(ref, "held"),
    changeElsewhere,
    remove,
    endInstance: async ({ id }) => void (await project.docker.getContainer(id.split(".")[0] ?? "").kill()),
    stallPlatform: async () => disturb("stalled"),
    cutPlatform: async () => disturb("cut"),
  };
}

async function turnOn({ name }: LocalRef, which: "broken" | "held"): Promise<Undo> {
  const file = join(await project.switches(name), which);
  await writeFile(file, "");
  return () => rm(file, { force: true });
}

let retries = 0;

/** As `docker update --restart on-failure:N` does. */
async function changeElsewhere({ name }: LocalRef): Promise<void> {
  retries += 1;
  const RestartPolicy = { Name: "on-failure", MaximumRetryCount: retries };
  await project.docker.getContainer(`${project.name}-${name}-1`).update({ RestartPolicy });
}

async function remove({ name }: LocalRef): Promise<Undo> {
  for (const { Id, Labels } of await project.containers()) {
    if (Labels["com.docker.compose.service"] === name) await project.docker.getContainer(Id).remove({ force: true });
  }
  return async () => void (await project.create(`${project.name}-${name}-1`, { service: name }));
}

function disturb(state: "stalled" | "cut"): Undo {
  link.set(state);
  return async () => link.set("open");
}
