// What a stranger does, with packages as they would be published, in folders outside the workspace: a scaler by
// `npm create`, its tests and checks, then a project that installs everything and serves a request by it. Needs a build.
// `--with npm,pnpm,yarn` chooses the clients; all by default.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { useAll } from "./packed/consumer.ts";
import { createScaler } from "./packed/created-scaler.ts";
import { packAll } from "./packed/pack-all.ts";
import { type ClientName, clientNames } from "./packed/package-client.ts";

const root = join(import.meta.dirname, "..");
const { values } = parseArgs({ options: { with: { type: "string", default: clientNames.join(",") } } });
const chosen = values.with.split(",");
const unknown = chosen.filter((name) => !clientNames.some((known) => known === name));
if (unknown.length > 0) {
  console.error(`--with ${unknown.join(",")}: there is ${clientNames.join(", ")}`);
  process.exit(2);
}

const startedAt = Date.now();
const tell = (what: string): void =>
  console.log(`${String(Math.round((Date.now() - startedAt) / 1_000)).padStart(4)} s  ${what}`);

const folder = await mkdtemp(join(tmpdir(), "dormouse-packed-"));
try {
  const archives = await packAll(root, join(folder, "archives"));
  tell(`packed ${String(Object.keys(archives).length)} packages`);
  const scaler = await createScaler(join(folder, "author"), archives);
  tell("npm create @dormouse/scaler acme; npm install; npm test; npm run check; npm pack");
  for (const client of chosen as ClientName[]) {
    await useAll(root, join(folder, client), client, archives, scaler);
    tell(`${client}: all packages installed, types read without skipLibCheck, a request served by the new scaler`);
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}
