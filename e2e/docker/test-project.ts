import { randomUUID } from "node:crypto";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Docker from "dockerode";
import { testImage } from "./open-engine.ts";

/** What a container of a test is made of, besides what every one has. */
export interface ContainerSettings {
  /** On top of `dormouse.dev/enabled`. */
  readonly labels?: Readonly<Record<string, string>>;
  /** A service of this Compose project; left out: a container of its own. */
  readonly service?: string;
  /** Number in the service. */
  readonly number?: number;
  /** Further members of the engine's `POST /containers/create`, over those that every one has. */
  readonly body?: Docker.ContainerCreateOptions;
  readonly hostConfig?: Docker.HostConfig;
}

/** Containers of one test, on a network of their own. */
export interface TestProject extends AsyncDisposable {
  readonly docker: Docker;
  /** Unlike any other; also the name of the network. */
  readonly name: string;
  /** Folder that containers may share. */
  readonly folder: string;
  /** Makes a container that is not started. @returns its id */
  create(name: string, settings?: ContainerSettings): Promise<string>;
  /** Folder that the containers of a name see as /switches. */
  switches(name: string): Promise<string>;
  /** What the engine says of a container, by id or name. */
  inspect(id: string): Promise<Docker.ContainerInspectInfo>;
  /** Every container of this project, the newest first. */
  containers(): Promise<readonly Docker.ContainerInfo[]>;
}

const label = "dormouse-test";

/** Looks so often, so that a container which is up is known to be ready soon after. */
const healthEveryNs = 250_000_000;

/** Opens a project; all of its containers are gone with the disposal, also those that others made after them. */
export async function openTestProject(socket: string): Promise<TestProject> {
  const docker = new Docker({ socketPath: socket });
  const name = `t${randomUUID().slice(0, 8)}`;
  const folder = await mkdtemp(join(tmpdir(), "dormouse-docker-"));
  await docker.createNetwork({ Name: name, Labels: { [label]: name } });
  const containers = async (): Promise<readonly Docker.ContainerInfo[]> =>
    docker.listContainers({ all: true, filters: { label: [`${label}=${name}`] } });
  const switches = async (of: string): Promise<string> => {
    const path = join(folder, of);
    await mkdir(path, { recursive: true });
    return path;
  };
  return {
    docker,
    name,
    folder,
    containers,
    switches,
    inspect: async (id) => docker.getContainer(id).inspect(),
    create: async (of, settings = {}) => {
      const { service, number = 1, labels, body, hostConfig } = settings;
      const made = await docker.createContainer({
        name: of,
        Image: testImage,
        ExposedPorts: { "8080/tcp": {} },
        Healthcheck: {
          Test: ["CMD", "/bin/test", "!", "-e", "/switches/held"],
          Interval: healthEveryNs,
          Retries: 1_000,
        },
        ...body,
        Labels: {
          [label]: name,
          "dormouse.dev/enabled": "true",
          ...(service !== undefined && {
            "com.docker.compose.project": name,
            "com.docker.compose.service": service,
            "com.docker.compose.container-number": String(number),
            "com.docker.compose.oneoff": "False",
          }),
          ...labels,
        },
        HostConfig: { NetworkMode: name, Binds: [`${await switches(service ?? of)}:/switches`], ...hostConfig },
      });
      return made.id;
    },
    [Symbol.asyncDispose]: async () => {
      await Promise.all((await containers()).map(async ({ Id }) => removeAtOnce(docker, Id)));
      await docker
        .getNetwork(name)
        .remove()
        .catch(() => {});
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** One that is gone by itself meanwhile is fine. */
async function removeAtOnce(docker: Docker, id: string): Promise<void> {
  await docker
    .getContainer(id)
    .remove({ force: true, v: true })
    .catch(() => {});
}
