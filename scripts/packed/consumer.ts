import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { readWorkspacePackages } from "../architecture/workspace-package.ts";
import type { CreatedScaler } from "./created-scaler.ts";
import { freePort } from "./free-port.ts";
import type { Archives } from "./pack-all.ts";
import { type ClientName, clients } from "./package-client.ts";
import { run, start } from "./run-command.ts";
import { untilAnswered } from "./until-answered.ts";

/** What a project of a user needs besides packages of ours. */
const compiler = { typescript: "^6.0.3", "@types/node": "^22.20.5" };

/**
 * Installs every package and the created scaler into an empty project by one client, has the compiler read all their
 * types, and has `dormouse up` serve a request by the scaler.
 */
export async function useAll(
  root: string,
  project: string,
  client: ClientName,
  archives: Archives,
  scaler: CreatedScaler,
): Promise<void> {
  await mkdir(project, { recursive: true });
  const dependencies = { ...archives, "dormouse-scaler-acme": scaler.archive, ...compiler };
  await write(project, "package.json", { name: "consumer", private: true, type: "module", dependencies });
  await clients[client].prepare(project, archives);
  await clients[client].install(project);
  await checkTypes(root, project);
  await serveRequest(project, scaler);
}

/** Every entry point that has types, read with those of all its dependencies: nothing is skipped. */
async function checkTypes(root: string, project: string): Promise<void> {
  const compilerOptions = {
    module: "nodenext",
    target: "es2023",
    lib: ["es2024", "esnext.disposable"],
    types: ["node"],
  };
  const strict = { strict: true, exactOptionalPropertyTypes: true, skipLibCheck: false, noEmit: true };
  await write(project, "tsconfig.json", { compilerOptions: { ...compilerOptions, ...strict }, files: ["all.ts"] });
  const entryPoints = [...readWorkspacePackages(root).flatMap(typedEntryPoints), "dormouse-scaler-acme"];
  const lines = entryPoints.map((name, index) => `export * as entry${String(index)} from "${name}";`);
  await writeFile(join(project, "all.ts"), `${lines.join("\n")}\n`);
  await run(project, join(project, "node_modules/.bin/tsc"));
}

function typedEntryPoints({ manifest }: ReturnType<typeof readWorkspacePackages>[number]): string[] {
  const typed = Object.entries(manifest.exports ?? {}).filter(
    ([, target]) => typeof target !== "string" && "types" in target,
  );
  return typed.map(([path]) => manifest.name + path.slice(1));
}

async function serveRequest(project: string, scaler: CreatedScaler): Promise<void> {
  const [platformPort, dlxPort, adminPort] = [await freePort(), await freePort(), await freePort()];
  const use = { use: "dormouse-scaler-acme", id: "acme", options: { url: `http://127.0.0.1:${String(platformPort)}` } };
  await write(project, "dormouse.yaml", {
    admin: { listen: `127.0.0.1:${String(adminPort)}` },
    scalers: [use],
    dlx: { listen: `127.0.0.1:${String(dlxPort)}` },
    autoscaler: {},
  });
  const dormouse = join(project, "node_modules/.bin/dormouse");
  const platform = start(scaler.folder, { PORT: String(platformPort) }, "npm", "run", "platform");
  try {
    await untilAnswered(`http://127.0.0.1:${String(platformPort)}/services`, {}, platform);
    await run(project, dormouse, "check");
    const host = start(project, {}, dormouse, "up");
    try {
      const { text, headers } = await untilAnswered(
        `http://127.0.0.1:${String(dlxPort)}/`,
        { host: "hello.localhost" },
        host,
      );
      if (text !== "Hello from hello.\n") throw new Error(`the request was answered with ${JSON.stringify(text)}`);
      if (headers["x-dormouse-cold-start"] !== "true") throw new Error("the request was answered without a wake");
    } finally {
      await host[Symbol.asyncDispose]();
    }
  } finally {
    await platform[Symbol.asyncDispose]();
  }
}

/** JSON, which is YAML as well. */
async function write(project: string, file: string, content: object): Promise<void> {
  await writeFile(join(project, file), `${JSON.stringify(content, undefined, 2)}\n`);
}
