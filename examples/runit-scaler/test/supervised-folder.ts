import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdir, mkdtemp, rename, rm, symlink, unlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { ServiceFolder } from "../src/service-folder.ts";

/** A folder of services of one's own, with a runsvdir that watches it. */
export class SupervisedFolder implements AsyncDisposable {
  /** What runsvdir watches: links to the services, as usual. */
  readonly watched: string;
  readonly #root: string;
  readonly #names: string[] = [];
  #runsvdir: ChildProcess | undefined;

  private constructor(root: string) {
    this.#root = root;
    this.watched = join(root, "service");
  }

  static async open(ports: Readonly<Record<string, number>>): Promise<SupervisedFolder> {
    const folder = new SupervisedFolder(await mkdtemp(join(tmpdir(), "dormouse-runit-")));
    await mkdir(folder.watched);
    for (const [name, port] of Object.entries(ports)) await folder.#add(name, port);
    await folder.start();
    return folder;
  }

  async start(): Promise<void> {
    this.#runsvdir = spawn("runsvdir", [this.watched], { stdio: "ignore" });
    await once(this.#runsvdir, "spawn");
    for (const name of this.#names) await this.untilSupervised(name);
  }

  /** HUP: runsvdir has each runsv stop its service and exit, and exits itself. */
  async stop(): Promise<void> {
    const runsvdir = this.#runsvdir;
    this.#runsvdir = undefined;
    if (runsvdir === undefined || runsvdir.exitCode !== null) return;
    const ended = once(runsvdir, "exit");
    runsvdir.kill("SIGHUP");
    await ended;
    for (const name of this.#names) await this.#until(name, false);
  }

  /** A switch that the service's `run` looks at. */
  async breakStart(name: string, isBroken: boolean): Promise<void> {
    const file = join(this.#root, name, "broken");
    await (isBroken ? writeFile(file, "") : rm(file, { force: true }));
  }

  /** As an upgrade of the service would: another `run` in its place. */
  async replaceRun(name: string, port: number): Promise<void> {
    const folder = join(this.#root, name);
    const script = `#!/bin/sh\n[ -e broken ] && exit 1\nexec ${process.execPath} ${join(import.meta.dirname, "server.mjs")} ${port}\n`;
    await writeFile(join(folder, "run.new"), script);
    await chmod(join(folder, "run.new"), 0o755);
    await rename(join(folder, "run.new"), join(folder, "run"));
  }

  async unlink(name: string): Promise<void> {
    await unlink(join(this.watched, name));
  }

  /** runsvdir finds it with its next look, five seconds later at most. */
  async link(name: string): Promise<void> {
    await symlink(join(this.#root, name), join(this.watched, name));
    await this.untilSupervised(name);
  }

  async untilSupervised(name: string): Promise<void> {
    await this.#until(name, true);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await rm(this.#root, { recursive: true, force: true });
  }

  async #add(name: string, port: number): Promise<void> {
    await mkdir(join(this.#root, name));
    await this.replaceRun(name, port);
    // Down until Dormouse wants it: runsv(8).
    await writeFile(join(this.#root, name, "down"), "");
    await symlink(join(this.#root, name), join(this.watched, name));
    this.#names.push(name);
  }

  async #until(name: string, isSupervised: boolean): Promise<void> {
    const folder = new ServiceFolder(join(this.#root, name));
    const look = (): Promise<boolean> =>
      folder.status().then(
        () => true,
        () => false,
      );
    for (let looks = 0; looks < 1_000 && (await look()) !== isSupervised; looks += 1) await sleep(20);
  }
}
